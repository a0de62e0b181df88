"""JSON text put together anew of values whose own text stays as it is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import orjson

from sidecar.native.json.spans import Array, Node, NotJson, Object

Value = dict[str, "Value"] | list["Value"] | bytes
"""An object, a list, or the text of anything else."""
MAX_DEPTH = 200
"""Of what is put together anew: pipelines and settings of fields, never documents."""
_INDENT = b"  "


def as_value(node: Node, data: bytes, depth: int = MAX_DEPTH) -> Value:
    """The value of a node. Of a key that stands in an object several times, the last counts.

    Raises: NotJson where it is nested deeper than ``depth``.
    """
    if not depth:
        raise NotJson(f"nested deeper than {MAX_DEPTH}")
    if isinstance(node, Object):
        return {key: as_value(value, data, depth - 1) for key, value in node.items()}
    if isinstance(node, Array):
        return [as_value(item, data, depth - 1) for item in node.items]
    text = node.text(data)
    if not text.startswith(b"["):
        return text
    # A list of plain numbers has nothing but blanks and commas between them.
    return [number.strip() for number in text[1:-1].split(b",")]


def write(value: Value, *, pretty: bool = False) -> bytes:
    """The text of a value; with ``pretty`` indented, and ended by a newline, as OpenSearch does that."""
    return b"".join(_pretty(value, b"\n")) + b"\n" if pretty else b"".join(_compact(value))


def plain(value: Value) -> Any:
    """The value decoded; put together anew first, since comments are blanks to OpenSearch and nothing to decoders.

    Raises: NotJson.
    """
    text = write(value)
    return Node(0, len(text)).value(text)


def json_text(value: Any) -> bytes:
    """A value as JSON text; whole numbers of any length stay what they are, unpaired surrogates are escapes."""
    try:
        return orjson.dumps(value)
    except TypeError:
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "backslashreplace")


def quoted(text: str) -> bytes:
    """A string as JSON text; unpaired surrogates as escapes, for they are no UTF-8."""
    return json_text(text)


def _compact(value: Value) -> Iterator[bytes]:
    if isinstance(value, bytes):
        yield value
        return
    is_object = isinstance(value, dict)
    yield b"{" if is_object else b"["
    for number, (key, inner) in enumerate(_entries(value)):
        yield (b"," if number else b"") + (quoted(key) + b":" if key is not None else b"")
        yield from _compact(inner)
    yield b"}" if is_object else b"]"


def _pretty(value: Value, newline: bytes) -> Iterator[bytes]:
    if isinstance(value, bytes):
        yield value
        return
    is_object = isinstance(value, dict)
    if not value:
        yield b"{ }" if is_object else b"[ ]"
        return
    deeper = newline + _INDENT
    yield b"{" if is_object else b"["
    for number, (key, inner) in enumerate(_entries(value)):
        yield (b"," if number else b"") + deeper + (quoted(key) + b" : " if key is not None else b"")
        yield from _pretty(inner, deeper)
    yield newline + (b"}" if is_object else b"]")


def _entries(value: dict[str, Value] | list[Value]) -> Iterator[tuple[str | None, Value]]:
    if isinstance(value, dict):
        yield from value.items()
    else:
        yield from ((None, item) for item in value)
