"""Names against patterns."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.opensearch.wildcards import matches_wildcard


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("", "", True),
        ("*", "", True),
        ("a", "a", True),
        ("a", "ab", False),
        ("a*", "ab", True),
        ("*a", "ba", True),
        ("a*a", "a", False),
        ("a*b*c", "aXbXc", True),
        ("a*b*c", "acb", False),
        ("*a*a*", "a", False),
        ("ab*bc", "abc", False),
        ("a.c", "abc", False),
        ("a*", "a\nb", True),
    ],
)
def test_star_is_any_letters_and_all_else_is_itself(pattern: str, text: str, expected: bool) -> None:
    assert matches_wildcard(pattern, text) is expected


@given(st.text("ab*.\n", max_size=12), st.text("ab.\n", max_size=16))
def test_it_matches_what_a_regular_expression_would(pattern: str, text: str) -> None:
    expected = re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), text, re.DOTALL) is not None
    assert matches_wildcard(pattern, text) is expected


def test_no_pattern_takes_long() -> None:
    began = time.process_time()
    assert not matches_wildcard("*a" * 30 + "*b", "a" * 100_000 + "c")
    assert time.process_time() - began < 1
