"""Filters of both kinds, strings and OpenSearch's own queries."""

from __future__ import annotations

from sidecar.searching.dsl_filters import check_dsl_filter
from sidecar.searching.filter_values import Query
from sidecar.searching.filters import FieldTypes, build_filter
from sidecar.searching.request import Filter


def filter_query(given: Filter, field_types: FieldTypes) -> Query:
    """The OpenSearch query of a filter. Raises: InvalidArgument."""
    return build_filter(given, field_types) if isinstance(given, str) else check_dsl_filter(given)
