"""The line at the end of a pipeline's description, there and back."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sidecar.native.declarations.description import KeptProcessor, line_of, split_description, with_line
from sidecar.native.json.spans import NotJson, read
from sidecar.native.json.writing import Value, as_value, write
from tests.native.json.test_spans import SCALARS

# What UTF-8 can say: other text is no text of a pipeline.
_TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
_VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=4)
_PLACES = st.integers(min_value=0, max_value=99)


def _value(value: Any) -> Value:
    data = json.dumps(value).encode()
    return as_value(read(data), data)


@settings(max_examples=60, deadline=None)
@given(
    description=st.none() | _TEXTS | st.just("#sidecar {}") | st.just("a\n#sidecar {}\n"),
    settings=st.lists(st.dictionaries(st.text(), _VALUES, max_size=2), min_size=1, max_size=3),
    places=st.lists(_PLACES, min_size=3, max_size=3),
)
def test_what_is_kept_comes_back(description: str | None, settings: list[dict[str, Any]], places: list[int]) -> None:
    kept = {"processors": [KeptProcessor(at, {"x": _value(one)}) for at, one in zip(places, settings, strict=False)]}
    line = line_of(kept)
    assert "\n" not in line
    assert split_description(with_line(description, line)) == (description, kept)


@given(text=st.text())
def test_other_descriptions_keep_nothing(text: str) -> None:
    assert split_description(text) is None


@pytest.mark.parametrize(
    "line",
    [
        "",
        "{",
        "[]",
        "{}",
        '{"processors":[]}x',
        '{"processors":[{"text_embedding":{}}]}',
        '{"processors":[{"at":"0","text_embedding":{}}]}',
        '{"processors":[{"at":-1,"text_embedding":{}}]}',
        '{"processors":[{"at":0}]}',
        '{"processors":[1]}',
        '{"processors":[{"at":0,"a":{},"b":{}}]}',
    ],
)
def test_lines_of_anothers_making_keep_nothing(line: str) -> None:
    assert split_description(f"mine\n#sidecar {line}") is None


def test_control_characters_make_no_line() -> None:
    with pytest.raises(NotJson):
        line_of({"processors": [KeptProcessor(0, {"x": b'"a\nb"'})]})


def test_only_the_last_line_is_taken_off() -> None:
    inner = line_of({"processors": [KeptProcessor(0, {"a": b"1"})]})
    outer = line_of({"processors": [KeptProcessor(1, {"b": b"2"})]})
    split = split_description(with_line(with_line("mine", inner), outer))
    assert split is not None
    assert split[0] == with_line("mine", inner)
    assert write(dict(split[1]["processors"][0].value)) == b'{"b":2}'
