"""Answers that are kept for some seconds, each read once however many ask for it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Generic, TypeVar

MAX_KEPT = 4096

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class KeptReads(Generic[Key, Value]):
    """Keeps what was read; safe to use from any thread. A kept answer is given without a lock."""

    def __init__(self, *, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: dict[Key, tuple[float, Value]] = {}
        self._reading: dict[Key, Future[Value]] = {}

    def get(self, key: Key, read: Callable[[], tuple[Value, bool]]) -> Value:
        """The answer of that key: the kept one, the one that another thread is reading, or what ``read`` returns now.

        ``read`` also says whether its answer is to be kept. What it raises is raised here, to all who wait for it, and
        is not kept.
        """
        found = self._kept.get(key)
        if found is not None and found[0] > self._clock():
            return found[1]
        with self._lock:
            future = self._reading.get(key)
            is_mine = future is None
            if future is None:
                future = self._reading[key] = Future()
        if is_mine:
            self._read(key, read, future)
        return future.result()

    def forget(self) -> None:
        """Read everything anew from now on: also what is being read by a call that began before this one."""
        with self._lock:
            self._kept = {}
            self._reading = {}

    def _read(self, key: Key, read: Callable[[], tuple[Value, bool]], future: Future[Value]) -> None:
        try:
            value, is_kept = read()
        except BaseException as error:
            self._end(key, future, None)
            future.set_exception(error)
            return
        self._end(key, future, (self._clock() + self._seconds, value) if is_kept else None)
        future.set_result(value)

    def _end(self, key: Key, future: Future[Value], kept: tuple[float, Value] | None) -> None:
        with self._lock:
            if self._reading.get(key) is not future:
                return  # forgotten meanwhile
            del self._reading[key]
            if kept is None:
                return
            if len(self._kept) >= MAX_KEPT:
                now = self._clock()
                fresh = {key: one for key, one in self._kept.items() if one[0] > now}
                self._kept = fresh if len(fresh) < MAX_KEPT else {}
            self._kept[key] = kept
