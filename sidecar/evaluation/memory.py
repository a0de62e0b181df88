"""How much memory a process needs at most."""

from __future__ import annotations

import threading
from types import TracebackType

import psutil

SAMPLE_SECONDS = 0.05


class PeakMemory:
    """Samples the resident memory of a process's children, of which the largest counts: a sidecar embeds in the one
    that serves requests. To be used with ``with``; ``peak_bytes`` is the most that was seen so far."""

    def __init__(self, process_id: int) -> None:
        self._process = psutil.Process(process_id)
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._sample, name="peak-memory", daemon=True)
        self.peak_bytes = 0

    def __enter__(self) -> PeakMemory:
        self._look()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._end.set()
        self._thread.join()

    def _sample(self) -> None:
        while not self._end.wait(SAMPLE_SECONDS):
            self._look()

    def _look(self) -> None:
        try:
            sizes = [child.memory_info().rss for child in self._process.children(recursive=True)]
        except psutil.NoSuchProcess:
            return  # it, or a child, has just ended: the next look sees what is left
        self.peak_bytes = max([self.peak_bytes, *sizes])
