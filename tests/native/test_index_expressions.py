"""Lists of names and patterns are parted as OpenSearch parts them, however long they are."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.native.targets import expression_parts, has_remote, index_target


@pytest.mark.parametrize(
    ("expression", "parts"),
    [
        ("", []),
        (",,", []),
        ("a", ["a"]),
        ("a,b*,-c", ["a", "b*", "-c"]),
        ("<logs-{now/d{HH:mm,ss}}>,a", ["<logs-{now/d{HH:mm,ss}}>", "a"]),
        (">,a", [">", "a"]),
    ],
)
def test_a_comma_parts_names_but_for_those_of_date_math(expression: str, parts: list[str]) -> None:
    assert expression_parts(expression) == parts


@given(st.lists(st.text("ab*-:", min_size=1), max_size=5))
def test_parts_are_what_was_joined(parts: list[str]) -> None:
    assert expression_parts(",".join(parts)) == parts


def test_a_long_expression_takes_no_longer_than_it_is() -> None:
    began = time.process_time()
    assert not has_remote("a" * 1_000_000 + ",b")
    assert time.process_time() - began < 2.0


def test_a_name_that_is_no_unicode_is_asked_for_as_java_writes_it() -> None:
    assert index_target("\ud800,b") == "/%3F,b"
