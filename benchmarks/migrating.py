"""Searches while `sidecar migrate` builds an index anew and takes its place, against searches in an idle sidecar."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from typing import Any

from benchmarks.corpus import MODEL, documents
from benchmarks.figures import Figure, median_ms
from benchmarks.ingesting import environment, ingest, lines
from benchmarks.searching import fresh_query
from benchmarks.server import Client, Server

_INDEX = "bench-migrating"
_DOCUMENTS = 20_000
_SEARCHES = 300


class _Searches:
    """Searches one after another until told to stop; each one's seconds, and those that failed."""

    def __init__(self, server: Server) -> None:
        self._client = Client(server.url)
        self.seconds: list[float] = []
        self.failed = 0

    def once(self) -> None:
        started = time.perf_counter()
        try:
            answer = self._client.call("POST", f"/indexes/{_INDEX}/search", {"q": fresh_query()})
        except RuntimeError:
            self.failed += 1
            return
        self.failed += not answer["hits"]
        self.seconds.append(time.perf_counter() - started)


def measure(cluster_url: str) -> list[Figure]:
    """Titles of 20,000 documents go from float32 to int8 of the same model, and searches go on all the time."""
    titles = [{"_id": document["_id"], "title": document["title"]} for document in documents(_DOCUMENTS)]
    with lines(titles) as source:
        ingest(cluster_url, source, _INDEX, "--model", MODEL, "--tensor-fields", "title")
    with Server(cluster_url) as server:
        idle = _Searches(server)
        for _ in range(_SEARCHES):
            idle.once()
        busy = _Searches(server)
        stop = threading.Event()

        def search() -> None:
            while not stop.is_set():
                busy.once()

        thread = threading.Thread(target=search)
        thread.start()
        started = time.perf_counter()
        _sidecar(cluster_url, "migrate", _INDEX, "--precision", "int8", "--yes")
        seconds = time.perf_counter() - started
        stop.set()
        thread.join()
        _sidecar(cluster_url, "migrate", "finish", _INDEX, "--yes")
        Client(cluster_url).call("DELETE", f"/{_INDEX}-v2")
    slowest = max(busy.seconds) * 1000
    return [
        Figure(
            "search median during a migration",
            median_ms(busy.seconds) / median_ms(idle.seconds),
            2.0,
            at_most=True,
            unit="x",
            detail=f"{median_ms(busy.seconds):.1f} against {median_ms(idle.seconds):.1f} ms, slowest {slowest:.0f}; "
            f"{_DOCUMENTS} documents in {seconds:.0f} s",
        ),
        Figure(
            "searches that failed during a migration",
            busy.failed,
            0,
            at_most=True,
            detail=f"of {len(busy.seconds) + busy.failed}",
        ),
    ]


def _sidecar(cluster_url: str, *words: str) -> Any:
    command = [sys.executable, "-m", "sidecar", *words]
    done = subprocess.run(command, env=environment(cluster_url), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {done.returncode} {done.stdout[-2000:]} {done.stderr[-2000:]}")
