"""Clients that hold a thread while they send little or nothing: let go where others wait for a thread.

A client may be as slow as it likes while there are threads enough. What is slow is told by what has come, not by how
long a client is silent: one that sends a byte a second is never silent for long.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from gunicorn.http.unreader import SocketUnreader

logger = logging.getLogger(__name__)

GRACE_SECONDS = 5.0
"""Where one request more is on its way in than there are threads, a client may take so long for a request, or for its
next bytes; where there are many more, as much shorter as they are more."""
LEAST_GRACE_SECONDS = 1.0
LEAST_RATE = 2000
"""Bytes a second, on average, below which a request that takes longer is slow: a slow telephone line has three times
as many."""
LOOK_SECONDS = 0.25


class Pulse:
    """How one connection's request comes in. ``let_go`` ends the waiting for its bytes."""

    def __init__(self, let_go: Callable[[], None]) -> None:
        self.let_go = let_go
        self._began = 0.0
        self._bytes = 0
        self._waits_since = 0.0

    def begin_request(self) -> None:
        """The next request's first byte is there, or nearly."""
        self._began, self._bytes = time.monotonic(), 0

    def begin_wait(self) -> None:
        """A thread waits for bytes now."""
        self._waits_since = time.monotonic()

    def end_wait(self, received: int) -> None:
        """Bytes have come."""
        self._waits_since = 0.0
        self._bytes += received

    def is_slow(self, now: float, grace: float) -> bool:
        """Whether a thread waits for a client that has had its time, in seconds."""
        waits_since = self._waits_since
        if not waits_since:
            return False
        taken = now - self._began
        is_silent = now - waits_since > grace
        return is_silent or (taken > grace and self._bytes < LEAST_RATE * taken)


class PulseUnreader(SocketUnreader):  # type: ignore[misc]
    """Reads a connection, and keeps its pulse."""

    def __init__(self, client: Any, pulse: Pulse) -> None:
        super().__init__(client)
        self._pulse = pulse

    def chunk(self, size_hint: int | None = None) -> bytes:
        """The next bytes."""
        received = 0
        self._pulse.begin_wait()
        try:
            data: bytes = super().chunk(size_hint)
            received = len(data)
            return data
        finally:
            self._pulse.end_wait(received)


class SlowClients:
    """Knows the requests that are on their way in, and lets slow ones go while more come in than there are threads."""

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._lock = threading.Lock()
        self._pulses: set[Pulse] = set()
        self._waiting = 0

    def begin(self) -> None:
        """Watch, until the process ends."""
        threading.Thread(target=self._look, name="slow-clients", daemon=True).start()

    def queued(self) -> None:
        """A request waits for a thread."""
        with self._lock:
            self._waiting += 1

    def taken(self, pulse: Pulse) -> None:
        """A thread reads a request."""
        pulse.begin_request()
        with self._lock:
            self._pulses.add(pulse)

    def done(self, pulse: Pulse) -> None:
        """The thread is free again."""
        with self._lock:
            self._pulses.discard(pulse)
            self._waiting -= 1

    def _look(self) -> None:
        while True:
            time.sleep(LOOK_SECONDS)
            with self._lock:
                slow = []
                if self._waiting > self._threads:
                    grace = max(LEAST_GRACE_SECONDS, GRACE_SECONDS * self._threads / self._waiting)
                    now = time.monotonic()
                    slow = [pulse for pulse in self._pulses if pulse.is_slow(now, grace)]
            for pulse in slow:
                pulse.let_go()
