"""The parts of a search that change scores."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import WithJsonSchema

from sidecar.errors import InvalidArgument
from sidecar.indexing.names import check_field_name, shortened
from sidecar.searching.request import Boost, ScoreModifiers, SearchMethod

_LISTS = ("multiply_score_by", "add_to_score")
_MODIFIER_LIST: dict[str, Any] = {
    "type": "array",
    "minItems": 1,
    "items": {
        "type": "object",
        "properties": {"field_name": {"type": "string"}, "weight": {"type": "number", "default": 1}},
        "required": ["field_name"],
        "additionalProperties": False,
    },
}
BoostBody = Annotated[
    dict[str, Any] | None,
    WithJsonSchema(
        {
            "type": ["object", "null"],
            "additionalProperties": {"type": "array", "items": {"type": "number"}, "minItems": 1, "maxItems": 2},
        }
    ),
]
"""``boost`` as JSON, read by `parse_boost`."""
ModifiersBody = Annotated[
    dict[str, Any] | None,
    WithJsonSchema(
        {
            "type": ["object", "null"],
            "properties": dict.fromkeys(_LISTS, _MODIFIER_LIST),
            "minProperties": 1,
            "additionalProperties": False,
        }
    ),
]
"""``scoreModifiers`` as JSON, read by `parse_modifiers`."""


def parse_boost(
    boost: Mapping[str, Any] | None, *, method: SearchMethod, searchable: Sequence[str] | None
) -> dict[str, Boost]:
    """``{"field": [weight, bias]}``, where the bias may be left out.

    Raises: InvalidArgument, InvalidFieldName.
    """
    if boost is None:
        return {}
    if method is not SearchMethod.TENSOR:
        raise InvalidArgument(f"'boost' works with a tensor search only, not with {method.value}. Leave it out.")
    return {name: _boost(name, values, searchable) for name, values in boost.items()}


def _boost(name: str, values: Any, searchable: Sequence[str] | None) -> Boost:
    check_field_name(name)
    if not isinstance(values, list) or not 1 <= len(values) <= 2:
        raise InvalidArgument(f"boost.{name} must be a list of a weight and, if wanted, a bias, as [2.0, 0.5].")
    if searchable is not None and name not in searchable:
        raise InvalidArgument(f"boost.{name}: the field is not one of 'searchableAttributes', where it must be.")
    return Boost(*(parse_weight(f"boost.{name}", value) for value in values))


def parse_modifiers(key: str, modifiers: Mapping[str, Any] | None) -> ScoreModifiers | None:
    """``{"multiply_score_by": [{"field_name": …, "weight": 1}], "add_to_score": […]}``. Raises: InvalidArgument."""
    if modifiers is None:
        return None
    unknown = modifiers.keys() - set(_LISTS)
    if unknown:
        raise InvalidArgument(
            f"{key} has an unknown key {shortened(min(unknown))}; it may have {' and '.join(_LISTS)}."
        )
    if not modifiers:
        raise InvalidArgument(f"{key} is empty; it must have {' or '.join(_LISTS)}.")
    multiply, add = (_modifiers(f"{key}.{name}", modifiers[name]) if name in modifiers else () for name in _LISTS)
    return ScoreModifiers(multiply, add)


def _modifiers(place: str, entries: Any) -> tuple[tuple[str, float], ...]:
    if not isinstance(entries, list) or not entries:
        raise InvalidArgument(f"{place} must be a list of objects with 'field_name' and 'weight', at least one.")
    return tuple(_modifier(f"{place}[{number}]", entry) for number, entry in enumerate(entries))


def _modifier(place: str, entry: Any) -> tuple[str, float]:
    if not isinstance(entry, dict) or not isinstance(entry.get("field_name"), str):
        raise InvalidArgument(f"{place} must be an object with 'field_name', the name of a field of numbers.")
    unknown = entry.keys() - {"field_name", "weight"}
    if unknown:
        raise InvalidArgument(
            f"{place} has an unknown key {shortened(min(unknown))}; it may have field_name and weight."
        )
    if entry["field_name"] == "_id":
        raise InvalidArgument(f"{place}: '_id' is no field of numbers.")
    return entry["field_name"], parse_weight(f"{place}.weight", entry.get("weight", 1))


def parse_weight(name: str, value: Any) -> float:
    """A finite number. Raises: InvalidArgument."""
    if type(value) not in (int, float) or not math.isfinite(value):
        raise InvalidArgument(f"{name}: the weight must be a number; given: {shortened(value)}.")
    return float(value)
