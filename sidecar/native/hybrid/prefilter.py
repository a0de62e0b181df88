"""The ``filter`` of a hybrid query, which each of its queries is to have."""

from __future__ import annotations

from typing import Final

from sidecar.native.hybrid.request import HybridRequest
from sidecar.native.json.edits import Edit, cut
from sidecar.native.json.spans import Object

_WITH_FILTER: Final = ("knn", "neural")
"""Kinds of queries whose field has a filter of its own."""


def push_filter(data: bytes, root: Object, request: HybridRequest) -> bytes | None:
    """The text of a body with the filter in each of the queries, and no longer beside them; None where there is none.

    The filter of a ``knn`` or ``neural`` query is the queries' own (it chooses among all vectors, not among the nearest
    ones); any other query is wrapped into a ``bool``. Source: `HybridQueryBuilder.filter` and what it calls.
    """
    if request.filter is None:
        return None
    wanted = request.filter.text(data)
    queries = b",".join(_filtered(data, query, wanted) for query in request.queries)
    others = [
        data[member.key_start : member.value.end]
        for member in request.query.members
        if member.key not in {"filter", "queries"}
    ]
    text = b'{"queries":[' + queries + b"]" + b"".join(b"," + other for other in others) + b"}"
    return cut(data, [Edit(request.query.start, request.query.end, text)], root.start, root.end)


def _filtered(data: bytes, query: Object, wanted: bytes) -> bytes:
    edit = _inner(data, query, wanted)
    if edit is None:
        return _both(query.text(data), wanted)
    return cut(data, [edit], query.start, query.end)


def _inner(data: bytes, query: Object, wanted: bytes) -> Edit | None:
    """The change by which a query's own filter is also ``wanted``; None where it can have none."""
    field = next((node for key, node in query.items() if key in _WITH_FILTER), None)
    values = (node for _, node in field.items()) if isinstance(field, Object) else ()
    parameters = next((node for node in values if isinstance(node, Object)), None)
    if parameters is None:
        return None
    own = parameters.get("filter")
    if own is not None:
        return Edit(own.start, own.end, _both(own.text(data), wanted))
    comma = b"," if parameters.members else b""
    return Edit(parameters.end - 1, parameters.end - 1, comma + b'"filter":' + wanted)


def _both(query: bytes, wanted: bytes) -> bytes:
    return b'{"bool":{"must":[' + query + b'],"filter":[' + wanted + b"]}}"
