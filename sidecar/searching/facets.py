"""Facets: which values the hits' fields have, and how often."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sidecar.errors import InvalidArgument
from sidecar.searching.filter_values import is_number

FACET = "facet:"
"""Begins the names of the aggregations of facets, beside those of the client's own. A number follows, for names of
fields have characters that names of aggregations can't have."""


def facet_aggregations(facets: Mapping[str, int], field_types: Mapping[str, str]) -> dict[str, Any]:
    """The aggregations that count the values of fields of strings and booleans, and sum numbers and dates up.

    Raises: InvalidArgument for a field that no document has, or whose values can't be counted.
    """
    return {
        f"{FACET}{number}": _aggregation(name, size, field_types) for number, (name, size) in enumerate(facets.items())
    }


def read_facets(aggregations: Mapping[str, Any], facets: Mapping[str, int]) -> dict[str, Any]:
    """What an answer says of the facets: ``{"color": {"values": [{"value": "red", "count": 2}], "others": 0}}``, and of
    numbers ``{"count": 3, "min": 1.0, "max": 5.0, "avg": 2.0, "sum": 6.0}``."""
    return {name: _facet(aggregations[f"{FACET}{number}"]) for number, name in enumerate(facets)}


def without_facets(aggregations: Mapping[str, Any]) -> dict[str, Any]:
    """The aggregations that the client itself asked for."""
    return {name: value for name, value in aggregations.items() if not name.startswith(FACET)}


def _aggregation(name: str, size: int, types: Mapping[str, str]) -> dict[str, Any]:
    kind = types.get(name)
    if kind is None:
        raise InvalidArgument(f"facets: no document of the index has a field {name!r}")
    if kind in ("text", "keyword", "boolean"):
        return {"terms": {"field": name + ".keyword" if kind == "text" else name, "size": size}}
    if is_number(kind) or kind == "date":
        return {"stats": {"field": name}}
    raise InvalidArgument(f"facets: field {name!r} is of type {kind}, whose values can't be counted")


def _facet(answer: Mapping[str, Any]) -> dict[str, Any]:
    if "buckets" not in answer:
        return dict(answer)
    values = [{"value": _value(bucket), "count": bucket["doc_count"]} for bucket in answer["buckets"]]
    return {"values": values, "others": answer.get("sum_other_doc_count", 0)}


def _value(bucket: Mapping[str, Any]) -> Any:
    # Of booleans the key is 0 or 1, and has its own spelling beside it; of strings there is the key alone.
    return bucket["key_as_string"] == "true" if "key_as_string" in bucket else bucket["key"]
