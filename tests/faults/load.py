"""Clients that work side by side for a while, and what became of their requests."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import requests

from tests.faults.machines import Held, held_by

ANSWER_SECONDS = 120.0
"""A client that waits longer has found a fault."""

Work = Callable[["Client"], requests.Response]


class Client:
    """One connection, kept, and a number of its own."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.session = requests.Session()
        self.sent = 0


@dataclass
class Told:
    """What the clients were answered: how often which status, and the seconds of those that were accepted."""

    statuses: Counter[int] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    held: list[Held] = field(default_factory=list)
    """By the server, at even times."""


def work_for(seconds: float, works: list[Work], server: int, samples: int = 20) -> Told:
    """Have a client for each of the works, all at once, for so long; who is refused waits as it is told.

    ``server`` is the process of which it is noted what it holds. A refusal without `Retry-After` is a fault, as is any
    other status but 200, and what a work asserts of its answer in vain.
    """
    told, lock, until = Told(), threading.Lock(), time.monotonic() + seconds

    def run(number: int, work: Work) -> None:
        client = Client(number)
        while time.monotonic() < until:
            began = time.monotonic()
            try:
                answer = work(client)
            except (requests.RequestException, AssertionError) as error:
                with lock:
                    told.faults.append(f"client {number}: {error}")
                continue
            client.sent += 1
            with lock:
                told.statuses[answer.status_code] += 1
                if answer.status_code == 200:
                    told.seconds.append(time.monotonic() - began)
                elif answer.status_code != 429 or not answer.headers.get("Retry-After", "").isdigit():
                    told.faults.append(f"client {number}: {answer.status_code} {answer.text[:300]}")
            if answer.status_code == 429:
                time.sleep(min(int(answer.headers.get("Retry-After", "1")), max(0.0, until - time.monotonic())))

    threads = [threading.Thread(target=run, args=pair, daemon=True) for pair in enumerate(works)]
    for thread in threads:
        thread.start()
    for _ in range(samples):
        time.sleep(seconds / samples)
        told.held.append(held_by(server))
    for thread in threads:
        thread.join(ANSWER_SECONDS)
        assert not thread.is_alive(), "a request is still not answered"
    return told


def halves(samples: list[Any]) -> tuple[list[Any], list[Any]]:
    """Without the first quarter, in which caches fill."""
    settled = samples[len(samples) // 4 :]
    return settled[: len(settled) // 2], settled[len(settled) // 2 :]
