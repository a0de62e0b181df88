"""Scores without a model, for tests of everything but relevance."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from sidecar.embedding.load import LoadContext
from sidecar.embedding.loader import Embeddings, Prepared
from sidecar.embedding.model_spec import ModelSpec


class RandomPairs:
    """Equal pairs get equal scores; those of different ones have nothing to do with each other."""

    backend = "random"
    memory_bytes = 0

    def prepare_pairs(self, q: str, texts: Sequence[str]) -> list[Prepared]:
        return [Prepared(f"{q}\0{text}".encode("utf-8", "surrogatepass"), 1) for text in texts]

    def run_pairs(self, batch: Sequence[Prepared]) -> Embeddings:
        digests = [hashlib.blake2b(prepared.payload, digest_size=2).digest() for prepared in batch]
        return np.array([[int.from_bytes(digest, "big") / 2**16] for digest in digests], dtype=np.float32)


def load(spec: ModelSpec, context: LoadContext) -> RandomPairs:
    """Needs no weights."""
    return RandomPairs()
