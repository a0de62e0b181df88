"""Keeps equal texts of different documents from getting bit-equal vectors, which spoil Lucene's graph of neighbours."""

from __future__ import annotations

import zlib

import numpy as np

from sidecar.embedding.loader import Embeddings

STEP = np.float32(2**-23)
"""The distance of 1 to the next float32: below the rounding of any model."""


def distinct(vectors: Embeddings, document_id: str) -> Embeddings:
    """The vectors, shape (n, dimensions), each number at most ``STEP`` times itself away; the same for the same id.

    From about 100 equal vectors on, as of a sentence that stands in many documents, Lucene's HNSW links them with one
    another and loses the rest. Measured on OpenSearch 3.5, 1,000 such among 2,000 of 384 dimensions, ten of 32
    candidates: 0.35 of the right hits are found with equal vectors, 0.99 with distinct ones. Scores stay the same to
    the sixth digit. That is for ``cosinesimil``; in ``l2`` such distances still round to the same score.
    """
    seed = zlib.crc32(document_id.encode("utf-8", "surrogatepass"))
    steps = np.random.default_rng(seed).integers(-1, 2, size=vectors.shape, dtype=np.int8)
    return np.asarray(vectors * (1 + steps * STEP), dtype=np.float32)
