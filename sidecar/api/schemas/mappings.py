"""The mappings of an add request: which fields may be objects, and what of."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Annotated, Any

from pydantic import WithJsonSchema

from sidecar.errors import InvalidArgument, InvalidFieldName
from sidecar.indexing.names import check_field_name
from sidecar.indexing.requests import CustomVector, FieldMapping, MultimodalCombination

MappingsBody = Annotated[
    dict[str, Any] | None,
    WithJsonSchema(
        {
            "type": ["object", "null"],
            "additionalProperties": {
                "anyOf": [
                    {
                        "type": "object",
                        "properties": {
                            "type": {"const": "multimodal_combination"},
                            "weights": {"type": "object", "additionalProperties": {"type": "number"}},
                        },
                        "required": ["type", "weights"],
                        "additionalProperties": False,
                    },
                    {
                        "type": "object",
                        "properties": {"type": {"const": "custom_vector"}},
                        "required": ["type"],
                        "additionalProperties": False,
                    },
                ]
            },
        }
    ),
]
"""``mappings`` as JSON, read by `parse_mappings`."""


def parse_mappings(value: Mapping[str, Any] | None) -> dict[str, FieldMapping]:
    """Field -> what its objects are. Raises: InvalidArgument, InvalidFieldName, naming the field and the rule."""
    return {name: _parse_mapping(name, mapping) for name, mapping in (value or {}).items()}


def _parse_mapping(name: str, mapping: Any) -> FieldMapping:
    if check_field_name(name) == "_id":
        raise InvalidFieldName("mappings: '_id' can't be mapped.")
    kind = mapping.get("type") if isinstance(mapping, dict) else None
    if not isinstance(mapping, dict) or not isinstance(kind, str) or kind not in _PARSERS:
        raise InvalidArgument(
            f"mappings: field {name!r} must be an object whose 'type' is one of {', '.join(_PARSERS)}."
        )
    keys, parse = _PARSERS[kind]
    unknown = [key for key in mapping if key not in keys]
    if unknown:
        raise InvalidArgument(
            f"mappings: field {name!r} has the key {unknown[0]!r}, unknown to {kind}. Known: {', '.join(keys)}."
        )
    return parse(name, mapping)


def _parse_combination(name: str, mapping: dict[str, Any]) -> MultimodalCombination:
    weights = mapping.get("weights")
    if not isinstance(weights, dict):
        raise InvalidArgument(f"mappings: field {name!r} needs 'weights', an object of sub-fields and numbers.")
    for sub, weight in weights.items():
        check_field_name(sub)
        is_number = isinstance(weight, (int, float)) and not isinstance(weight, bool)
        if not is_number or not math.isfinite(weight):
            raise InvalidArgument(f"mappings: field {name!r}: the weight of {sub!r} must be a number.")
    return MultimodalCombination({sub: float(weight) for sub, weight in weights.items()})


def _parse_custom_vector(name: str, mapping: dict[str, Any]) -> CustomVector:
    return CustomVector()


_PARSERS: dict[str, tuple[tuple[str, ...], Callable[[str, dict[str, Any]], FieldMapping]]] = {
    "multimodal_combination": (("type", "weights"), _parse_combination),
    "custom_vector": (("type",), _parse_custom_vector),
}
"""Type of a mapping -> the keys it knows, and what reads it."""
