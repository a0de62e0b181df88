"""A stream's memory does not grow with its documents."""

from __future__ import annotations

import json
import threading
import tracemalloc
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from sidecar.client import AddOptions
from tests.client_library.driven import Clients

COUNT = 100_000
MOST_BYTES = 4_000_000
"""Their lines together are 6 MB, and 10 MB as objects; those of one batch are 100 KB, here and at the server."""


class _Drain(BaseHTTPRequestHandler):
    """Acknowledges all documents, and keeps none."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        count = self.rfile.read(int(self.headers["Content-Length"])).count(b"\n")
        counts = {"received": count, "succeeded": count, "failed": 0}
        told = json.dumps({"done": True, **counts, "processingTimeMs": 1}).encode() + b"\n"
        self.send_response(200)
        self.send_header("Content-Length", str(len(told)))
        self.end_headers()
        self.wfile.write(told)

    def log_message(self, *arguments: Any) -> None:
        """Nothing: it would stand among the tests' own lines."""


@pytest.fixture(scope="module")
def drain() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Drain) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def peak_bytes(index: Any, count: int) -> int:
    """The most that was in memory at once while so many documents were added."""
    documents = ({"_id": str(number), "title": f"The title of document {number}."} for number in range(count))
    tracemalloc.start()
    try:
        assert index.add(documents, AddOptions(["title"])).succeeded == count
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_is_that_of_one_batch(connect: Clients, drain: str) -> None:
    index = connect(drain).index("i")
    peak_bytes(index, 1)  # what is imported at the first use
    assert peak_bytes(index, COUNT) < MOST_BYTES
