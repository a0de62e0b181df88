"""Work at no more than so much a second."""

from __future__ import annotations

import threading
import time


class RateLimit:
    """Safe to use from any thread; ``per_second`` of None limits nothing."""

    def __init__(self, per_second: float | None) -> None:
        self._per_second = per_second
        self._lock = threading.Lock()
        self._free_at = 0.0

    def wait(self, amount: int) -> None:
        """Return when so much more may be done. Time in which less was done is not made up for."""
        if self._per_second is None:
            return
        with self._lock:
            now = time.monotonic()
            start = max(now, self._free_at)
            self._free_at = start + amount / self._per_second
        time.sleep(max(0.0, start - now))
