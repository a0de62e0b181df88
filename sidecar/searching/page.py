"""The body of one search line around its query: the page, the order, and what else is asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sidecar.errors import InvalidArgument
from sidecar.opensearch.client import SearchLine, Version
from sidecar.opensearch.points_in_time import cluster_id
from sidecar.searching.facets import facet_aggregations
from sidecar.searching.filter_values import Query
from sidecar.searching.search_plan import AskedSearch

SHARD_DOC_SINCE: Version = (3, 3, 0)
"""The first version in which a point in time numbers its documents for sorting."""

_BY_SCORE = {"_score": "desc"}
# Hits of one score come in the order in which they were written: the same on each copy of a shard and after merges,
# which Lucene's own numbers are not.
_BY_WRITE = {"_seq_no": "asc"}


def build_line(
    asked: AskedSearch, query: Query, *, source: Mapping[str, Any] | bool, size: int, start: int
) -> SearchLine:
    """The line that asks for ``size`` hits of the query from ``start`` on, in the order that the request wants.

    Raises: InvalidArgument for a point in time of another index, and for fields that can't be sorted by or counted.
    """
    options = asked.request.options
    body: dict[str, Any] = {
        "query": query,
        "size": size,
        "from": start,
        "_source": source,
        "track_total_hits": False,
        "sort": [*_order(options.sort, asked), _tie_break(asked)],
    }
    if options.sort:
        body["track_scores"] = True
    if options.min_score is not None:
        body["min_score"] = options.min_score
    if options.explain:
        body["explain"] = True
    aggregations = dict(options.aggregations or {}) | facet_aggregations(options.facets, asked.state.field_types)
    if aggregations:
        body["aggs"] = aggregations
    if options.search_after is not None:
        body["search_after"] = list(options.search_after)
    if options.point_in_time is None:
        return SearchLine(asked.state.name, body, options.routing)
    body["pit"] = {"id": cluster_id(asked.state, options.point_in_time)}
    return SearchLine(None, body)


def with_highlighted_words(line: SearchLine, options: Mapping[str, Any], fields: Sequence[str]) -> SearchLine:
    """The line, its hits with the pieces of text that have the query's words."""
    highlight = {"fields": {field: {} for field in fields}, **options}
    return SearchLine(line.index, {**line.body, "highlight": highlight}, line.routing)


def _order(sort: Sequence[Any], asked: AskedSearch) -> list[Any]:
    if not sort:
        return [_BY_SCORE]
    return [_sort_key(entry, asked.state.field_types) for entry in sort]


def _sort_key(entry: Any, types: Mapping[str, str]) -> dict[str, Any]:
    """One key of the order; texts are sorted by their whole value."""
    ((name, how),) = entry.items() if isinstance(entry, dict) else ((entry, {}),)
    if name == "_score":
        return {name: how or {"order": "desc"}}
    kind = types.get(name)
    if kind is None and "unmapped_type" not in how:
        raise InvalidArgument(f"sort: no document of the index has a field {name!r}")
    return {name + ".keyword" if kind == "text" else name: how}


def _tie_break(asked: AskedSearch) -> dict[str, Any]:
    if asked.request.options.point_in_time is None:
        return _BY_WRITE
    # Numbers of writes are a shard's own: of two shards' documents, one would be passed over between two pages.
    return {"_shard_doc" if asked.version >= SHARD_DOC_SINCE else "_id": "asc"}
