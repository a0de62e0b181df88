"""A sidecar that gives OpenSearch semantic search."""

__version__ = "0.1.0"
