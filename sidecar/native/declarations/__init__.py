"""Which fields are embedded: what clients declare, and how the index remembers it."""
