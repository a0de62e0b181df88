"""The scores that several sub-queries gave a document, as one; as the neural-search plugin does.

``scores`` are normalised, float32, shape (documents, sub-queries); 0 for a document that is no hit of a sub-query.
Sources: `processor/combination/` of opensearch-project/neural-search.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sidecar.native.declarations.processors import Combination
from sidecar.native.errors import ILLEGAL_ARGUMENT, Refused

Matrix = NDArray[np.float32]


def check_combination(combination: Combination, queries: int) -> None:
    """Raises: Refused where weights or bounds are not as many as the sub-queries."""
    weights = combination.weights
    if weights and len(weights) != queries:
        raise Refused(
            ILLEGAL_ARGUMENT,
            f"number of weights [{len(weights)}] must match number of sub-queries [{queries}] in hybrid query",
        )
    for bounds in (combination.lower_bounds, combination.upper_bounds):
        if bounds and len(bounds) != queries:
            raise Refused(
                ILLEGAL_ARGUMENT,
                f"expected bounds array to contain {queries} elements matching the number of sub-queries, "
                "but found a mismatch",
            )


def combined(scores: Matrix, combination: Combination) -> NDArray[np.float32]:
    """One score for each document: float32, shape (documents,)."""
    weights = np.array(combination.weights or [1.0] * scores.shape[1], dtype=np.float32)
    if combination.normalization == "rrf":
        return weighted_sum(scores, weights)
    if combination.technique == "geometric_mean":
        return geometric_mean(scores, weights)
    if combination.technique == "harmonic_mean":
        return harmonic_mean(scores, weights)
    return arithmetic_mean(scores, weights)


def weighted_sum(scores: Matrix, weights: Matrix) -> Matrix:
    """``sum(w * s)``, which reciprocal ranks are combined by."""
    result = np.zeros(len(scores), dtype=np.float32)
    for place, weight in enumerate(weights):
        result += np.maximum(scores[:, place], np.float32(0)) * weight
    return result


def arithmetic_mean(scores: Matrix, weights: Matrix) -> Matrix:
    """``sum(w * s) / sum(w)``, with 0 where a document is no hit. Negative scores count for nothing."""
    counted = np.where(scores >= 0, weights, np.float32(0))
    sums = _running_sum(counted)
    return np.where(sums == 0, np.float32(0), weighted_sum(scores, weights) / np.where(sums == 0, np.float32(1), sums))


def geometric_mean(scores: Matrix, weights: Matrix) -> Matrix:
    """``exp(sum(w * ln s) / sum(w))`` over the sub-queries whose hit a document is."""
    logarithms = np.log(np.where(scores > 0, scores, np.float32(1)).astype(np.float64))
    sums = _running_sum(np.where(scores > 0, weights, np.float32(0)))
    total = np.zeros(len(scores), dtype=np.float32)
    for place, weight in enumerate(weights):
        # The plugin adds in double precision, and keeps the sum in single.
        total = (total + np.float64(weight) * logarithms[:, place]).astype(np.float32)
    means = np.exp((total / np.where(sums == 0, np.float32(1), sums)).astype(np.float64)).astype(np.float32)
    return np.where(sums == 0, np.float32(0), means)


def harmonic_mean(scores: Matrix, weights: Matrix) -> Matrix:
    """``sum(w) / sum(w / s)`` over the sub-queries whose hit a document is."""
    is_hit = scores > 0
    sums = _running_sum(np.where(is_hit, weights, np.float32(0)))
    harmonics = _running_sum(np.where(is_hit, weights / np.where(is_hit, scores, np.float32(1)), np.float32(0)))
    is_any = harmonics > 0
    return np.where(is_any, sums / np.where(is_any, harmonics, np.float32(1)), np.float32(0))


def _running_sum(values: Matrix) -> Matrix:
    """The sums of the rows, added from left to right."""
    return np.cumsum(values, axis=1, dtype=np.float32)[:, -1]
