"""JSON by its byte ranges: the same values as other readers find, and nothing lost in cutting and putting together."""

from __future__ import annotations

import json
from typing import Any

from sidecar.errors import OpenSearchError
from sidecar.native.json.cursor import Cursor
from sidecar.native.json.edits import apply
from sidecar.native.json.filter_path import filtered
from sidecar.native.json.layout import laid_out, on_one_line
from sidecar.native.json.removal import without_members
from sidecar.native.json.spans import Array, Node, NotJson, Object, read
from sidecar.native.json.writing import as_value, write
from sidecar.opensearch.decoding import check_search, decode_object, objects, read_as

DEEPEST = 100
"""Within which Python's own reader, and recursion, get along."""
SEEDS = [
    b'{"a":1,"b":[1,2.5e3,-0],"c":{"d":"x","e":[null,true,{"f":[]}]}}',
    b'{"a" /* one */ : // two\n [ "\\ud83d\\ude00", "\\ud800", NaN, -Infinity ] }',
    b'{"took":1,"hits":{"total":{"value":1},"hits":[{"_id":"1","_score":1.0,"_source":{"a":"b"}}]}}',
    b'{"items":[{"index":{"_id":"1","status":201}}],"errors":false,"took":1}',
    b'[[[[{"a":{"a":{"a":1}}}]]]]',
    b"/**//**/ 1 /**/",
]
_PATHS = ("**.a", "a,-*.b", "hits.*.h*s._s*", "**.*.**", "-**.d")


def check(data: bytes) -> None:
    """Read one text in every way."""
    for part in ({}, {"index": "x"}):
        _check_answer(data, part)
    expected = _expected(data)
    try:
        root = read(data)
    except NotJson:
        assert expected is None, "good JSON is refused"
        return
    assert root.text(data).strip() == root.text(data)
    if _depth(data) <= DEEPEST:
        _check_values(root, data, expected)


def _check_values(root: Node, data: bytes, expected: Any) -> None:
    _check_ranges(root, data)
    if expected is None:
        return
    assert _same(_rebuilt(root, data), expected[0])
    line = on_one_line(data)
    assert b"\n" not in line
    assert _same(json.loads(line), expected[0])
    assert _same(json.loads(laid_out(data)), expected[0])
    assert _same(json.loads(write(as_value(root, data))), expected[0])
    if isinstance(root, Object):
        kept = {key: value for key, value in expected[0].items() if key != "a"}
        assert _same(json.loads(apply(data, without_members(root, {"a"}))), kept)
        for path in _PATHS:
            json.loads(filtered(data, path))
    cursor = Cursor(data.decode("latin-1"))
    cursor.value()
    cursor.skip_blanks()
    assert cursor.place == len(data)


def _check_answer(data: bytes, part: dict[str, Any]) -> None:
    """The cluster's answers: an object, or the one error."""
    try:
        answer = {**decode_object(data), **part}
        with read_as("a search"):
            check_search(answer)
        with read_as("a bulk"):
            objects(answer, "items", 1)
    except OpenSearchError as error:
        assert error.message


def _expected(data: bytes) -> tuple[Any] | None:
    """What Python's own reader finds; None where it finds no JSON, which may be some to OpenSearch."""
    try:
        return (json.loads(data.decode()),)
    except (ValueError, RecursionError):
        return None


def _same(one: Any, other: Any) -> bool:
    """True for equal values of the same types; NaN is NaN."""
    return repr(one) == repr(other)


def _rebuilt(node: Node, data: bytes) -> Any:
    if isinstance(node, Object):
        return {key: _rebuilt(value, data) for key, value in node.items()}
    return [_rebuilt(item, data) for item in node.items] if isinstance(node, Array) else node.value(data)


def _check_ranges(node: Node, data: bytes) -> None:
    """Values stand in their parents, in order and apart."""
    inner: list[tuple[int, Node]] = []
    if isinstance(node, Object):
        inner = [(member.key_start, member.value) for member in node.members]
    elif isinstance(node, Array):
        inner = [(item.start, item) for item in node.items]
    place = node.start + bool(inner)
    for start, value in inner:
        assert place <= start <= value.start < value.end <= node.end
        place = value.end
        _check_ranges(value, data)


def _depth(data: bytes) -> int:
    return data.count(b"[") + data.count(b"{")
