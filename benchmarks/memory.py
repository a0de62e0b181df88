"""The sidecar's memory after 5,000 documents, and what 45,000 more add to it."""

from __future__ import annotations

from benchmarks.corpus import documents, settings
from benchmarks.figures import Figure
from benchmarks.indexing import add
from benchmarks.server import Client, Server

_INDEX = "bench-memory"
_FIRST = 5_000
_REQUEST = 500
_MEGABYTE = 1024 * 1024


def measure(cluster_url: str, total: int) -> list[Figure]:
    """Index into a fresh server, measuring after the first documents and after all."""
    with Server(cluster_url) as server:
        client = Client(server.url)
        client.call("POST", f"/indexes/{_INDEX}", settings())
        docs = documents(total)
        after_first = 0
        for first in range(0, total, _REQUEST):
            add(client, _INDEX, docs[first : first + _REQUEST], refresh=False)
            if first + _REQUEST == _FIRST:
                after_first = server.resident_bytes()
        after_all = server.resident_bytes()
        client.call("DELETE", f"/indexes/{_INDEX}")
    return [
        Figure("memory after 5,000 documents", after_first / _MEGABYTE, 600, at_most=True, unit=" MB"),
        Figure(
            f"memory after {total:,} documents against 5,000",
            after_all / after_first,
            1.1,
            at_most=True,
            unit="x",
            detail=f"{after_all / _MEGABYTE:.0f} MB",
        ),
    ]
