"""How soon a sidecar answers after its start, with the model converted already and the cluster running."""

from __future__ import annotations

import statistics
import time

from benchmarks.figures import Figure
from benchmarks.searching import INDEX
from benchmarks.server import Client, Server

_ROUNDS = 3


def measure(cluster_url: str) -> list[Figure]:
    """Start, ask `GET /`, search; three times."""
    answers, searches = [], []
    for _ in range(_ROUNDS):
        with Server(cluster_url) as server:
            answers.append(server.answered - server.started)
            Client(server.url).call("POST", f"/indexes/{INDEX}/search", {"q": "a first question"})
            searches.append(time.perf_counter() - server.started)
    return [
        Figure("GET / after start", statistics.median(answers), 1.5, at_most=True, unit=" s"),
        Figure("first search after start", statistics.median(searches), 4.0, at_most=True, unit=" s"),
    ]
