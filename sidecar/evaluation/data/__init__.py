"""Documents, queries and judgements, from files and from indexes."""
