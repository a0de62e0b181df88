"""What OpenSearch refuses of documents that are nearly JSON; seen on 3.5.0."""

from __future__ import annotations

import re
from collections.abc import Iterator

import orjson

from sidecar.native.json.spans import Node, Object

# Control characters, and escapes that there are not.
_UNFIT_IN_STRINGS = re.compile(rb'[\x00-\x1f]|\\(?!["\\/bfnrt]|u[0-9a-fA-F]{4})')
_UNFIT_NUMBERS = (b"N", b"I", b"+I", b"-I")


def may_be_stored(node: Node, data: bytes) -> bool:
    """False for a value that the cluster refuses as soon as it reads it: for keys that stand in an object twice, or for
    what its JSON parser is stricter about than `read`.

    Such a document goes as it is: the cluster's error names the column.
    """
    for one in _values(node):
        if isinstance(one, Object) and one.has_doubles:
            return False
    try:
        orjson.loads(data[node.start : node.end])
    except orjson.JSONDecodeError:
        # Comments and unpaired surrogates, which the cluster takes, are refused too.
        return not any(_is_unfit(text) for text in _texts(node, data))
    return True


def _values(node: Node) -> Iterator[Node]:
    """A value, and all objects and lists in it."""
    waiting: list[Node] = [node]
    while waiting:
        one = waiting.pop()
        yield one
        inner = [member.value for member in one.members] if isinstance(one, Object) else getattr(one, "items", ())
        waiting += [value for value in inner if type(value) is not Node]


def _texts(node: Node, data: bytes) -> Iterator[bytes]:
    """The texts of all keys, and of all values that are neither objects nor lists."""
    for one in _values(node):
        inner = [member.value for member in one.members] if isinstance(one, Object) else getattr(one, "items", ())
        yield from (value.text(data) for value in inner if type(value) is Node)
        if isinstance(one, Object):
            yield from (data[member.key_start : member.key_end] for member in one.members)


def _is_unfit(text: bytes) -> bool:
    if text.startswith(b'"'):
        return _UNFIT_IN_STRINGS.search(text) is not None
    return text.startswith(_UNFIT_NUMBERS)
