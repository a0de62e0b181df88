"""The OpenSearch-native face against the cluster behind it: each file here measures one side of it."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks import native_forwarding, native_writes
from benchmarks.figures import Figure
from benchmarks.server import Server

Measure = Callable[[Server, str], list[Figure]]
MEASURES: tuple[Measure, ...] = (native_forwarding.measure, native_writes.measure)


def measure(cluster_url: str) -> list[Figure]:
    """All figures, on one sidecar before the cluster."""
    with Server(cluster_url) as server:
        return [figure for each in MEASURES for figure in each(server, cluster_url)]
