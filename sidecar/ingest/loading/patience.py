"""Waiting for a cluster that is away, full or busy, for as long as is reasonable."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

from sidecar.ingest.loading.faults import may_pass
from sidecar.ingest.loading.progress import LoadProgress

PATIENCE_SECONDS = 300.0
_FIRST_WAIT_SECONDS = 0.5
_LONGEST_WAIT_SECONDS = 5.0

_Result = TypeVar("_Result")


class Patience:
    """One for all threads of a load: what one of them gets done shows that there is hope for the others."""

    def __init__(self, seconds: float, stopped: threading.Event, progress: LoadProgress) -> None:
        self._seconds = seconds
        self._stopped = stopped
        self._progress = progress
        self._lock = threading.Lock()
        self._since: float | None = None

    def until_done(self, work: Callable[[], _Result]) -> _Result:
        """What ``work`` returns; it is done again for as long as what it raises may pass.

        Raises: what ``work`` raises for good, or still raises when nothing was done for the whole time, or the load is
        stopped.
        """
        wait = _FIRST_WAIT_SECONDS
        while True:
            try:
                result = work()
            except Exception as error:
                if not may_pass(error) or not self._waits(str(error), wait):
                    raise
                wait = min(2 * wait, _LONGEST_WAIT_SECONDS)
            else:
                self._note_success()
                return result

    def _waits(self, reason: str, seconds: float) -> bool:
        """Wait a moment; False where there is no time left to."""
        with self._lock:
            now = time.monotonic()
            if self._since is None:
                self._since = now
            is_over = now - self._since + seconds > self._seconds
        if is_over:
            return False
        self._progress.waits(reason)
        return not self._stopped.wait(seconds)

    def _note_success(self) -> None:
        with self._lock:
            was_waiting, self._since = self._since is not None, None
        if was_waiting:
            self._progress.waits(None)
