"""One order out of two: reciprocal ranks, or scores brought to one scale."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

LEAST_SCORE = 0.001
"""What the last document of a half counts for, so that being found there counts for more than not being found."""

Ranked = Sequence[tuple[str, float]]
"""Document ids and scores, best first."""
Fuse = Callable[[Ranked, Ranked], Mapping[str, float]]
"""Document id -> score, of the first documents of the tensor half and of the lexical half."""


def reciprocal_ranks(tensor: Ranked, lexical: Ranked, *, alpha: float, k: int) -> dict[str, float]:
    """Document id -> ``alpha / (k + rank) + (1 - alpha) / (k + rank)``, where ranks are counted from 1 and a half
    without the document adds nothing (Cormack, Clarke and Büttcher, SIGIR 2009)."""
    return _weighted(
        {document_id: 1 / (k + rank) for rank, (document_id, _) in enumerate(tensor, 1)},
        {document_id: 1 / (k + rank) for rank, (document_id, _) in enumerate(lexical, 1)},
        alpha,
    )


def normalized_scores(tensor: Ranked, lexical: Ranked, *, alpha: float) -> dict[str, float]:
    """Document id -> the halves' scores, each between `LEAST_SCORE` and 1 by its lowest and highest, by their share."""
    return _weighted(_between_0_and_1(tensor), _between_0_and_1(lexical), alpha)


def fused(tensor: Ranked, lexical: Ranked, fuse: Fuse, windows: Sequence[int]) -> list[tuple[str, float]]:
    """Documents with their scores, best first; of equal ones that of the tensor half first, by its place there.

    What a document scores depends on how far one looks into the halves. So that a page far behind continues the order
    of the pages before, the first ``windows[0]`` places are those that so many documents of each half make, the places
    up to ``windows[1]`` those that so many make of the rest, and so on. No score is higher than the one before it.
    """
    order: dict[str, float] = {}
    lowest = math.inf
    for window in windows:
        scores = fuse(tensor[:window], lexical[:window])
        rest = [document_id for document_id in _best_first(scores) if document_id not in order]
        for document_id in rest[: window - len(order)]:
            lowest = order[document_id] = min(lowest, scores[document_id])
    return list(order.items())


def _best_first(scores: Mapping[str, float]) -> list[str]:
    return sorted(scores, key=lambda document_id: -scores[document_id])


def _weighted(tensor: Mapping[str, float], lexical: Mapping[str, float], alpha: float) -> dict[str, float]:
    return {
        document_id: alpha * tensor.get(document_id, 0.0) + (1 - alpha) * lexical.get(document_id, 0.0)
        for document_id in {**tensor, **lexical}
    }


def _between_0_and_1(ranked: Ranked) -> dict[str, float]:
    if not ranked:
        return {}
    scores = [score for _, score in ranked]
    lowest, highest = min(scores), max(scores)
    if lowest == highest:
        return dict.fromkeys((document_id for document_id, _ in ranked), 1.0)
    return {document_id: max(LEAST_SCORE, (score - lowest) / (highest - lowest)) for document_id, score in ranked}
