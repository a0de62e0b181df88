"""Vectors made from a hash of the text: for trials and tests, where meaning does not matter but speed does."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from sidecar.embedding.load import LoadContext
from sidecar.embedding.loader import Embeddings, Modality, Prepared, encode_in_batches
from sidecar.embedding.model_spec import ModelSpec


class RandomLoader:
    """Equal texts get equal vectors; different texts get independent ones of length 1."""

    modalities = frozenset({Modality.TEXT})
    backend = "random"
    memory_bytes = 0

    def __init__(self, dimensions: int) -> None:
        self.dimensions = dimensions

    def prepare_text(self, texts: Sequence[str]) -> list[Prepared]:
        return [Prepared(text, 1) for text in texts]

    def run_text(self, batch: Sequence[Prepared]) -> Embeddings:
        vectors = np.empty((len(batch), self.dimensions), dtype=np.float32)
        for row, prepared in enumerate(batch):
            digest = hashlib.blake2b(prepared.payload.encode("utf-8", "surrogatepass"), digest_size=8).digest()
            drawn = np.random.default_rng(int.from_bytes(digest, "big")).standard_normal(self.dimensions)
            vectors[row] = drawn / np.linalg.norm(drawn)
        return vectors

    def encode_text(self, texts: Sequence[str]) -> Embeddings:
        return encode_in_batches(self, texts)


def load(spec: ModelSpec, context: LoadContext) -> RandomLoader:
    """Vectors of the dimensions asked for."""
    return RandomLoader(spec.dimensions)
