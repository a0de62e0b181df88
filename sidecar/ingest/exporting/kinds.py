"""What the values of a column are, so that one type holds them all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from sidecar.native.json.writing import json_text

_INTEGERS = range(-(2**63), 2**63)
_EXACT_AS_FLOATS = range(-(2**53), 2**53 + 1)
_DECIMALS = ("float", "double", "half_float", "scaled_float")


class SchemaTooNarrow(Exception):
    """Values came that the columns of a table, as it was begun, can't hold."""


class Scalar(str, Enum):
    """A kind of plain values. ``LARGE`` are whole numbers that no decimal holds exactly; ``JSON`` is what no other type
    holds: each value is written as its JSON text."""

    NOTHING = "nothing"
    BOOLEAN = "boolean"
    WHOLE = "whole"
    LARGE = "large"
    DECIMAL = "decimal"
    TEXT = "text"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class ListOf:
    """Lists of one kind."""

    items: Kind


@dataclass(frozen=True, slots=True)
class Record:
    """Objects, whose members have kinds of their own."""

    members: Mapping[str, Kind] = field(default_factory=dict)


Kind = Scalar | ListOf | Record
_BY_TYPE = dict.fromkeys(("byte", "short", "integer", "long"), Scalar.WHOLE)
_BY_TYPE |= dict.fromkeys(_DECIMALS, Scalar.DECIMAL) | {"boolean": Scalar.BOOLEAN}


_WIDER = {
    frozenset({Scalar.WHOLE, Scalar.LARGE}): Scalar.LARGE,
    frozenset({Scalar.WHOLE, Scalar.DECIMAL}): Scalar.DECIMAL,
}


def kind_of(value: Any) -> Kind:
    """The kind of one decoded value."""
    if isinstance(value, list):
        items: Kind = Scalar.NOTHING
        for item in value:
            items = merged(items, kind_of(item))
        return ListOf(items)
    if isinstance(value, dict):
        # A column can have no object without members.
        return Record({key: kind_of(inner) for key, inner in value.items()}) if value else Scalar.JSON
    return _kind_of_number(value) if type(value) is int else _kind_of_plain(value)


def _kind_of_number(number: int) -> Kind:
    if number in _EXACT_AS_FLOATS:
        return Scalar.WHOLE
    return Scalar.LARGE if number in _INTEGERS else Scalar.JSON


def _kind_of_plain(value: str | float | bool | None) -> Kind:
    if isinstance(value, str):
        return Scalar.TEXT if _is_utf8(value) else Scalar.JSON
    if value is None:
        return Scalar.NOTHING
    return Scalar.BOOLEAN if isinstance(value, bool) else Scalar.DECIMAL


def merged(one: Kind, other: Kind) -> Kind:
    """The narrowest kind that holds the values of both."""
    if one == other or other is Scalar.NOTHING:
        return one
    if one is Scalar.NOTHING:
        return other
    if isinstance(one, ListOf) and isinstance(other, ListOf):
        return ListOf(merged(one.items, other.items))
    if isinstance(one, Record) and isinstance(other, Record):
        keys = dict.fromkeys([*one.members, *other.members])
        nothing = Scalar.NOTHING
        return Record({key: merged(one.members.get(key, nothing), other.members.get(key, nothing)) for key in keys})
    if isinstance(one, Scalar) and isinstance(other, Scalar):
        return _WIDER.get(frozenset({one, other}), Scalar.JSON)
    return Scalar.JSON


def kind_of_mapping(field: Mapping[str, Any]) -> Kind:
    """What a field of the mapping tells of its values before any is seen: only whether whole numbers are decimals; a
    number may stand in a text field, and a list in any."""
    return Scalar.DECIMAL if field.get("type") in _DECIMALS else Scalar.NOTHING


def kind_without_values(field: Mapping[str, Any]) -> Kind:
    """The kind of a mapped field that has no value in any document."""
    return _BY_TYPE.get(str(field.get("type")), Scalar.NOTHING)


def has_json(kind: Kind) -> bool:
    """True where any of it is written as JSON text."""
    if isinstance(kind, ListOf):
        return has_json(kind.items)
    if isinstance(kind, Record):
        return any(map(has_json, kind.members.values()))
    return kind is Scalar.JSON


def as_kind(value: Any, kind: Kind) -> Any:
    """A value of that kind with JSON text where it is written so; null stays null."""
    if value is None:
        return None
    if kind is Scalar.JSON:
        return json_text(value).decode()
    if isinstance(kind, ListOf):
        return [as_kind(item, kind.items) for item in value]
    if isinstance(kind, Record):
        return {key: as_kind(value.get(key), inner) for key, inner in kind.members.items()}
    return value


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
