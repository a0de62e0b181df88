"""Byte ranges of JSON values, against the json library."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.native.json.edits import Edit, apply
from sidecar.native.json.spans import Array, Node, NotJson, Object, read

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20)
BLANKS = st.sampled_from(["", " ", "\n\t ", "/* a comment */", "// one {\n"])


def rebuilt(node: Node, data: bytes) -> Any:
    """The value, put together from the nodes."""
    if isinstance(node, Object):
        return {key: rebuilt(value, data) for key, value in node.items()}
    if isinstance(node, Array):
        return [rebuilt(item, data) for item in node.items]
    return node.value(data)


@given(value=VALUES, is_ascii=st.booleans(), indent=st.sampled_from([None, 0, 2]))
def test_nodes_give_the_values_of_the_json_library(value: Any, is_ascii: bool, indent: int | None) -> None:
    data = json.dumps(value, ensure_ascii=is_ascii, indent=indent).encode("utf-8", "surrogatepass")
    node = read(data)
    assert (node.start, node.end) == (0, len(data))
    assert rebuilt(node, data) == json.loads(data)


@given(value=VALUES, before=BLANKS, after=BLANKS)
def test_blanks_and_comments_are_outside_of_values(value: Any, before: str, after: str) -> None:
    data = f'{before}{{{after}"key"{before}:{after}{json.dumps(value)}{before}}}{after}'.encode()
    node = read(data)
    assert isinstance(node, Object)
    member = node.members[0]
    assert (member.key, data[member.key_start : member.key_end]) == ("key", b'"key"')
    assert json.loads(member.value.text(data)) == value


@given(value=VALUES, cut=st.integers(min_value=0), junk=st.binary(max_size=3))
def test_anything_else_is_refused(value: Any, cut: int, junk: bytes) -> None:
    data = json.dumps(value).encode()
    place = cut % (len(data) + 1)
    broken = data[:place] + junk + data[place:]
    try:
        expected = json.loads(broken)
    except ValueError:
        expected = None
    try:
        node = read(broken)
        assert rebuilt(node, broken) == expected or expected is None
    except NotJson:
        assert expected is None


def test_repeated_keys_are_all_there_and_the_last_counts() -> None:
    data = b'{"a":1,"a":[1,"b",{}],"v":[0.1, -2e5]}'
    node = read(data)
    assert isinstance(node, Object)
    assert [key for key, _ in node.items()] == ["a", "a", "v"]
    assert isinstance(node.get("a"), Array)
    vector = node.get("v")
    assert vector is not None
    assert vector.value(data) == [0.1, -2e5]


def test_whole_numbers_of_any_length_stay_whole() -> None:
    data = b"[-9223372036854775809, [18446744073709551616], 1e19]"
    assert rebuilt(read(data), data) == [-9223372036854775809, [18446744073709551616], 1e19]


def test_unpaired_surrogates_are_values() -> None:
    data = rb'["\ud800", 1.50]'
    node = read(data)
    assert isinstance(node, Array)
    assert [item.value(data) for item in node.items] == ["\ud800", 1.5]


def test_a_part_of_a_text_is_read_with_the_places_of_the_whole() -> None:
    data = b'{"index":{}}\n{"a":"b"}\n'
    node = read(data, 13, len(data))
    assert isinstance(node, Object)
    assert node.members[0].value.text(data) == b'"b"'


@pytest.mark.parametrize("depth", [1001, 100_000])
def test_too_deep_a_nesting_is_refused(depth: int) -> None:
    with pytest.raises(NotJson, match="nested deeper"):
        read(b"[" * depth + b"]" * depth)


def test_edits_are_places_of_the_text_as_it_was() -> None:
    edits = [Edit(5, 5, b"X"), Edit(0, 1, b"AB"), Edit(5, 5, b"Y")]
    assert apply(b"abcdefg", edits) == b"ABbcdeXYfg"
    with pytest.raises(ValueError, match="overlap"):
        apply(b"abc", [Edit(0, 2, b""), Edit(1, 2, b"")])


@pytest.mark.parametrize("piece", [" ", "\n \t", "/**/", "/* * */", "// one\n", "// / \r", "/**/ // x\n "])
@pytest.mark.parametrize("end", ["x", "'", "/*"])
def test_what_stands_behind_many_blanks_and_remarks_is_seen_at_once(piece: str, end: str) -> None:
    began = time.process_time()
    with pytest.raises(NotJson):
        read(f'{{"a":1,{piece * 20_000}{end}'.encode())
    assert time.process_time() - began < 1.0


@pytest.mark.parametrize("line_break", ["\n", "\r", "\r\n"])
def test_a_remark_ends_with_its_line(line_break: str) -> None:
    data = f'{{ // "b":1,{line_break}"a":1}}'.encode()
    node = read(data)
    assert isinstance(node, Object)
    assert [member.key for member in node.members] == ["a"]
