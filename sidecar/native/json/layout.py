"""JSON text on one line, or laid out for people; its values' own texts stay as they are."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sidecar.native.json.spans import COMMENT, STRING

_BREAK = re.compile(rb"(" + STRING + rb")|" + COMMENT + rb"|[\r\n]", re.DOTALL)
_TOKEN = re.compile(STRING + rb'|[{}\[\],:]|[^\s{}\[\],:"]+', re.DOTALL)
_INDENT = b"  "


def on_one_line(data: bytes) -> bytes:
    """The text without line breaks and comments outside of its strings, as a line of NDJSON must be."""
    if b"\n" not in data and b"\r" not in data and b"/*" not in data:
        return data
    return _BREAK.sub(lambda found: found[1] or b" ", data)


def laid_out(data: bytes) -> bytes:
    """The text as OpenSearch writes it with the parameter ``pretty``, with a line break at its end."""
    return b"".join(_pieces(data)) + b"\n"


def _pieces(data: bytes) -> Iterator[bytes]:
    depth = 0
    before = b""
    for found in _TOKEN.finditer(data):
        token = found[0]
        if token in {b"}", b"]"}:
            depth -= 1
            yield b" " if before in {b"{", b"["} else b"\n" + _INDENT * depth
        elif before in {b"{", b"[", b","}:
            yield b"\n" + _INDENT * depth
        yield b" : " if token == b":" else token
        if token in {b"{", b"["}:
            depth += 1
        before = token
