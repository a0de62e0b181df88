"""What every loader of a model must do, whatever its model."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
import pytest

from sidecar.embedding.loader import Embeddings, Loader, Modality

TEXTS = [
    "a",
    " ",
    "",
    "the quick brown fox jumps over the lazy dog",
    "Zürich – naïve café, 東京 и Москва, عربي 🎉",
    "half of a pair \ud83d and the rest",
    "line\r\nbreak\tand tab",
    "long " * 400,
    "zebra",
]
BATCH_TOLERANCE = 1e-5
"""A batch is padded, so that sums are taken in another order: float32 rounding."""


class LoaderContract(ABC):
    """A subclass gives a loaded model by its fixture `loader`; the tests are run on it."""

    tolerance = BATCH_TOLERANCE

    @pytest.fixture(scope="class")
    @abstractmethod
    def loader(self) -> Loader:
        """The loader that is put to the test."""

    @pytest.fixture(scope="class")
    def alone(self, loader: Loader) -> list[Embeddings]:
        """The texts embedded one by one."""
        return [loader.encode_text([text]) for text in TEXTS]

    def test_each_text_gets_one_float32_vector(self, loader: Loader, alone: list[Embeddings]) -> None:
        assert Modality.TEXT in loader.modalities
        for vectors in alone:
            assert vectors.shape == (1, loader.dimensions)
            assert vectors.dtype == np.float32
            assert np.isfinite(vectors).all()

    def test_a_batch_gives_the_vectors_of_one_by_one_in_order(self, loader: Loader, alone: list[Embeddings]) -> None:
        together = loader.encode_text(TEXTS)
        np.testing.assert_allclose(together, np.concatenate(alone), atol=self.tolerance)

    def test_order_is_kept_whatever_the_lengths(self, loader: Loader, alone: list[Embeddings]) -> None:
        backwards = loader.encode_text(TEXTS[::-1])
        np.testing.assert_allclose(backwards[::-1], np.concatenate(alone), atol=self.tolerance)

    def test_different_texts_get_different_vectors(self, alone: list[Embeddings]) -> None:
        assert not np.allclose(alone[0], alone[-1], atol=1e-3)

    def test_no_texts_give_no_vectors(self, loader: Loader) -> None:
        assert loader.encode_text([]).shape == (0, loader.dimensions)

    def test_prepared_texts_know_their_tokens(self, loader: Loader) -> None:
        prepared = loader.prepare_text(TEXTS)
        assert len(prepared) == len(TEXTS)
        assert all(text.tokens >= 1 for text in prepared)

    def test_more_texts_than_a_batch_holds(self, loader: Loader) -> None:
        texts = [f"text number {number}" for number in range(70)]
        vectors = loader.encode_text(texts)
        for number in (0, 33, 69):
            np.testing.assert_allclose(vectors[number], loader.encode_text([texts[number]])[0], atol=self.tolerance)
