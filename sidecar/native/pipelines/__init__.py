"""Pipelines that clients put and get: the sidecar keeps its own processors in their descriptions."""
