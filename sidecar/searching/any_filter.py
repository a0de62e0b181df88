"""Filters of both kinds, strings and OpenSearch's own queries."""

from __future__ import annotations

from sidecar.errors import InvalidArgument
from sidecar.searching.dsl_filters import check_dsl_filter
from sidecar.searching.filter_errors import filter_error
from sidecar.searching.filter_syntax import parse_filter
from sidecar.searching.filter_values import Query
from sidecar.searching.filter_work import patterns
from sidecar.searching.filters import FieldTypes, build_filter
from sidecar.searching.request import Filter


def filter_query(given: Filter, field_types: FieldTypes) -> Query:
    """The OpenSearch query of a filter. Raises: InvalidArgument."""
    return build_filter(given, field_types) if isinstance(given, str) else check_dsl_filter(given)


def refused_filter(given: Filter, reason: str) -> InvalidArgument:
    """What to tell a client whose filter the cluster has refused. In a string it is one of the patterns: where?"""
    columns = [pattern.position + 1 for pattern in patterns(parse_filter(given))] if isinstance(given, str) else []
    if not columns:
        return InvalidArgument(f"the filter {given!r} can't be searched with: {reason}")
    others = ", ".join(map(str, columns[1:6]))
    which = f"this pattern, or one at column {others}" if others else "this pattern"
    return filter_error(columns[0] - 1, f"{which}, can't be searched with: {reason}")
