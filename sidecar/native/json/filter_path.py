<<<<<<< HEAD
"""The parameter ``filter_path``: the parts of an answer that its client wants, applied to an answer made here."""
=======
"""The parameter ``filter_path``: which parts of an answer a client wants."""
>>>>>>> plugin

from __future__ import annotations

import re
<<<<<<< HEAD
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
=======
from collections.abc import Sequence
from dataclasses import dataclass

from sidecar.native.json.writing import Value

_ANY_DEPTH = "**"
Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FilterPath:
    """The paths that are kept, and those that are left out; all is kept where none is named to be."""

    kept: tuple[Path, ...]
    left_out: tuple[Path, ...]

    @classmethod
    def parse(cls, text: str) -> FilterPath:
        """The parameter's value: paths with commas between, a leading minus for what is left out."""
        names = [name.strip() for name in text.split(",") if name.strip()]
        return cls(
            tuple(_steps(name) for name in names if not name.startswith("-")),
            tuple(_steps(name[1:]) for name in names if name.startswith("-")),
        )

    def apply(self, value: Value) -> Value:
        """What is left of an answer: an empty object of one with nothing that is wanted."""
        found: Value | None = value
        if self.kept:
            found = _keep(found, self.kept) if found is not None else None
        if self.left_out and found is not None:
            found = _leave_out(found, self.left_out)
        return {} if found is None else found


def _steps(name: str) -> Path:
    # A dot in a key is written with a backslash before it.
    return tuple(step.replace("\\.", ".") for step in re.split(r"(?<!\\)\.", name))


def _keep(value: Value, paths: Sequence[Path]) -> Value | None:
    if isinstance(value, bytes):
        return None
    if isinstance(value, list):
        items = [found for item in value if (found := _keep(item, paths)) is not None]
        return items or None
    result: dict[str, Value] = {}
    for key, inner in value.items():
        further = _further(key, paths)
        found = inner if () in further else _keep(inner, further) if further else None
        if found is not None:
            result[key] = found
    return result or None


def _leave_out(value: Value, paths: Sequence[Path]) -> Value | None:
    if isinstance(value, bytes):
        return value
    if isinstance(value, list):
        items = [found for item in value if (found := _leave_out(item, paths)) is not None]
        return items if items or not value else None
    result: dict[str, Value] = {}
    for key, inner in value.items():
        further = _further(key, paths)
        found = None if () in further else _leave_out(inner, further) if further else inner
        if found is not None:
            result[key] = found
    return result if result or not value else None


def _further(key: str, paths: Sequence[Path]) -> list[Path]:
    """What is left of the paths below a key; an empty one is a path that ends there."""
    found: list[Path] = []
    for path in paths:
        if path[0] == _ANY_DEPTH:
            found += [path, *_further(key, [path[1:]])] if len(path) > 1 else [()]
        elif _matches(path[0], key):
            found.append(path[1:])
    return found


def _matches(step: str, key: str) -> bool:
    return re.fullmatch(re.escape(step).replace(r"\*", ".*"), key, re.DOTALL) is not None
>>>>>>> plugin
