"""Answers kept for some seconds, and read once however many ask."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from sidecar.native.kept_reads import MAX_KEPT, KeptReads


class Clock:
    """Time that goes on when it is told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Source:
    """Counts how often it is read; each answer is the number of the read."""

    def __init__(self, *, is_kept: bool = True) -> None:
        self.reads = 0
        self._is_kept = is_kept

    def __call__(self) -> tuple[int, bool]:
        self.reads += 1
        return self.reads, self._is_kept


def test_an_answer_is_kept_for_its_time() -> None:
    clock, source = Clock(), Source()
    kept = KeptReads[str, int](seconds=5, clock=clock)
    assert [kept.get("a", source), kept.get("a", source)] == [1, 1]
    clock.now = 4.9
    assert kept.get("a", source) == 1
    clock.now = 5.1
    assert kept.get("a", source) == 2


def test_an_answer_that_is_not_to_be_kept_is_read_again() -> None:
    source = Source(is_kept=False)
    kept = KeptReads[str, int](seconds=5)
    assert [kept.get("a", source), kept.get("a", source)] == [1, 2]


def test_forgetting_reads_anew() -> None:
    source = Source()
    kept = KeptReads[str, int](seconds=5)
    kept.get("a", source)
    kept.forget()
    assert kept.get("a", source) == 2


def test_a_burst_reads_once() -> None:
    reading, may_answer = threading.Event(), threading.Event()
    reads: list[int] = []

    def read() -> tuple[int, bool]:
        reads.append(1)
        reading.set()
        assert may_answer.wait(30)
        return len(reads), True

    kept = KeptReads[str, int](seconds=5)
    with ThreadPoolExecutor(20) as pool:
        answers = [pool.submit(kept.get, "a", read) for _ in range(20)]
        assert reading.wait(30)
        may_answer.set()
        assert {answer.result(30) for answer in answers} == {1}
    assert len(reads) == 1


def test_what_was_being_read_when_all_was_forgotten_is_not_kept() -> None:
    kept = KeptReads[str, str](seconds=5)

    def read() -> tuple[str, bool]:
        kept.forget()  # as a change that ended while this read was on its way
        return "old", True

    assert kept.get("a", read) == "old"
    assert kept.get("a", lambda: ("new", True)) == "new"


def test_an_error_is_raised_to_all_and_not_kept() -> None:
    kept = KeptReads[str, int](seconds=5)

    def fail() -> tuple[int, bool]:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        kept.get("a", fail)
    assert kept.get("a", Source()) == 1


def test_there_is_a_limit_to_what_is_kept() -> None:
    clock = Clock()
    kept = KeptReads[int, int](seconds=5, clock=clock)
    for number in range(MAX_KEPT):
        kept.get(number, lambda: (0, True))
    clock.now = 6
    assert kept.get(-1, lambda: (1, True)) == 1
    assert kept.get(0, lambda: (2, True)) == 2
