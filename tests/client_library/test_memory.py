"""A stream's memory does not grow with its documents."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import psutil
import pytest

from sidecar.client import AddOptions
from tests.client_library.driven import Clients

WARM, COUNT = 5_000, 100_000
TEXT = "The quick brown fox jumps over the lazy dog. " * 5
MOST_GROWTH_BYTES = 10_000_000
"""The lines of all documents together are 27 MB; those of one batch are 0.3 MB, here and at the server."""


class _Drain(BaseHTTPRequestHandler):
    """Acknowledges all documents, and keeps none; looks at this process's memory meanwhile."""

    protocol_version = "HTTP/1.1"
    peak_bytes = 0

    def do_POST(self) -> None:
        count = self.rfile.read(int(self.headers["Content-Length"])).count(b"\n")
        _Drain.peak_bytes = max(_Drain.peak_bytes, psutil.Process().memory_info().rss)
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
    """The most memory that this process had while so many documents were added."""
    _Drain.peak_bytes = 0
    documents = ({"_id": str(number), "title": TEXT} for number in range(count))
    assert index.add(documents, AddOptions(["title"])).succeeded == count
    return _Drain.peak_bytes


def test_memory_is_that_of_one_batch(connect: Clients, drain: str) -> None:
    index = connect(drain).index("i")
    before = peak_bytes(index, WARM)
    assert peak_bytes(index, COUNT) < before + MOST_GROWTH_BYTES
