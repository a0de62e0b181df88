"""The target of a request line, read as OpenSearch reads it (its `RestUtils`), and never decoded twice."""

from __future__ import annotations

import re
from collections.abc import Iterator, Set
from urllib.parse import unquote_to_bytes

_NOT_PLAIN = re.compile(r"%(?![0-9A-Fa-f]{2})|[^\x21-\x7e]|#")
_SEPARATORS = re.compile("[&;]")


def is_plain(target: str) -> bool:
    """True where it means to everybody the same: no byte beyond ASCII, no broken escape, no fragment."""
    return _NOT_PLAIN.search(target) is None


def decoded(segment: str) -> str:
    """A segment of a path, decoded once; a plus is a plus. Raises: UnicodeDecodeError where it is not UTF-8."""
    return unquote_to_bytes(segment.encode("latin-1")).decode("utf-8")


def read_parameters(target: str) -> dict[str, str]:
    """The parameters, decoded: parted by ``&`` or ``;``, a plus is a space, one without a value is empty.

    Of one given twice the last counts.
    """
    return {_value(name): _value(value) for name, value in _pairs(target.partition("?")[2])}


def without_parameters(target: str, names: Set[str]) -> str:
    """The target without these parameters, the others as they were written."""
    path, mark, query = target.partition("?")
    kept = [f"{name}{sign}{value}" for name, sign, value in _triples(query) if _value(name) not in names]
    return f"{path}{mark if kept else ''}{'&'.join(kept)}"


def _pairs(query: str) -> Iterator[tuple[str, str]]:
    return ((name, value) for name, _, value in _triples(query) if name)


def _triples(query: str) -> Iterator[tuple[str, str, str]]:
    return (part.partition("=") for part in _SEPARATORS.split(query) if part)


def _value(text: str) -> str:
    return unquote_to_bytes(text.replace("+", " ").encode("latin-1")).decode("utf-8", "replace")
