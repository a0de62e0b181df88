"""Values inside a record, by their names with dots."""

from __future__ import annotations

from typing import Any

MISSING = object()
"""What stands for no value; None is one."""


def value_at(document: dict[str, Any], path: str) -> Any:
    """The value of a name, or of one inside objects where no field has the whole name; `MISSING` where there is
    none."""
    if path in document:
        return document[path]
    name, dot, rest = path.partition(".")
    inner = document.get(name)
    return value_at(inner, rest) if dot and isinstance(inner, dict) else MISSING


def without(document: dict[str, Any], path: str) -> dict[str, Any]:
    """A document without that value, and without the objects that are empty then; the one given stays as it is."""
    if path in document:
        return {name: value for name, value in document.items() if name != path}
    name, dot, rest = path.partition(".")
    inner = document.get(name)
    if not dot or not isinstance(inner, dict):
        return document
    left = without(inner, rest)
    if left:
        return {**document, name: left}
    return {other: value for other, value in document.items() if other != name}
