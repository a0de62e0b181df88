"""The parameter ``filter_path``: which parts of an answer a client wants."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sidecar.native.json.spans import read
from sidecar.native.json.writing import Value, as_value, write
from sidecar.opensearch.wildcards import matches_wildcard

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
        """What is left of an answer: an empty object of one with nothing that is wanted.

        Lists and objects that are looked into, and have nothing then, are left out, even those that were empty before.
        """
        found: Value | None = value
        if self.kept:
            found = _keep(found, self.kept) if found is not None else None
        if self.left_out and found is not None:
            found = _leave_out(found, self.left_out)
        return {} if found is None else found


def filtered(data: bytes, filter_path: str) -> bytes:
    """The text of a JSON object with what is left of it by the parameter's value."""
    return write(FilterPath.parse(filter_path).apply(as_value(read(data), data)))


def _steps(name: str) -> Path:
    # A dot in a key is written with a backslash before it. Any depth below any depth is any depth.
    steps = [step.replace("\\.", ".") for step in re.split(r"(?<!\\)\.", name)]
    return tuple(step for step, before in zip(steps, ["", *steps], strict=False) if not step == before == _ANY_DEPTH)


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
        return items or None
    result: dict[str, Value] = {}
    for key, inner in value.items():
        further = _further(key, paths)
        found = None if () in further else _leave_out(inner, further) if further else inner
        if found is not None:
            result[key] = found
    return result or None


def _further(key: str, paths: Sequence[Path]) -> list[Path]:
    """What is left of the paths below a key, each once; an empty one is a path that ends there."""
    found: dict[Path, None] = {}
    for path in paths:
        if path[0] == _ANY_DEPTH:
            found |= dict.fromkeys([path, *_further(key, [path[1:]])] if len(path) > 1 else [()])
        elif matches_wildcard(path[0], key):
            found[path[1:]] = None
    return list(found)
