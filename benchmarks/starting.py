"""How soon a sidecar answers after its start, with the model converted already and the cluster running."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time

from benchmarks.figures import Figure
from benchmarks.searching import INDEX
from benchmarks.server import Client, Server

_ROUNDS = 3
_HELP = ("ingest", "--help")
_TYPED = {"_SIDECAR_COMPLETE": "bash_complete", "COMP_WORDS": "sidecar\nmodels\nshow\nhf", "COMP_CWORD": "3"}
"""What a shell asks for when the name of a model is to be completed."""


def measure(cluster_url: str) -> list[Figure]:
    """Start, ask `GET /`, search; three times. What is typed at a shell, as often."""
    answers, searches = [], []
    for _ in range(_ROUNDS):
        with Server(cluster_url) as server:
            answers.append(server.answered - server.started)
            Client(server.url).call("POST", f"/indexes/{INDEX}/search", {"q": "a first question"})
            searches.append(time.perf_counter() - server.started)
    return [
        Figure("GET / after start", statistics.median(answers), 1.5, at_most=True, unit=" s"),
        Figure("first search after start", statistics.median(searches), 4.0, at_most=True, unit=" s"),
        Figure("help of a command", _command_seconds(*_HELP), 0.5, at_most=True, unit=" s"),
        Figure("completion of a model's name", _command_seconds(**_TYPED), 0.5, at_most=True, unit=" s"),
    ]


def _command_seconds(*arguments: str, **variables: str) -> float:
    """How long a command takes, the median of its runs."""
    times = []
    for _ in range(_ROUNDS):
        started = time.perf_counter()
        command = [sys.executable, "-m", "sidecar", *arguments]
        subprocess.run(command, env=os.environ | variables, capture_output=True, check=True)
        times.append(time.perf_counter() - started)
    return statistics.median(times)
