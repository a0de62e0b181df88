"""Vectors made from a hash of the text: for trials and tests, where meaning does not matter but speed does."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from sidecar.embedding.loader import Embeddings, Modality, PreparedText, encode_in_batches


class RandomLoader:
    """Equal texts get equal vectors; different texts get independent ones of length 1."""

    modalities = frozenset({Modality.TEXT})
    backend = "random"
    memory_bytes = 0

    def __init__(self, dimensions: int) -> None:
        self.dimensions = dimensions

    def prepare_text(self, texts: Sequence[str]) -> list[PreparedText]:
        return [PreparedText(text, 1) for text in texts]

    def run_text(self, batch: Sequence[PreparedText]) -> Embeddings:
        vectors = np.empty((len(batch), self.dimensions), dtype=np.float32)
        for row, prepared in enumerate(batch):
            digest = hashlib.blake2b(prepared.payload.encode("utf-8", "surrogatepass"), digest_size=8).digest()
            drawn = np.random.default_rng(int.from_bytes(digest, "big")).standard_normal(self.dimensions)
            vectors[row] = drawn / np.linalg.norm(drawn)
        return vectors

    def encode_text(self, texts: Sequence[str]) -> Embeddings:
        return encode_in_batches(self, texts)
