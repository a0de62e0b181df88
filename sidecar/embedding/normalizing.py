"""Vectors of length 1."""

from __future__ import annotations

import numpy as np

from sidecar.embedding.loader import Embeddings


def normalized(vectors: Embeddings) -> Embeddings:
    """The vectors at length 1; zero vectors stay as they are. Takes shapes (dimensions,) and (n, dimensions)."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.where(lengths > 0, lengths, 1), dtype=np.float32)
