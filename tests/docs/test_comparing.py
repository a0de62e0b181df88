"""What counts as printed, and what does not."""

from __future__ import annotations

from typing import Any

import pytest

from tests.docs.comparing import differences, missing_line


@pytest.mark.parametrize(
    ("printed", "answer", "is_same"),
    [
        ({"a": 1}, {"a": 1}, True),
        ({"a": 1}, {"a": 1, "b": 2}, False),
        ({"a": 1, "b": 2}, {"a": 1}, False),
        ([1, 2], [1], False),
        ("The first…", "The first and the rest", True),
        ("The first…", "The second", False),
        ("The first…", "The first", False),
        ({"_score": 0.7312}, {"_score": 0.7318}, True),
        ({"_score": 0.7312}, {"_score": 0.7512}, False),
        ({"processingTimeMs": 5}, {"processingTimeMs": 17.5}, True),
        ({"processingTimeMs": 5}, {"processingTimeMs": None}, False),
        (True, "True", False),
    ],
)
def test_differences_are_found(printed: Any, answer: Any, is_same: bool) -> None:
    assert (differences(printed, answer) == []) is is_same


@pytest.mark.parametrize(
    ("printed", "answer", "is_same"),
    [
        ({"a": 1, "…": "…"}, {"a": 1, "b": 2}, True),
        ({"a": 1, "…": "…"}, {"b": 2}, False),
        ([1, "…"], [1, 2, 3], True),
        ([1, 2, "…"], [1], False),
    ],
)
def test_dots_stand_for_more(printed: Any, answer: Any, is_same: bool) -> None:
    assert (differences(printed, answer) == []) is is_same


@pytest.mark.parametrize(
    ("printed", "output", "missing"),
    [
        ("one\nthree\n", "one\ntwo\nthree\n", None),
        ("three\none\n", "one\nthree\n", "one"),
        ("took … s", "took 1.5 s", None),
        ("took … s", "took 1.5 min", "took … s"),
        ("a.b", "axb", "a.b"),
        ("  a  ", "a", None),
    ],
)
def test_line_that_was_not_printed_is_found(printed: str, output: str, missing: str | None) -> None:
    assert missing_line(printed, output) == missing
