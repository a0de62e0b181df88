"""The vector of a query that has several terms: texts, images and vectors of the client's own, by their weights."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sidecar.embedding.loader import Embeddings
from sidecar.errors import InvalidArgument

CANCELLED = 1e-6
"""A sum this much shorter than its terms together is what float32's rounding leaves of terms that cancel out."""


def mix(vectors: Sequence[Embeddings], weights: Sequence[float], *, normalize: bool) -> Embeddings:
    """The mean of the vectors, each times its weight; at length 1 where ``normalize``. All zeros where they cancel out.

    Takes float32 vectors of one shape (dimensions,), at least one. Returns: float32, shape (dimensions,).
    Raises: InvalidArgument for numbers beyond float32's range.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        terms = np.array(weights, dtype=np.float64)[:, np.newaxis] * np.array(vectors, dtype=np.float64)
        mean = terms.sum(axis=0) / len(terms)
        reach = np.abs(terms).sum(axis=0).max() / len(terms)
        largest = np.abs(mean).max()
        if np.isfinite(reach) and largest <= CANCELLED * reach:
            return np.zeros(mean.shape, dtype=np.float32)
        result = _at_length_one(mean / largest) if normalize else np.asarray(mean, dtype=np.float32)
    if not np.isfinite(result).all():
        raise InvalidArgument("the query's weighted vectors have numbers beyond float32's range. Use smaller weights")
    return result


def _at_length_one(vector: NDArray[np.float64]) -> Embeddings:
    return np.asarray(vector / np.linalg.norm(vector), dtype=np.float32)
