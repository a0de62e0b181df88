"""The name by which an embedded node is known."""

from __future__ import annotations

CLUSTER_NAME = "vector-sidecar"
