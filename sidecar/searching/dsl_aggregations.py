"""Aggregations and highlights in OpenSearch's own words: what may not stand in them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sidecar.errors import InvalidArgument
from sidecar.searching.dsl_filters import check_dsl_filter
from sidecar.searching.facets import FACET

_WITHIN = ("aggs", "aggregations")
_QUERIES = frozenset({"background_filter", "highlight_query"})
"""Keys whose values are queries."""


def check_aggregations(aggregations: Mapping[str, Any]) -> None:
    """Raises: InvalidArgument, with the place, for what runs a program, for a query that may not stand in a filter, and
    for names that are the facets'."""
    for name in aggregations:
        if name.startswith(FACET):
            raise InvalidArgument(f"aggregations: names that begin with {FACET!r} are those of facets: {name!r}")
    _check_named("aggregations", aggregations)


def check_highlights(options: Mapping[str, Any]) -> None:
    """Raises: InvalidArgument, with the place, for what runs a program, and for a query that may not stand in a
    filter."""
    _check_values("lexicalHighlights", options)


def _check_named(place: str, aggregations: Any) -> None:
    if not isinstance(aggregations, Mapping):
        raise InvalidArgument(f"{place} must be an object of aggregations by their names")
    for name, aggregation in aggregations.items():
        if not isinstance(aggregation, Mapping):
            raise InvalidArgument(f"{place}.{name} must be an object of one aggregation")
        for kind, body in aggregation.items():
            if kind in _WITHIN:
                _check_named(f"{place}.{name}.{kind}", body)
            elif kind != "meta":
                _check_one(kind, body, f"{place}.{name}.{kind}")


def _check_one(kind: str, body: Any, place: str) -> None:
    if kind == "filter":
        check_dsl_filter(body, place)
    elif kind in ("filters", "adjacency_matrix"):
        inner = body.get("filters") if isinstance(body, Mapping) else None
        named = inner if isinstance(inner, Mapping) else dict(enumerate(inner if isinstance(inner, list) else ()))
        for name, query in named.items():
            check_dsl_filter(query, f"{place}.filters[{name}]")
    elif "script" in kind or kind == "bucket_selector":
        raise InvalidArgument(f"{place}: an aggregation can't run a script")
    else:
        _check_values(place, body)


def _check_values(place: str, value: Any) -> None:
    if isinstance(value, list):
        for number, inner in enumerate(value):
            _check_values(f"{place}[{number}]", inner)
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            if "script" in key:
                raise InvalidArgument(f"{place}.{key}: a search can't run a script")
            if key in _QUERIES:
                check_dsl_filter(inner, f"{place}.{key}")
            else:
                _check_values(f"{place}.{key}", inner)
