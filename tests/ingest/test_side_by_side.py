"""Streams that are read at once, as one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from sidecar.ingest.side_by_side import side_by_side


def counting(count: int, name: int) -> Callable[[], Iterator[tuple[int, int]]]:
    return lambda: ((name, number) for number in range(count))


@pytest.mark.parametrize("at_once", [1, 2, 9])
def test_each_stream_comes_whole_and_in_its_order(at_once: int) -> None:
    found = list(side_by_side([counting(20 * name, name) for name in range(5)], at_once=at_once))
    for name in range(5):
        assert [number for stream, number in found if stream == name] == list(range(20 * name))


def test_no_streams_are_no_items() -> None:
    assert list(side_by_side([], at_once=2)) == []


def test_the_error_of_one_stream_ends_all() -> None:
    def failing() -> Iterator[tuple[int, int]]:
        yield 0, 0
        raise ValueError("broken")

    def endless() -> Iterator[tuple[int, int]]:
        while True:
            yield 1, 1

    with pytest.raises(ValueError, match="broken"):
        for _ in side_by_side([failing, endless], at_once=2):
            pass
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("read")]


def test_nothing_is_read_far_ahead_or_after_the_end() -> None:
    taken = 0

    def stream() -> Iterator[int]:
        nonlocal taken
        for number in range(1000):
            taken += 1
            yield number

    items = side_by_side([stream], at_once=1)
    assert next(items) == 0
    items.close()
    assert taken <= 5
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("read")]
