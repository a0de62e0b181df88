"""How a record of a source becomes a document of the index: ids, names, types, and what is embedded."""
