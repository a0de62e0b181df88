"""How near the vectors of one form of a model are to another's."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

NEIGHBOURS = 10


def least_cosine(left: NDArray[Any], right: NDArray[Any]) -> float:
    """The least cosine of two arrays' rows; 0 where a vector has no length or is not of numbers."""
    with np.errstate(invalid="ignore", divide="ignore"):
        cosines = (_directions(left) * _directions(right)).sum(axis=1)
    return float(np.nan_to_num(cosines, nan=0.0).min())


def kept_neighbours(left: NDArray[Any], right: NDArray[Any]) -> float:
    """Which part of a row's ten nearest others among ``left`` are so among ``right`` too, the mean over all rows.

    Rows are taken by cosine. Vectors in int8 are judged by this: what a search finds, not the angle.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        pairs = zip(_nearest(left), _nearest(right), strict=True)
    return float(np.mean([len(set(one) & set(other)) / NEIGHBOURS for one, other in pairs]))


def _nearest(vectors: NDArray[Any]) -> list[list[int]]:
    directions = _directions(vectors)
    cosines = directions @ directions.T
    np.fill_diagonal(cosines, -np.inf)
    nearest: list[list[int]] = np.argsort(-cosines, axis=1, kind="stable")[:, :NEIGHBOURS].tolist()
    return nearest


def _directions(vectors: NDArray[Any]) -> NDArray[np.float64]:
    exact = vectors.astype(np.float64)
    return np.asarray(exact / np.linalg.norm(exact, axis=1, keepdims=True))
