"""How several orders become one, in plain Python: what the sidecar's own computing is compared with."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

from sidecar.native.declarations.processors import Bound

RANK_CONSTANT = 7

Half = Sequence[tuple[str, float]]
"""The ids and scores of one sub-query's hits, best first."""


def fused(
    halves: Sequence[Half],
    normalization: str = "min_max",
    technique: str = "arithmetic_mean",
    weights: Sequence[float] | None = None,
    rank_constant: int = 60,
) -> dict[str, float]:
    """The combined scores by ids, best first, equal ones by id."""
    rows: dict[str, list[float]] = {}
    for place, half in enumerate(halves):
        scores = plain_normalized([score for _, score in half], normalization, rank_constant=rank_constant)
        for (document_id, _), score in zip(half, scores, strict=True):
            rows.setdefault(document_id, [0.0] * len(halves))[place] = score
    totals = {
        document_id: plain_mean(row, "rrf" if normalization == "rrf" else technique, weights)
        for document_id, row in rows.items()
    }
    return dict(sorted(totals.items(), key=lambda item: (-item[1], item[0])))


SMALLEST = 1.4e-45
"""Of float32, above 0."""


def plain_normalized(
    scores: Sequence[float],
    normalization: str,
    lower: Bound | None = None,
    upper: Bound | None = None,
    *,
    rank_constant: int = RANK_CONSTANT,
) -> list[float]:
    """The scores of one sub-query's hits, normalised."""
    if not scores:
        return []
    if normalization == "rrf":
        return [1 / (rank_constant + rank) for rank in range(1, len(scores) + 1)]
    if normalization == "l2":
        length = math.sqrt(sum(score * score for score in scores))
        return [score / length if length else 0.0 for score in scores]
    if normalization == "z_score":
        mean, deviation = statistics.mean(scores), statistics.stdev(scores) if len(scores) > 1 else 0.0
        return [max(scores) if score == mean else max((score - mean) / deviation, 0.001) for score in scores]
    return [_one(score, min(scores), max(scores), lower, upper) for score in scores]


def _one(score: float, least: float, largest: float, lower: Bound | None, upper: Bound | None) -> float:
    if largest == least > 0:
        return 1.0
    # The plugin looks for the largest from the smallest number above 0 on: scores that are all 0 are not equal to it.
    largest = max(largest, SMALLEST)
    low, high = least, largest
    if lower and lower.mode == "apply" and largest > lower.score and score > lower.score:
        low = lower.score
    if lower and lower.mode == "clip" and largest >= lower.score:
        low = lower.score
        if score < low:
            return 0.001
    if upper and upper.mode == "apply" and least < upper.score and score < upper.score:
        high = upper.score
    if upper and upper.mode == "clip" and least <= upper.score:
        high = upper.score
        if score > high:
            return 1.0
    if high == low:
        return 1.0
    return (score - low) / (high - low) or 0.001


def plain_mean(scores: Sequence[float], technique: str, weights: Sequence[float] | None) -> float:
    """One document's normalised scores, as one."""
    pairs = list(zip(weights or [1.0] * len(scores), scores, strict=True))
    if technique == "rrf":
        return sum(weight * score for weight, score in pairs)
    if technique == "arithmetic_mean":
        counted = [(weight, score) for weight, score in pairs if score >= 0]
        return sum(weight * score for weight, score in counted) / (sum(weight for weight, _ in counted) or 1.0)
    hits = [(weight, score) for weight, score in pairs if score > 0]
    total = sum(weight for weight, _ in hits)
    if not hits:
        return 0.0
    if technique == "geometric_mean":
        return math.exp(sum(weight * math.log(score) for weight, score in hits) / total)
    return total / sum(weight / score for weight, score in hits)
