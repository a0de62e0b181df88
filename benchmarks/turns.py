"""Pieces of work measured against one another: in turns, so that what disturbs the machine disturbs all."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

Work = Callable[[], None]


def in_turns(works: Sequence[Work], rounds: int) -> list[list[float]]:
    """Seconds that each piece of work took, round by round; another one is first in each round."""
    seconds: list[list[float]] = [[] for _ in works]
    for number in range(rounds):
        for place in range(len(works)):
            chosen = (number + place) % len(works)
            started = time.perf_counter()
            works[chosen]()
            seconds[chosen].append(time.perf_counter() - started)
    return seconds
