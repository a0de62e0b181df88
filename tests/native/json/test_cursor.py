"""Answers read from front to back."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sidecar.native.json.cursor import Cursor
from sidecar.native.json.spans import NotJson

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20)


@settings(max_examples=50)
@given(value=st.dictionaries(st.text(), VALUES), is_ascii=st.booleans(), indent=st.sampled_from([None, 0, 2]))
def test_members_are_where_the_cursor_says(value: dict[str, Any], is_ascii: bool, indent: int | None) -> None:
    text = json.dumps(value, ensure_ascii=is_ascii, indent=indent).encode().decode("latin-1")
    cursor, found = Cursor(text), {}
    for _ in cursor.members():
        key, start = cursor.key_text, cursor.place
        cursor.value()
        found[_decoded(key)] = _decoded(text[start : cursor.place])
    assert found == value
    assert cursor.place == len(text)


@settings(max_examples=50)
@given(value=st.lists(VALUES))
def test_items_are_where_the_cursor_says(value: list[Any]) -> None:
    text = json.dumps(value)
    cursor, found = Cursor(text), []
    for _ in cursor.items():
        start = cursor.place
        cursor.value()
        found.append(json.loads(text[start : cursor.place]))
    assert found == value


def test_whole_numbers_of_any_length_are_read() -> None:
    assert Cursor("1" * 5000).value() == "1" * 5000


@pytest.mark.parametrize("text", ["", "[", "{", '{"a"}', '{"a":1', '{"a":1 "b":2}', "[1 2]", "x"])
def test_what_is_no_json_is_told(text: str) -> None:
    cursor = Cursor(text)
    with pytest.raises(NotJson):
        for _ in cursor.items() if text.startswith("[") else cursor.members():
            cursor.value()


def _decoded(text: str) -> Any:
    return json.loads(text.encode("latin-1"))
