"""Queries by meaning: ``neural`` clauses become ``knn`` clauses, wherever they stand in a request."""
