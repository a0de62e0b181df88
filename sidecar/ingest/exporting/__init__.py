"""`sidecar export`: an index's documents, with or without their vectors, in files."""
