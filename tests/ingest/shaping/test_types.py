"""Values of other types made of text."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.errors import InvalidArgument
from sidecar.ingest.shaping.types import CONVERSIONS, converted


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("int", " 12 ", 12),
        ("int", "-7", -7),
        ("int", "12.00", 12),
        ("int", 12.0, 12),
        ("int", True, 1),
        ("float", "1.5e3", 1500.0),
        ("float", ".5", 0.5),
        ("float", 3, 3.0),
        ("bool", "Yes", True),
        ("bool", "0", False),
        ("bool", 1, True),
        ("bool", False, False),
        ("json", '{"a": [1]}', {"a": [1]}),
        ("json", [1], [1]),
        ("list", "a, b,,c ", ["a", "b", "c"]),
        ("list", '["a, b", "c"]', ["a, b", "c"]),
        ("list", "", []),
        ("list", ["a"], ["a"]),
        ("str", 7, "7"),
        ("str", True, "true"),
        ("str", ["a", 1], '["a",1]'),
        ("str", "as it is", "as it is"),
    ],
)
def test_a_value_becomes_one_of_the_type(kind: str, value: Any, expected: Any) -> None:
    made = converted("field", kind, value)
    assert (made, type(made)) == (expected, type(expected))


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("int", "12.5"),
        ("int", "1_000"),
        ("int", 1.5),
        ("int", "twelve"),
        ("int", ["1"]),
        ("float", "nan"),
        ("float", "inf"),
        ("float", "1,5"),
        ("float", "1_0.0"),
        ("bool", "maybe"),
        ("bool", 2),
        ("bool", 0.0),
        ("json", "{"),
        ("list", 7),
        ("list", "[1"),
    ],
)
def test_what_is_none_of_the_type_is_told_with_field_and_value(kind: str, value: Any) -> None:
    with pytest.raises(InvalidArgument, match=rf"field 'pages' is .*, which is no {kind}: "):
        converted("pages", kind, value)


@given(st.integers())
def test_whole_numbers_come_back_from_their_text(number: int) -> None:
    assert converted("n", "int", str(number)) == number


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_come_back_from_their_text(number: float) -> None:
    assert converted("n", "float", repr(number)) == number


@given(st.sampled_from(sorted(CONVERSIONS)), st.text() | st.none() | st.floats() | st.lists(st.none()))
def test_anything_is_of_the_type_or_refused_and_stays_what_it_became(kind: str, value: Any) -> None:
    try:
        made = converted("field", kind, value)
    except InvalidArgument:
        return
    if kind != "json":
        assert repr(converted("field", kind, made)) == repr(made)
