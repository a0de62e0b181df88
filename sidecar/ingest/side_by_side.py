"""Several streams read at once, by a few threads, as one stream."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from queue import Empty, Full, Queue
from typing import TypeVar

_Item = TypeVar("_Item")

_WAIT_SECONDS = 0.1


class _End:
    """The end of one stream, by the error that ended it where there was one."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error


def side_by_side(streams: Sequence[Callable[[], Iterator[_Item]]], *, at_once: int) -> Generator[_Item, None, None]:
    """The items of all streams as they come; those of one stream in its order.

    ``at_once`` streams are read at a time, each by a thread, which is at most two items ahead. The first error of a
    stream ends all; so does closing the iterator: when it returns, no thread reads any more.
    """
    items: Queue[_Item | _End] = Queue(maxsize=2 * at_once)
    is_over = threading.Event()

    def put(item: _Item | _End) -> bool:
        while not is_over.is_set():
            try:
                items.put(item, timeout=_WAIT_SECONDS)
            except Full:
                continue
            return True
        return False

    def read(stream: Callable[[], Iterator[_Item]]) -> None:
        try:
            for item in stream():
                if not put(item):
                    return
        except BaseException as error:  # for the reader to raise: this is the thread's edge
            put(_End(error))
        else:
            put(_End(None))

    with ThreadPoolExecutor(at_once, thread_name_prefix="read") as pool:
        try:
            for stream in streams:
                pool.submit(read, stream)
            left = len(streams)
            while left:
                item = _next(items)
                if not isinstance(item, _End):
                    yield item
                elif item.error is not None:
                    raise item.error
                else:
                    left -= 1
        finally:
            is_over.set()
            pool.shutdown(cancel_futures=True)


def _next(items: Queue[_Item]) -> _Item:
    # A wait without a limit would keep signals from being handled.
    while True:
        try:
            return items.get(timeout=_WAIT_SECONDS)
        except Empty:
            continue
