"""Vectors of one byte a number, for indexes that store them so."""

from __future__ import annotations

import numpy as np

from sidecar.embedding.loader import Embeddings

LARGEST = 127
"""The largest whole number of a vector; -128 is left out, so that a vector and its opposite are equally long."""


def as_bytes(vectors: Embeddings) -> Embeddings:
    """The vectors in whole numbers: each is stretched until its largest number is ±127, and rounded.

    The length is lost, which cosine does not care for. A zero vector stays one. Takes shapes (dimensions,) and
    (n, dimensions). Returns: float32 of the same shape, whole numbers from -127 to 127.
    """
    largest = np.max(np.abs(vectors), axis=-1, keepdims=True, initial=0)
    scaled = vectors / np.where(largest > 0, largest, 1)
    return np.asarray(np.rint(scaled * LARGEST), dtype=np.float32)
