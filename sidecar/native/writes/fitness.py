"""What OpenSearch refuses of documents that are nearly JSON; seen on 3.5.0."""

from __future__ import annotations

import re
from collections.abc import Iterator

import orjson

from sidecar.native.json.spans import Array, Node, Object

# Control characters, and escapes that there are not.
_UNFIT_IN_STRINGS = re.compile(rb'[\x00-\x1f]|\\(?!["\\/bfnrt]|u[0-9a-fA-F]{4})')
_UNFIT_NUMBERS = (b"N", b"I", b"+I", b"-I")


def may_be_stored(node: Node, data: bytes) -> bool:
    """False for a value that the cluster refuses as soon as it reads it: for keys that stand in an object twice, or for
    what its JSON parser is stricter about than `read`.

    Such a document goes as it is: the cluster's error names the column.
    """
    objects = [one for one in _values(node) if isinstance(one, Object)]
    if any(len({member.key for member in one.members}) < len(one.members) for one in objects):
        return False
    try:
        orjson.loads(data[node.start : node.end])
    except orjson.JSONDecodeError:
        # Comments and unpaired surrogates, which the cluster takes, are refused too.
        return not any(_is_unfit(text) for text in _texts(node, data))
    return True


def _values(node: Node) -> Iterator[Node]:
    waiting = [node]
    while waiting:
        one = waiting.pop()
        yield one
        if isinstance(one, Object):
            waiting += [member.value for member in one.members]
        elif isinstance(one, Array):
            waiting += one.items


def _texts(node: Node, data: bytes) -> Iterator[bytes]:
    for one in _values(node):
        if isinstance(one, Object):
            yield from (data[member.key_start : member.key_end] for member in one.members)
        elif not isinstance(one, Array):
            yield one.text(data)


def _is_unfit(text: bytes) -> bool:
    if text.startswith(b'"'):
        return _UNFIT_IN_STRINGS.search(text) is not None
    return text.startswith(_UNFIT_NUMBERS)
