"""Queries in OpenSearch's own words, as filters: which of its queries may stand in one."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

from sidecar.errors import InvalidArgument
from sidecar.searching.filter_values import Query

MAX_DEPTH = 50
"""Queries within one another."""

LEAVES = frozenset(
    {
        *("term", "terms", "range", "exists", "ids", "prefix", "wildcard", "regexp", "fuzzy", "terms_set"),
        *("match", "match_phrase", "match_phrase_prefix", "match_bool_prefix", "multi_match", "match_all"),
        *("match_none", "geo_distance", "geo_bounding_box", "geo_polygon", "simple_query_string", "query_string"),
    }
)
"""Queries of fields and values."""
_LISTS = {"bool": frozenset({"must", "filter", "should", "must_not"}), "dis_max": frozenset({"queries"})}
_SINGLES = {
    "constant_score": frozenset({"filter"}),
    "boosting": frozenset({"positive", "negative"}),
    "nested": frozenset({"query"}),
}
_OTHER_KEYS = {
    "bool": frozenset({"minimum_should_match", "adjust_pure_negative"}),
    "dis_max": frozenset({"tie_breaker"}),
    "constant_score": frozenset[str](),
    "boosting": frozenset({"negative_boost"}),
    "nested": frozenset({"path", "score_mode", "ignore_unmapped"}),
}
"""Queries of queries, with the keys that hold a list of queries or a single one, and the others that they may have: one
that is not known here could hide a query. Other queries are refused: those that read other indexes or run programs,
and those whose words can't be looked at (wrapper)."""
_EVERYWHERE = frozenset({"boost", "_name"})


def check_dsl_filter(query: Any, place: str = "filter") -> Query:
    """The query as it was given; it stands as one whole in the filter of the search.

    Raises: InvalidArgument, with the place, for a query that may not stand in a filter, and for `terms` that are to be
    looked up in another document.
    """
    _check(query, place, 0)
    return dict(query)


def _check(query: Any, place: str, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise InvalidArgument(f"{place[:100]}… has more than {MAX_DEPTH} queries within one another")
    if not isinstance(query, Mapping) or len(query) != 1:
        raise InvalidArgument(f'{place} must be an object of one query, as {{"term": {{"color": "red"}}}}')
    ((kind, body),) = query.items()
    if kind in LEAVES:
        _check_leaf(kind, body, f"{place}.{kind}")
    elif kind in _OTHER_KEYS:
        _check_compound(kind, body, f"{place}.{kind}", depth)
    else:
        queries = sorted(LEAVES | _OTHER_KEYS.keys())
        near = difflib.get_close_matches(kind, queries, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        known = ", ".join(queries)
        raise InvalidArgument(f"{place}: a filter can't have a query {kind!r}; it may have: {known}.{hint}")


def _check_leaf(kind: str, body: Any, place: str) -> None:
    if not isinstance(body, Mapping):
        raise InvalidArgument(f"{place} must be an object")
    if kind == "terms" and any(isinstance(values, Mapping) for values in body.values()):
        raise InvalidArgument(f"{place} must list its values; they can't be looked up in another document")
    if kind == "terms_set" and any(
        isinstance(how, Mapping) and "minimum_should_match_script" in how for how in body.values()
    ):
        raise InvalidArgument(f"{place}: a filter can't run a script; give minimum_should_match_field")


def _check_compound(kind: str, body: Any, place: str, depth: int) -> None:
    if not isinstance(body, Mapping):
        raise InvalidArgument(f"{place} must be an object")
    lists, singles = _LISTS.get(kind, frozenset()), _SINGLES.get(kind, frozenset())
    known = lists | singles | _OTHER_KEYS[kind] | _EVERYWHERE
    if unknown := body.keys() - known:
        raise InvalidArgument(f"{place} has an unknown key {min(unknown)!r}; it may have: {', '.join(sorted(known))}")
    for part in sorted(lists & body.keys()):
        inner = body[part]
        for number, query in enumerate(inner if isinstance(inner, list) else [inner]):
            _check(query, f"{place}.{part}[{number}]", depth + 1)
    for part in sorted(singles):
        _check(body.get(part), f"{place}.{part}", depth + 1)
