"""Fields that count for more: the chunks of the hits at hand are scored anew, and the hits ordered by them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sidecar.searching.hits import best_chunk, tensor_hit
from sidecar.searching.request import Boost, ScoreModifiers
from sidecar.searching.score_modifiers import modified, of_numbers
from sidecar.searching.search_plan import AskedSearch, Hit
from sidecar.searching.tensor import inner_hits_name

BOOSTED_CHUNKS = 3
"""Chunks of a field that a document comes with."""

_UNCHANGED = Boost(1.0)


def boosted(asked: AskedSearch, hits: Sequence[Mapping[str, Any]], fields: Sequence[str]) -> list[Hit]:
    """The request's page of these hits, by the best of each document's chunks after ``score * weight + bias``.

    The score modifiers come first. ``fields`` are those of the query, in its order.
    """
    request = asked.request
    modifiers = of_numbers(request.modifiers, asked.state.field_types)
    scored = [tensor_hit(_scored(hit, fields, request.boost, modifiers), fields, request) for hit in hits]
    scored.sort(key=lambda hit: -hit["_score"])
    return scored[request.offset : request.offset + request.limit]


def _scored(
    hit: Mapping[str, Any], fields: Sequence[str], boost: Mapping[str, Boost], modifiers: ScoreModifiers | None
) -> Mapping[str, Any]:
    """The hit as the cluster gave it, with the new score and the chunk that it is of."""
    source = hit.get("_source", {})

    def score(field: str, chunk: Mapping[str, Any]) -> float:
        own = boost.get(field, _UNCHANGED)
        return modified(chunk["_score"], modifiers, source) * own.weight + own.bias

    best = best_chunk(hit, fields, score)
    if best is None:
        return hit
    kept = {inner_hits_name(fields.index(best.field)): {"hits": {"hits": [best.chunk]}}}
    return {**hit, "_score": best.score, "inner_hits": kept}
