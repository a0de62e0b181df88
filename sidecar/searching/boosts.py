"""Fields that count for more: the chunks of the hits at hand are scored anew, and the hits ordered by them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sidecar.searching.hits import best_chunk, tensor_hit
from sidecar.searching.request import Boost, SearchRequest
from sidecar.searching.score_modifiers import modified
from sidecar.searching.search_plan import Hit
from sidecar.searching.tensor import inner_hits_name

BOOSTED_CHUNKS = 3
"""Chunks of a field that a document comes with: one is the best by any weight of its field, but for a negative one."""

_UNCHANGED = Boost(1.0)


def boosted(hits: Sequence[Mapping[str, Any]], fields: Sequence[str], request: SearchRequest) -> list[Hit]:
    """The request's page of these hits, by the best of each document's chunks after ``score * weight + bias``.

    The score modifiers come first. ``fields`` are those of the query, in its order.
    """
    scored = [_boosted_hit(hit, fields, request) for hit in hits]
    scored.sort(key=lambda hit: -hit["_score"])
    page = scored[request.offset : request.offset + request.limit]
    least = request.options.min_score
    return page if least is None else [hit for hit in page if hit["_score"] >= least]


def _boosted_hit(hit: Mapping[str, Any], fields: Sequence[str], request: SearchRequest) -> Hit:
    source = hit.get("_source", {})

    def score(field: str, chunk: Mapping[str, Any]) -> float:
        own = request.boost.get(field, _UNCHANGED)
        return modified(chunk["_score"], request.modifiers, source) * own.weight + own.bias

    best = best_chunk(hit, fields, score)
    changed = {**hit, "_score": hit["_score"] if best is None else best.score}
    if best is not None:
        kept = {inner_hits_name(fields.index(best.field)): {"hits": {"hits": [best.chunk]}}}
        changed["inner_hits"] = kept
    return tensor_hit(changed, fields, request)
