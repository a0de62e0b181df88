"""An iterator that runs ahead of who takes from it, on a thread of its own."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Generic, TypeVar

_Item = TypeVar("_Item")
_LOOK_SECONDS = 0.1
"""After which a thread that waits for room looks whether anybody still wants its items."""


@dataclass(frozen=True)
class _End:
    error: BaseException | None


class Ahead(Generic[_Item]):
    """Takes at most so many items ahead; to be used with `with`, which ends the thread between two items."""

    def __init__(self, items: Iterator[_Item], *, most: int) -> None:
        self._items = items
        self._ready: queue.Queue[_Item | _End] = queue.Queue(maxsize=most)
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="read ahead", daemon=True)
        self.has_ended = False

    def take(self, timeout_seconds: float) -> _Item | None:
        """The next item; None where none has come in time, or `has_ended`. Raises what the iterator raised."""
        if self.has_ended:
            return None
        try:
            item = self._ready.get(timeout=timeout_seconds)
        except queue.Empty:
            return None
        if not isinstance(item, _End):
            return item
        self.has_ended = True
        if item.error is not None:
            raise item.error
        return None

    def __enter__(self) -> Ahead[_Item]:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        # Not joined: it may be in the middle of reading from a pipe that stays silent.
        self._closed.set()

    def _run(self) -> None:
        error: BaseException | None = None
        try:
            for item in self._items:
                if not self._put(item):
                    return
        except BaseException as raised:  # the thread's edge: whoever takes raises it
            error = raised
        self._put(_End(error))

    def _put(self, item: _Item | _End) -> bool:
        while not self._closed.is_set():
            try:
                self._ready.put(item, timeout=_LOOK_SECONDS)
            except queue.Full:
                continue
            return True
        return False
