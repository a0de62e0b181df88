"""The parameter ``filter_path``: the parts of an answer that its client wants, applied to an answer made here."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sidecar.native.json.spans import Array, Node, Object, read
from sidecar.native.json.writing import Value, as_value, write

_ANY_DEPTH = "**"
_SEGMENT = re.compile(r"(?:[^.\\]|\\.)+")
Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FilterPath:
    """The parameter's value, as `filtered` takes it, for answers that are not text yet."""

    paths: str

    @classmethod
    def parse(cls, text: str) -> FilterPath:
        """The parameter's value: paths with commas between, a leading minus for what is left out."""
        return cls(text)

    def apply(self, value: Value) -> Value:
        """What is left of an answer: an empty object of one with nothing that is wanted."""
        text = filtered(write(value), self.paths)
        return as_value(read(text), text)


def filtered(data: bytes, filter_path: str) -> bytes:
    """The text of a JSON object with the parts that ``filter_path`` names, and without those it names after a ``-``.

    Paths are separated by commas; ``*`` stands for any part of a name, ``**`` for names at any depth; lists count for
    nothing. An object or list of which nothing is left is left out.
    Source: `FilterPath` and `FilterPathBasedFilter` of OpenSearch.
    """
    given = [one.strip() for one in filter_path.split(",") if one.strip()]
    wanted = [_parsed(one) for one in given if not one.startswith("-")]
    unwanted = [_parsed(one[1:]) for one in given if one.startswith("-")]
    if wanted:
        data = _kept(data, read(data), wanted, is_wanted=True) or b"{}"
    if unwanted:
        data = _kept(data, read(data), unwanted, is_wanted=False) or b"{}"
    return data


def _parsed(path: str) -> Path:
    return tuple(segment.replace("\\.", ".") for segment in _SEGMENT.findall(path))


def _kept(data: bytes, node: Node, paths: Sequence[Path], *, is_wanted: bool) -> bytes | None:
    """What is left of a value; None for nothing. ``paths`` are what is left of them below it."""
    if isinstance(node, Object):
        members = []
        for member in node.members:
            below = _below(member.key, paths)
            if any(not path for path in below):
                kept = member.value.text(data) if is_wanted else None
            elif below:
                kept = _kept(data, member.value, below, is_wanted=is_wanted)
            else:
                kept = None if is_wanted else member.value.text(data)
            if kept is not None:
                members.append(data[member.key_start : member.key_end] + b":" + kept)
        return b"{" + b",".join(members) + b"}" if members else None
    if isinstance(node, Array):
        items = [_kept(data, item, paths, is_wanted=is_wanted) for item in node.items]
        left = [item for item in items if item is not None]
        return b"[" + b",".join(left) + b"]" if left else None
    return None if is_wanted else node.text(data)


def _below(key: str, paths: Iterable[Path]) -> list[Path]:
    """The paths that lead on through a key; an empty one ends there."""
    found: list[Path] = []
    for path in paths:
        rest = path
        if path[0] == _ANY_DEPTH:
            found.append(path)
            rest = path[1:]
        if not rest:
            return [()]
        if _fits(rest[0], key):
            found.append(rest[1:])
    return found


def _fits(pattern: str, key: str) -> bool:
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), key, re.DOTALL) is not None
