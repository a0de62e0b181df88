"""Vectors made from a hash of the input: for trials and tests, where meaning does not matter but speed does."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from sidecar.embedding.load import LoadContext
from sidecar.embedding.loader import Embeddings, Modality, Prepared, encode_in_batches, run_in_batches
from sidecar.embedding.model_spec import ModelSpec

if TYPE_CHECKING:
    from PIL.Image import Image


class RandomLoader:
    """Equal texts get equal vectors, as do equal images; different ones get independent ones of length 1."""

    modalities = frozenset({Modality.TEXT, Modality.IMAGE})
    backend = "random"
    memory_bytes = 0
    image_size = (32, 32)

    def __init__(self, dimensions: int) -> None:
        self.dimensions = dimensions

    def prepare_text(self, texts: Sequence[str]) -> list[Prepared]:
        return [Prepared(text.encode("utf-8", "surrogatepass"), 1) for text in texts]

    def run_text(self, batch: Sequence[Prepared]) -> Embeddings:
        return self._run(batch)

    def encode_text(self, texts: Sequence[str]) -> Embeddings:
        return encode_in_batches(self, texts)

    def prepare_image(self, image: Image) -> Prepared:
        small = image.resize((self.image_size[1], self.image_size[0]))
        return Prepared(small.tobytes(), 1)

    def run_image(self, batch: Sequence[Prepared]) -> Embeddings:
        return self._run(batch)

    def encode_image(self, images: Sequence[Image]) -> Embeddings:
        return run_in_batches(self.run_image, [self.prepare_image(image) for image in images], self.dimensions)

    def _run(self, batch: Sequence[Prepared]) -> Embeddings:
        vectors = np.empty((len(batch), self.dimensions), dtype=np.float32)
        for row, prepared in enumerate(batch):
            digest = hashlib.blake2b(prepared.payload, digest_size=8).digest()
            drawn = np.random.default_rng(int.from_bytes(digest, "big")).standard_normal(self.dimensions)
            vectors[row] = drawn / np.linalg.norm(drawn)
        return vectors


def load(spec: ModelSpec, context: LoadContext) -> RandomLoader:
    """Vectors of the dimensions asked for."""
    return RandomLoader(spec.dimensions)
