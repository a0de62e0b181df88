"""The lines of a bulk body: which action stands where. Only metadata lines are read; sources stay unread."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import orjson

from sidecar.native.json.spans import Node, NotJson, Token, tokens

BOM: Final = b"\xef\xbb\xbf"
DELETE: Final = "delete"
UPDATE: Final = "update"
WITH_SOURCE: Final = frozenset({"index", "create", UPDATE})
_ACTIONS: Final = WITH_SOURCE | {DELETE}
_READ: Final = ("_index", "_id", "routing", "pipeline")
"""The keys whose values matter here; the cluster knows more, and refuses the others."""
_BLANK: Final = frozenset(b" \t\r\n")


@dataclass(frozen=True, slots=True)
class Action:
    """One action. It stands in ``body[start:end]``, the last line break included, and its source, where it has one, in
    ``body[source_start:source_end]``. Keys that the metadata line does not have are None."""

    name: str
    start: int
    end: int
    source_start: int
    source_end: int
    index: str | None = None
    document_id: str | None = None
    routing: str | None = None
    pipeline: str | None = None

    @property
    def has_source(self) -> bool:
        """False for a delete."""
        return self.name != DELETE


class OddBody(ValueError):
    """A body that the cluster refuses as a whole, or that nobody here can read."""


def read_actions(body: bytes) -> list[Action]:
    """The actions of a bulk body, in order. Raises: OddBody.

    As OpenSearch has it (`BulkRequestParser`): blank lines before an action count for nothing, whatever follows a
    metadata object on its line is ignored, and so is a last action without a source.
    """
    actions: list[Action] = []
    seen: dict[bytes, tuple[str, dict[str, str | None]]] = {}
    start, size = 0, len(body)
    while start < size:
        end = _line_end(body, start)
        line = body[start:end]
        known = seen.get(line)
        if known is None:
            if _is_blank(line):
                start = end
                continue
            known = _metadata(line)
            if known[1]["_id"] is None:
                seen[line] = known
        name, values = known
        source_start = source_end = end
        if name != DELETE:
            if end >= size:
                break
            source_end = _line_end(body, end) - 1
            end = source_end + 1
            if source_end > source_start and body[source_end - 1] == 0x0D:
                source_end -= 1
        actions.append(Action(name, start, end, source_start, source_end, *values.values()))
        start = end
    return actions


def _line_end(body: bytes, start: int) -> int:
    """The place behind the line's break."""
    found = body.find(b"\n", start)
    if found < 0:
        raise OddBody("the last line has no line break")
    return found + 1


def _is_blank(line: bytes) -> bool:
    if line[0] not in _BLANK and line[:1] != b"/" and line[:3] != BOM:
        return False
    try:
        return next(tokens(line.removeprefix(BOM))).kind == "end"
    except NotJson:
        return False


def _metadata(line: bytes) -> tuple[str, dict[str, str | None]]:
    try:
        parsed = orjson.loads(line)
        ((name, values),) = parsed.items()
        read = {key: values.get(key) for key in _READ}
        is_plain = all(value is None or isinstance(value, str) for value in read.values())
    except (ValueError, AttributeError):
        is_plain = False
    if not is_plain:
        name, read = _unusual_metadata(line)
    if name not in _ACTIONS:
        raise OddBody(f"no action {name!r}")
    return name, read


def _unusual_metadata(line: bytes) -> tuple[str, dict[str, str | None]]:
    """A line that is no JSON, or has numbers for names: read token by token, to where the cluster stops reading."""
    text = line.removeprefix(BOM)
    try:
        found = tokens(text)
        _expect(_next(found), text, b"{")
        name = _key(_next(found), text)
        _expect(_next(found), text, b":")
        _expect(_next(found), text, b"{")
        read: dict[str, str | None] = dict.fromkeys(_READ)
        for key, value in _members(found, text):
            if key in read:
                read[key] = value
    except NotJson as error:
        raise OddBody(str(error)) from error
    return name, read


def _next(found: Iterator[Token]) -> Token:
    """The next token. Raises: NotJson where the line ends before it."""
    token = next(found)
    if token.kind == "end":
        raise NotJson(f"the line ends too soon, at byte {token.start}")
    return token


def _members(found: Iterator[Token], text: bytes) -> Iterator[tuple[str, str | None]]:
    token = _next(found)
    while not _is(token, text, b"}"):
        key = _key(token, text)
        _expect(_next(found), text, b":")
        token = _next(found)
        if token.kind == "mark":
            _skip_object(token, found, text)
        yield key, _as_text(token, text)
        token = _next(found)
        if _is(token, text, b","):
            token = _next(found)
            if _is(token, text, b"}"):
                raise NotJson("a comma before the end")


def _skip_object(token: Token, found: Iterator[Token], text: bytes) -> None:
    """Pass over the object that has begun: a filter of sources."""
    _expect(token, text, b"{")
    depth = 1
    while depth:
        token = _next(found)
        depth += _is(token, text, b"{") - _is(token, text, b"}")


def _as_text(token: Token, text: bytes) -> str | None:
    """A scalar as the cluster reads a name: numbers as they are written."""
    written = text[token.start : token.end]
    if token.kind == "string":
        value: Any = Node(token.start, token.end).value(text)
        return str(value)
    return None if written == b"null" or token.kind != "scalar" else written.decode("ascii", "replace")


def _key(token: Token, text: bytes) -> str:
    if token.kind != "string":
        raise NotJson(f"a key is missing at byte {token.start}")
    return str(Node(token.start, token.end).value(text))


def _expect(token: Token, text: bytes, mark: bytes) -> None:
    if not _is(token, text, mark):
        raise NotJson(f"{mark.decode()} is missing at byte {token.start}")


def _is(token: Token, text: bytes, mark: bytes) -> bool:
    return token.kind == "mark" and text[token.start : token.end] == mark
