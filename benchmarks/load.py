"""Searches while a bulk load runs, against searches in an idle sidecar."""

from __future__ import annotations

import threading
import time

from benchmarks.corpus import documents, settings
from benchmarks.figures import Figure, median_ms
from benchmarks.indexing import add
from benchmarks.searching import fresh_query, sidecar_search, timed
from benchmarks.server import Client, Server

_LOAD_INDEX = "bench-load"
_SECONDS = 20.0


def measure(server: Server) -> list[Figure]:
    """The median search over some seconds of a load that goes on all the time."""
    search = sidecar_search(server)
    timed(search, [fresh_query() for _ in range(30)])
    idle = timed(search, [fresh_query() for _ in range(200)])
    client = Client(server.url)
    client.call("POST", f"/indexes/{_LOAD_INDEX}", settings())
    docs = documents(20_000)
    stop = threading.Event()
    added = [0]

    def load() -> None:
        for first in range(0, len(docs), 500):
            if stop.is_set():
                return
            add(client, _LOAD_INDEX, docs[first : first + 500], refresh=False)
            added[0] += 500

    thread = threading.Thread(target=load)
    thread.start()
    until, busy = time.perf_counter() + _SECONDS, []
    time.sleep(1.0)
    while time.perf_counter() < until and thread.is_alive():
        busy += timed(search, [fresh_query()])
    stop.set()
    thread.join()
    client.call("DELETE", f"/indexes/{_LOAD_INDEX}")
    return [
        Figure(
            "search median during a bulk load",
            median_ms(busy) / median_ms(idle),
            3.0,
            at_most=True,
            unit="x",
            detail=f"{median_ms(busy):.1f} against {median_ms(idle):.1f} ms; {added[0]} documents meanwhile",
        )
    ]
