"""What one request spent its time on, for clients that ask for it with ``telemetry=true``."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any


class Telemetry:
    """Times of one request; stages may be added from any thread that runs in its context."""

    def __init__(self) -> None:
        self._times: dict[str, list[float]] = {}

    def add_ms(self, name: str, ms: float) -> None:
        """One more time that a stage took, in milliseconds."""
        self._times.setdefault(name, []).append(ms)

    def to_wire(self) -> dict[str, Any]:
        """The object `telemetry` of an answer; a stage that came once is a number, else a list. Without any stage it is
        empty."""
        times = {name: taken[0] if len(taken) == 1 else list(taken) for name, taken in list(self._times.items())}
        return {"timesMs": times} if times else {}


_current: ContextVar[Telemetry | None] = ContextVar("telemetry", default=None)


def begin(telemetry: Telemetry | None) -> None:
    """Let what this thread does from now on be added to ``telemetry``; None: to nothing."""
    _current.set(telemetry)


@contextmanager
def timed(name: str) -> Iterator[None]:
    """Add the block's time under that name, also where it fails."""
    telemetry = _current.get()
    if telemetry is None:
        yield
        return
    started = time.perf_counter()
    try:
        yield
    finally:
        telemetry.add_ms(name, (time.perf_counter() - started) * 1000)


def add_ms(name: str, ms: float) -> None:
    """Add a time that was taken elsewhere, in milliseconds."""
    telemetry = _current.get()
    if telemetry is not None:
        telemetry.add_ms(name, ms)
