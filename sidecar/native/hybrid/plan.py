"""The searches that a hybrid search takes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sidecar.native.declarations.processors import Combination
from sidecar.native.hybrid.combination import check_combination
from sidecar.native.hybrid.parameters import SearchParameters
from sidecar.native.hybrid.prefilter import push_filter
from sidecar.native.hybrid.request import HybridRequest, read_hybrid
from sidecar.native.json.additions import member_text
from sidecar.native.json.edits import Edit, cut
from sidecar.native.json.layout import on_one_line
from sidecar.native.json.spans import Object, read

Rewrite = Callable[[Object, bytes], Sequence[Edit]]
"""Gives the changes by which the body of a search has no queries but the cluster's own, save the hybrid one."""

_COUNTED: Final = ("aggs", "aggregations", "suggest")
"""Keys of a body that are about all documents found, not about hits."""
_OWN: Final = frozenset({"query", "from", "size", "min_score", "track_total_hits", *_COUNTED})


@dataclass(frozen=True, slots=True)
class HybridPlan:
    """``bodies`` are those of the searches, each on one line: one for each sub-query, for its best hits; none of these
    for a page of size 0. Where it ``counts``, a last one finds what any of them finds, for all that is no hit."""

    request: HybridRequest
    combination: Combination
    bodies: tuple[bytes, ...]
    counts: bool


def plan_hybrid(
    data: bytes, root: Object, *, rewrite: Rewrite, combination: Combination, parameters: SearchParameters
) -> HybridPlan:
    """The plan of a body, the object ``root`` of a text, whose query is hybrid.

    Raises: Refused for what no hybrid search can have.
    """
    request = read_hybrid(root, data, parameters)
    check_combination(combination, len(request.queries))
    pushed = push_filter(data, root, request)
    if pushed is not None:
        data = pushed
        body = read(data)
        assert isinstance(body, Object)
        root, request = body, read_hybrid(body, data, parameters)
    return _Bodies(data, root, rewrite(root, data), parameters).plan(request, combination)


class _Bodies:
    def __init__(self, text: bytes, root: Object, edits: Sequence[Edit], parameters: SearchParameters) -> None:
        self._text = text
        self._root = root
        self._edits = edits
        self._parameters = parameters

    def plan(self, request: HybridRequest, combination: Combination) -> HybridPlan:
        """The plan, and its bodies."""
        queries = [cut(self._text, self._edits, query.start, query.end) for query in request.queries]
        counts = request.size == 0 or self._is_counting()
        bodies = [self._half(query, request.depth) for query in queries] if request.size else []
        if counts:
            bodies.append(self._whole(queries))
        return HybridPlan(request, combination, tuple(map(on_one_line, bodies)), counts)

    def _half(self, query: bytes, depth: int) -> bytes:
        own = b'"query":%b,"from":0,"size":%d,"track_total_hits":false' % (query, depth)
        return b"{" + b",".join([own, *self._members(_OWN, self._parameters.body)]) + b"}"

    def _whole(self, queries: Sequence[bytes]) -> bytes:
        own = b'"query":{"bool":{"should":[%b]}},"from":0,"size":0' % b",".join(queries)
        kept = _OWN - {"track_total_hits", *_COUNTED}
        return b"{" + b",".join([own, *self._members(kept, self._parameters.body)]) + b"}"

    def _members(self, left_out: frozenset[str], given: Mapping[str, Any]) -> Iterator[bytes]:
        """The body's members that all searches share, changed as they must be, and what the URL has in their place."""
        for member in self._root.members:
            if member.key not in left_out and member.key not in given:
                yield cut(self._text, self._edits, member.key_start, member.value.end)
        for key, value in given.items():
            if key not in left_out:
                yield member_text(key, value)

    def _is_counting(self) -> bool:
        """True where the answer has more than hits."""
        node = self._root.get("track_total_hits")
        tracked = self._parameters.body.get("track_total_hits", True if node is None else node.value(self._text))
        return tracked not in (False, "false") or any(self._root.get(key) is not None for key in _COUNTED)
