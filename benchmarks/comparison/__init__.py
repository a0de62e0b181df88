"""The sidecar and three other ways to search by meaning, on the same documents: ``python -m benchmarks.comparison``."""
