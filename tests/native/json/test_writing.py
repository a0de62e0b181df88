"""JSON put together anew, against the json library and OpenSearch's own indentation."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from sidecar.native.json.edits import apply
from sidecar.native.json.removal import without_items, without_members
from sidecar.native.json.spans import Array, Object, read
from sidecar.native.json.writing import as_value, quoted, write
from tests.fix_opensearch import request
from tests.native.json.test_spans import SCALARS

_VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=6)


@settings(deadline=None)
@given(value=_VALUES, indent=st.sampled_from([None, 0, 2]), is_pretty=st.booleans())
def test_a_value_stays_what_it_is(value: Any, indent: int | None, is_pretty: bool) -> None:
    data = json.dumps(value, indent=indent).encode()
    text = write(as_value(read(data), data), pretty=is_pretty)
    assert json.loads(text) == value
    if not is_pretty:
        assert text == json.dumps(value, separators=(",", ":"), ensure_ascii=True).encode() or not text.isascii()


@given(text=st.text())
def test_quoted_text_is_the_text(text: str) -> None:
    assert json.loads(quoted(text)) == text


def test_texts_of_scalars_are_kept() -> None:
    data = b'{"a": 1e3, "b": [ 1.50 , -0 ], "c": "\\u00e9", "d": [ {} , [ ] ]}'
    assert write(as_value(read(data), data)) == b'{"a":1e3,"b":[1.50,-0],"c":"\\u00e9","d":[{},[]]}'


def test_indentation_is_that_of_opensearch(node: str) -> None:
    _, pretty = request(node, "GET", "/_nodes?pretty&filter_path=nodes.*.roles,nodes.*.settings,nodes.*.plugins")
    _, compact = request(node, "GET", "/_nodes?filter_path=nodes.*.roles,nodes.*.settings,nodes.*.plugins")
    data = compact.encode()
    assert write(as_value(read(data), data), pretty=True).decode() == pretty


@settings(max_examples=60, deadline=None)
@given(items=st.lists(_VALUES, max_size=6), places=st.sets(st.integers(min_value=0, max_value=5)), space=st.booleans())
def test_items_are_taken_out_of_lists(items: list[Any], places: set[int], space: bool) -> None:
    data = json.dumps([*items, {}], indent=1 if space else None).encode()
    array = read(data)
    assert isinstance(array, Array)
    left = [item for place, item in enumerate([*items, {}]) if place not in places]
    assert json.loads(apply(data, without_items(array, places))) == left


@settings(max_examples=60, deadline=None)
@given(value=st.dictionaries(st.sampled_from("abcdef"), _VALUES), keys=st.sets(st.sampled_from("abcdef")))
def test_members_are_taken_out_of_objects(value: dict[str, Any], keys: set[str]) -> None:
    data = json.dumps(value).encode()
    node = read(data)
    assert isinstance(node, Object)
    left = {key: inner for key, inner in value.items() if key not in keys}
    assert json.loads(apply(data, without_members(node, keys))) == left
