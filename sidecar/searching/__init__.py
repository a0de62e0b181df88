"""The read path: from a query to the body of one search, and from its answer to hits."""
