"""Where each value of a JSON text begins and ends, by its bytes.

Reads what OpenSearch reads: comments are blanks, keys may repeat. Values are not decoded until somebody asks for one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import orjson

_KEYS_REMEMBERED = 4096
MAX_DEPTH = 1000
"""Of nesting, as OpenSearch has it."""

COMMENT = rb"(?:/\*[^*]*\*+(?:[^/*][^*]*\*+)*/|//[^\r\n]*(?:[\r\n]|\Z))"
_SPACE = rb"[ \t\r\n]*"
# There is one way to match any text by these, so that no text can have the pattern try more than one.
_BLANK = _SPACE + rb"(?:" + COMMENT + _SPACE + rb")*"
STRING = rb'"[^"\\]*(?:\\.[^"\\]*)*"'
_NUMBER = rb"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?"
_LONG_NUMBER = re.compile(rb"[0-9]{19}")
# A vector is one token: its numbers are nobody's business here.
_NUMBERS = rb"\[[ \t\r\n]*" + _NUMBER + rb"(?:[ \t\r\n]*,[ \t\r\n]*" + _NUMBER + rb")*[ \t\r\n]*\]"
_SCALAR = rb"true|false|null|NaN|[-+]?Infinity|" + _NUMBER
_VALUE = rb"(?:(?P<string>" + STRING + rb")|(?P<numbers>" + _NUMBERS + rb")|(?P<scalar>" + _SCALAR + rb"))"
_TOKEN = re.compile(_BLANK + rb"(?:" + _VALUE + rb"|(?P<mark>[{}\[\],:])|(?P<end>\Z))", re.DOTALL)
# A member of an object in one piece, where no comment stands in it: most of a document is such.
_MEMBER = rb"(?P<key>" + STRING + rb")" + _SPACE + rb":" + _SPACE + rb"(?:" + _VALUE + rb"|(?P<mark>[{\[]))"
_FIRST_MEMBER = re.compile(_SPACE + _MEMBER, re.DOTALL)
_NEXT_MEMBER = re.compile(_SPACE + rb"," + _SPACE + _MEMBER, re.DOTALL)


class NotJson(ValueError):
    """The text is no JSON, or more of it than one value."""


@dataclass(slots=True)
class Node:
    """A value: a string, a number, true, false, null, or a list of plain numbers."""

    start: int
    end: int

    def text(self, data: bytes) -> bytes:
        """The value's own bytes."""
        return data[self.start : self.end]

    def value(self, data: bytes) -> Any:
        """The value, decoded; unpaired surrogates stay as they are. Raises: NotJson."""
        text = self.text(data)
        # Of whole numbers of more than 64 bits orjson makes floats.
        if text.startswith(b'"') or _LONG_NUMBER.search(text) is None:
            with suppress(orjson.JSONDecodeError):
                return orjson.loads(text)
        try:
            return json.loads(text.decode("utf-8", "surrogatepass"), strict=False)
        except ValueError as error:
            raise NotJson(str(error)) from error


@dataclass(slots=True)
class Member:
    """A key of an object and its value; the key's range has the quotes."""

    key: str
    key_start: int
    key_end: int
    value: Node


@dataclass(slots=True)
class Object(Node):
    """An object; a key may stand in it several times."""

    members: list[Member] = field(default_factory=list)

    def get(self, key: str) -> Node | None:
        """The value of a key; the last, where there are several."""
        return next((member.value for member in reversed(self.members) if member.key == key), None)

    def member(self, key: str) -> Member | None:
        """The last member of that key."""
        return next((member for member in reversed(self.members) if member.key == key), None)

    def items(self) -> Iterator[tuple[str, Node]]:
        """Keys and values in their order."""
        return ((member.key, member.value) for member in self.members)

    @property
    def has_doubles(self) -> bool:
        """True where a key stands in it twice, which OpenSearch refuses."""
        return len({member.key for member in self.members}) < len(self.members)


@dataclass(slots=True)
class Array(Node):
    """A list that is not of numbers only."""

    items: list[Node] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of JSON text: ``kind`` is ``string``, ``numbers`` (a list of them), ``scalar``, ``mark`` or ``end``."""

    kind: str
    start: int
    end: int


def tokens(data: bytes) -> Iterator[Token]:
    """The tokens of a text, whatever their order, with the end as the last. Raises: NotJson where there is none."""
    reader = _Reader(data, 0, len(data))
    while True:
        kind, (start, end) = reader.next_token()
        yield Token(kind, start, end)
        if kind == "end":
            return


def read(data: bytes, start: int = 0, end: int | None = None) -> Node:
    """The one value that stands in ``data[start:end]``; all its ranges count from the start of ``data``.

    Raises: NotJson where there is none, more than one, or too deep a nesting.
    """
    return _Reader(data, start, len(data) if end is None else end).read()


def read_object(data: bytes, start: int = 0, end: int | None = None) -> Object | None:
    """As `read`, for an object; None where anything else stands there."""
    try:
        root = read(data, start, end)
    except NotJson:
        return None
    return root if isinstance(root, Object) else None


def string_value(node: Node | None, data: bytes) -> str | None:
    """The value of a node that is a string; None for any other, and for none. Raises: NotJson."""
    value = None if node is None or isinstance(node, (Object, Array)) else node.value(data)
    return value if isinstance(value, str) else None


class _Reader:
    def __init__(self, data: bytes, start: int, end: int) -> None:
        self._data = data
        self._place = start
        self._end = end

    def read(self) -> Node:
        kind, token = self.next_token()
        root = self._value(kind, token)
        open_nodes: list[Object | Array] = [root] if self._is_open(kind, root) else []
        while open_nodes:
            if len(open_nodes) > MAX_DEPTH:
                raise NotJson(f"nested deeper than {MAX_DEPTH}")
            node = open_nodes[-1]
            opened = self._plain_members(node) if isinstance(node, Object) else None
            if opened is None:
                self._step(open_nodes)
            else:
                open_nodes.append(opened)
        if self.next_token()[0] != "end":
            raise NotJson(f"more than one value, from byte {self._place} on")
        result: Node = root
        return result

    def _plain_members(self, node: Object) -> Object | Array | None:
        """Read members as long as each is one match; returns the value that one of them opens, or None."""
        data, end, members = self._data, self._end, node.members
        pattern = _NEXT_MEMBER if members else _FIRST_MEMBER
        while (found := pattern.match(data, self._place, end)) is not None:
            key_start, key_end = found.span("key")
            key = _key(data[key_start:key_end])
            self._place = place = found.end()
            if found.lastgroup == "mark":
                opened = (Object if data[place - 1] == _OPEN_OBJECT else Array)(place - 1, place)
                members.append(Member(key, key_start, key_end, opened))
                return opened
            members.append(Member(key, key_start, key_end, Node(found.start(found.lastindex or 0), place)))
            pattern = _NEXT_MEMBER
        return None

    def _step(self, open_nodes: list[Object | Array]) -> None:
        """Read the next member or item of the innermost open value, or its end."""
        node = open_nodes[-1]
        is_object = isinstance(node, Object)
        is_first = not (node.members if isinstance(node, Object) else node.items)
        kind, token = self.next_token()
        if kind == "mark" and self._data[token[0]] == (_CLOSE_OBJECT if is_object else _CLOSE_ARRAY):
            node.end = token[1]
            open_nodes.pop()
            return
        if not is_first:
            if kind != "mark" or self._data[token[0]] != _COMMA:
                raise NotJson(f"a comma is missing at byte {token[0]}")
            kind, token = self.next_token()
        key: tuple[int, int] | None = None
        if is_object:
            if kind != "string":
                raise NotJson(f"a key is missing at byte {token[0]}")
            key = token
            kind, token = self.next_token()
            if kind != "mark" or self._data[token[0]] != _COLON:
                raise NotJson(f"a colon is missing at byte {token[0]}")
            kind, token = self.next_token()
        value = self._value(kind, token)
        if isinstance(node, Object):
            assert key is not None
            node.members.append(Member(_key(self._data[key[0] : key[1]]), *key, value))
        else:
            node.items.append(value)
        if self._is_open(kind, value):
            open_nodes.append(value)

    def _value(self, kind: str, token: tuple[int, int]) -> Any:
        if kind in {"string", "scalar", "numbers"}:
            return Node(*token)
        if kind == "mark" and self._data[token[0]] == _OPEN_OBJECT:
            return Object(*token)
        if kind == "mark" and self._data[token[0]] == _OPEN_ARRAY:
            return Array(*token)
        raise NotJson(f"a value is missing at byte {token[0]}")

    def _is_open(self, kind: str, node: Node) -> bool:
        return kind == "mark" and isinstance(node, (Object, Array))

    def next_token(self) -> tuple[str, tuple[int, int]]:
        """The next token's kind and range; none but ``end`` at the end. Raises: NotJson."""
        found = _TOKEN.match(self._data, self._place, self._end)
        if found is None or found.lastgroup is None:
            raise NotJson(f"no JSON at byte {self._place}")
        self._place = found.end()
        return found.lastgroup, found.span(found.lastgroup)


@lru_cache(_KEYS_REMEMBERED)
def _key(quoted: bytes) -> str:
    """A key decoded; documents of one kind have the same ones."""
    return str(Node(0, len(quoted)).value(quoted))


_OPEN_OBJECT, _CLOSE_OBJECT, _OPEN_ARRAY, _CLOSE_ARRAY, _COMMA, _COLON = b"{}[],:"
