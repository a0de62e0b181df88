"""Scores of one query brought to a scale that they share with those of others, as the neural-search plugin does.

Each function takes the scores of all hits of one sub-query, over all shards, best first: float32, shape (n,). All is
computed in float32 where the plugin does so. Sources: `processor/normalization/` of opensearch-project/neural-search.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sidecar.native.declarations.processors import Bound, Combination

Scores = NDArray[np.float32]

LEAST = np.float32(0.001)
"""What the worst hit has, so that it differs from a document which is no hit."""
_ONE = np.float32(1.0)
# Java's Float.MIN_VALUE, from which the plugin starts to look for the largest: where no score is above 0, it stays.
_SMALLEST = np.float32(1.4e-45)
_RANK_DIGITS = 10**10


def normalized(scores: Sequence[Scores], combination: Combination) -> list[Scores]:
    """The scores of each sub-query by the technique of a combination."""
    return [_normalized(one, place, combination) for place, one in enumerate(scores)]


def _normalized(scores: Scores, place: int, combination: Combination) -> Scores:
    if combination.normalization == "rrf":
        return reciprocal_ranks(len(scores), combination.rank_constant)
    if not len(scores):
        return scores
    if combination.normalization == "l2":
        return l2(scores)
    if combination.normalization == "z_score":
        return z_score(scores)
    lower = combination.lower_bounds[place] if combination.lower_bounds else None
    upper = combination.upper_bounds[place] if combination.upper_bounds else None
    return min_max(scores, lower, upper)


def min_max(scores: Scores, lower: Bound | None = None, upper: Bound | None = None) -> Scores:
    """``(s - min) / (max - min)``; 0.001 where that is 0, and 1 for all where all are equal.

    Scores that are all 0 (of filters alone) are 0.001. A bound takes the place of the least or largest score: with
    ``apply`` for the scores inside of it, with ``clip`` for all, and those beyond are cut at it.
    """
    least = np.float32(scores.min())
    largest = max(np.float32(scores.max()), _SMALLEST)
    if least == largest:
        return np.ones_like(scores)
    low = np.full_like(scores, least)
    high = np.full_like(scores, largest)
    below = above = np.zeros(scores.shape, dtype=bool)
    if lower is not None and lower.mode == "apply":
        score = np.float32(lower.score)
        low[(largest > score) & (scores > score)] = score
    elif lower is not None and lower.mode == "clip":
        low[:] = least if largest < np.float32(lower.score) else np.float32(lower.score)
        below = scores < low
    if upper is not None and upper.mode == "apply":
        score = np.float32(upper.score)
        high[(least < score) & (scores < score)] = score
    elif upper is not None and upper.mode == "clip":
        high[:] = largest if least > np.float32(upper.score) else np.float32(upper.score)
        above = scores > high
    width = high - low
    result = np.where(width == 0, _ONE, (scores - low) / np.where(width == 0, _ONE, width))
    result = np.where(result == 0, LEAST, result)
    return np.where(below, LEAST, np.where(above, _ONE, result)).astype(np.float32)


def l2(scores: Scores) -> Scores:
    """``s / sqrt(sum of squares)``; 0 where all are 0."""
    # A running sum, as the plugin's: a pairwise one differs in the last digit.
    norm = np.sqrt(np.cumsum(scores * scores, dtype=np.float32)[-1])
    return np.zeros_like(scores) if norm == 0 else scores / norm


def z_score(scores: Scores) -> Scores:
    """``(s - mean) / standard deviation`` of the sample; 0.001 where that is not above 0.

    A score that is the mean stays what the best has, as it was; all do where all are equal.
    """
    mean = np.float32(scores.mean(dtype=np.float64))
    deviation = np.float32(scores.std(dtype=np.float64, ddof=1)) if len(scores) > 1 else np.float32(0)
    result: Scores = np.full_like(scores, scores.min())
    if deviation != 0:
        result = (scores - mean) / deviation
        result[result <= 0] = LEAST
    result[scores == mean] = scores.max()
    return result


def reciprocal_ranks(hits: int, rank_constant: int) -> Scores:
    """``1 / (rank constant + rank)`` of each rank, from 1 on, rounded to ten digits."""
    divisors = range(rank_constant + 1, rank_constant + 1 + hits)
    return np.array([(2 * _RANK_DIGITS // one + 1) // 2 / _RANK_DIGITS for one in divisors], dtype=np.float32)
