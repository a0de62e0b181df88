"""A search whose query is ``hybrid``, as its client wrote it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from sidecar.native.errors import ILLEGAL_ARGUMENT, PARSING, Refused
from sidecar.native.hybrid.parameters import SearchParameters
from sidecar.native.json.spans import Array, Node, NotJson, Object
from sidecar.native.queries.grammar import HYBRID, WRAPPED

MAX_QUERIES: Final = 5
DEFAULT_SIZE: Final = 10
_UNSUPPORTED: Final = ("sort", "search_after", "collapse", "rescore")
_NOTHING: Final[tuple[Any, ...]] = (None, [], {})
_DFS: Final = "dfs_query_then_fetch"


@dataclass(frozen=True, slots=True)
class HybridRequest:
    """``first`` and ``size`` are the page; ``depth`` is how many hits of each sub-query are looked at."""

    query: Object
    queries: tuple[Object, ...]
    filter: Object | None
    name: str | None
    first: int
    size: int
    depth: int
    min_score: float | None


def read_hybrid(root: Object, data: bytes, parameters: SearchParameters) -> HybridRequest:
    """The request of a body, for which `is_hybrid` holds, and of the URL's parameters.

    Raises: Refused with the texts of the neural-search plugin, and for what no hybrid search can have.
    """
    query = root.get("query")
    assert isinstance(query, Object)
    hybrid = query.get(HYBRID)
    if not isinstance(hybrid, Object):
        raise Refused(PARSING, f"[{HYBRID}] query malformed, no start_object after query name")
    if len(query.members) > 1:
        raise Refused(PARSING, f"[{HYBRID}] malformed query, expected [END_OBJECT] but found [FIELD_NAME]")
    _check_keys(hybrid, data)
    _check_search(root, data, parameters)
    first = _count(root, data, parameters, "from") or 0
    size = _count(root, data, parameters, "size")
    size = DEFAULT_SIZE if size is None else size
    filter_node = hybrid.get("filter")
    name = hybrid.get("_name")
    least = root.get("min_score")
    return HybridRequest(
        query=hybrid,
        queries=tuple(_queries(hybrid)),
        filter=filter_node if isinstance(filter_node, Object) else None,
        name=None if name is None else str(name.value(data)),
        first=first,
        size=size,
        depth=max(_depth(hybrid, data), first + size),
        min_score=None if least is None else _number(least, data, "min_score"),
    )


def _check_keys(hybrid: Object, data: bytes) -> None:
    for key, node in hybrid.items():
        is_open = isinstance(node, (Object, Array)) or data[node.start : node.start + 1] == b"["
        if key == "queries" or (key == "filter" and isinstance(node, Object)):
            continue
        if key == "filter":
            raise Refused(PARSING, f"[{HYBRID}] query's [filter] field must be a query object")
        if is_open or key not in {"boost", "_name", "pagination_depth"}:
            raise Refused(PARSING, f"Field is not supported by [{HYBRID}] query")
        if key == "boost" and _number(node, data, key) != 1.0:
            raise Refused(PARSING, f"[{HYBRID}] query does not support [boost]")


def _check_search(root: Object, data: bytes, parameters: SearchParameters) -> None:
    for problem in _problems(root, data, parameters):
        raise Refused(ILLEGAL_ARGUMENT, problem)


def _problems(root: Object, data: bytes, parameters: SearchParameters) -> Iterator[str]:
    for key in _UNSUPPORTED:
        node = root.get(key)
        if node is not None and node.value(data) not in _NOTHING:
            yield f"[{HYBRID}] query does not support [{key}]"
    explain = root.get("explain")
    if parameters.body.get("explain") or (explain is not None and explain.value(data) in (True, "true")):
        yield f"[{HYBRID}] query does not support [explain]"
    for name in parameters.refused:
        yield (
            "Scroll operation is not supported in hybrid query"
            if name == "scroll"
            else f"[{HYBRID}] query does not support [{name}]"
        )
    if parameters.search_type == _DFS:
        yield f"[{HYBRID}] query does not support [search_type] of [{_DFS}]"


def _queries(hybrid: Object) -> Iterator[Object]:
    given = hybrid.get("queries")
    items = given.items if isinstance(given, Array) else [] if given is None else [given]
    if not items:
        raise Refused(PARSING, f"[{HYBRID}] requires 'queries' field with at least one clause")
    if len(items) > MAX_QUERIES:
        raise Refused(PARSING, f"Number of sub-queries exceeds maximum supported by [{HYBRID}] query")
    for item in items:
        if not isinstance(item, Object):
            raise Refused(PARSING, "[_na] query malformed, must start with start_object")
        if item.get(HYBRID) is not None:
            raise Refused(ILLEGAL_ARGUMENT, WRAPPED)
        yield item


def _depth(hybrid: Object, data: bytes) -> int:
    node = hybrid.get("pagination_depth")
    if node is None:
        return 0
    depth = _whole(_value(node, data), "pagination_depth")
    if depth < 1:
        raise Refused(ILLEGAL_ARGUMENT, "pagination_depth should be greater than 0")
    return depth


def _count(root: Object, data: bytes, parameters: SearchParameters, key: str) -> int | None:
    node = root.get(key)
    if key in parameters.body:
        count = _whole(parameters.body[key], key)
    elif node is not None:
        count = _whole(_value(node, data), key)
    else:
        return None
    if count < 0:
        raise Refused(ILLEGAL_ARGUMENT, f"[{key}] parameter cannot be negative, found [{count}]")
    return count


def _value(node: Node, data: bytes) -> Any:
    try:
        return node.value(data)
    except NotJson as error:
        raise Refused(PARSING, str(error)) from error


def _whole(value: Any, key: str) -> int:
    """A whole number, which may stand as a text, as OpenSearch reads it."""
    try:
        return int(value) if not isinstance(value, (bool, dict, list)) else int("")
    except (TypeError, ValueError, OverflowError) as error:
        raise Refused(ILLEGAL_ARGUMENT, f"Failed to parse int parameter [{key}] with value [{value}]") from error


def _number(node: Node, data: bytes, key: str) -> float:
    try:
        return float(_value(node, data))
    except (TypeError, ValueError) as error:
        raise Refused(PARSING, f"[{key}] must be a number, found [{node.text(data).decode()}]") from error
