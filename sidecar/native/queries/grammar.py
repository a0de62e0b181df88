"""Where queries stand in the bodies of searches, so that data that looks like a query is let alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from sidecar.native.json.spans import Array, Member, Node, Object, string_value

SEARCH: Final = "search"
"""The body of a search."""
QUERY: Final = "query"
"""A query itself: an object whose one key names its kind."""
QUERY_ONLY: Final = "query_only"
"""A body of which only the key ``query`` is one: of a count, an explanation, a deletion."""
COPY: Final = "copy"
"""The body of a copy from index to index (`_reindex`)."""
NEURAL: Final = "neural"
HYBRID: Final = "hybrid"

WRAPPED: Final = "hybrid query must be a top level query and cannot be wrapped into other queries"
"""Why a hybrid query inside of another query is refused."""
_ADDED = {NEURAL, HYBRID}


@dataclass(frozen=True, slots=True)
class Clause:
    """A ``neural`` or ``hybrid`` query: the member that it is, and the nested path in whose entries it searches."""

    member: Member
    nested: str | None


@dataclass(frozen=True, slots=True)
class _Place:
    """What an object holds: the places of its ``members`` by their keys, of all ``others``, and of a list's ``items``
    where a list is no list of such objects. Of a nested query, ``path`` is the key of its path."""

    members: Mapping[str, str] = field(default_factory=dict)
    others: str | None = None
    items: str | None = None
    path: str | None = None


_JOINED = _Place({"query": QUERY, "inner_hits": "hits"})
_VECTOR = _Place(others="filtered")
_AGGREGATIONS = {"aggs": "aggregations", "aggregations": "aggregations"}
_GRAMMAR: Final[Mapping[str, _Place]] = {
    SEARCH: _Place(
        {
            "query": QUERY,
            "post_filter": QUERY,
            "rescore": "rescore",
            "highlight": "highlight",
            "sort": "sort",
            "collapse": "collapse",
            **_AGGREGATIONS,
        }
    ),
    QUERY_ONLY: _Place({"query": QUERY}),
    COPY: _Place({"source": QUERY_ONLY}),
    QUERY: _Place(
        {
            "bool": "bool",
            "boosting": "boosting",
            "constant_score": "filtered",
            "dis_max": "dis_max",
            "function_score": "function_score",
            "script_score": QUERY_ONLY,
            "nested": "nested",
            "has_child": "joined",
            "has_parent": "joined",
            "knn": "vector",
            NEURAL: "vector",
            HYBRID: "hybrid",
        }
    ),
    "bool": _Place({"must": QUERY, "must_not": QUERY, "mustNot": QUERY, "should": QUERY, "filter": QUERY}),
    "boosting": _Place({"positive": QUERY, "negative": QUERY}),
    "dis_max": _Place({"queries": QUERY}),
    "function_score": _Place({"query": QUERY, "functions": "filtered"}),
    "nested": _Place(_JOINED.members, path="path"),
    "joined": _JOINED,
    "vector": _VECTOR,
    "filtered": _Place({"filter": QUERY}),
    "hybrid": _Place({"queries": QUERY, "filter": QUERY}),
    "hits": _Place({"highlight": "highlight", "sort": "sort", "collapse": "collapse"}),
    "collapse": _Place({"inner_hits": "hits"}),
    "rescore": _Place({"query": "rescore_query"}),
    "rescore_query": _Place({"rescore_query": QUERY}),
    "highlight": _Place({"highlight_query": QUERY, "fields": "highlight_fields"}),
    "highlight_fields": _Place(others="highlight_field"),
    "highlight_field": _Place({"highlight_query": QUERY}),
    "sort": _Place(others="sort_field"),
    "sort_field": _Place({"nested": "sort_nested"}),
    "sort_nested": _Place({"filter": QUERY, "nested": "sort_nested"}, path="path"),
    "aggregations": _Place(others="aggregation"),
    "aggregation": _Place(
        {
            "filter": QUERY,
            "filters": "filters",
            "adjacency_matrix": "filters",
            "significant_terms": "significant",
            "significant_text": "significant",
            "top_hits": "hits",
            **_AGGREGATIONS,
        }
    ),
    "filters": _Place({"filters": "named_queries"}),
    "named_queries": _Place(others=QUERY, items=QUERY),
    "significant": _Place({"background_filter": QUERY}),
}


def is_hybrid(root: Node) -> bool:
    """True for the body of a search whose query is ``hybrid``."""
    query = root.get("query") if isinstance(root, Object) else None
    return isinstance(query, Object) and query.get(HYBRID) is not None


def find_clauses(root: Node, place: str, data: bytes) -> list[Clause]:
    """The ``neural`` and ``hybrid`` queries of a value that stands at such a place, in the order of the text.

    One that is inside of another comes after it. Raises: NotJson for a path that is no text.
    """
    found: list[Clause] = []
    # A stack, not recursion: a text may be nested deeper than Python calls may be.
    waiting: list[tuple[Node, str, str | None]] = [(root, place, None)]
    while waiting:
        node, name, nested = waiting.pop()
        rule = _GRAMMAR[name]
        inner: list[tuple[Node, str, str | None]] = []
        if isinstance(node, Array):
            inner = [(item, rule.items or name, nested) for item in node.items]
        elif isinstance(node, Object):
            nested = _nested_path(node, name, nested, data)
            for member in node.members:
                if name == QUERY and member.key in _ADDED:
                    found.append(Clause(member, nested))
                next_name = rule.members.get(member.key, rule.others)
                if next_name is not None:
                    inner.append((member.value, next_name, nested))
        waiting += reversed(inner)
    return sorted(found, key=lambda clause: clause.member.key_start)


def _nested_path(node: Object, name: str, around: str | None, data: bytes) -> str | None:
    """The nested path in whose entries searches what stands in an object, by its own keys or those around it."""
    if name == "aggregation":
        if isinstance(nested := node.get("nested"), Object):
            return string_value(nested.get("path"), data) or around
        if isinstance(reverse := node.get("reverse_nested"), Object):
            return string_value(reverse.get("path"), data)
        return around
    if name == "joined":
        return None
    key = _GRAMMAR[name].path
    return around if key is None else string_value(node.get(key), data) or around
