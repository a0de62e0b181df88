from __future__ import annotations

import numpy as np
import pytest

from sidecar.embedding.loader import Loader
from sidecar.embedding.loaders.random import RandomLoader
from tests.contracts import LoaderContract


class TestRandomLoader(LoaderContract):
    @pytest.fixture(scope="class")
    def loader(self) -> Loader:
        return RandomLoader(32)


def test_vectors_have_length_one_and_depend_on_the_text_alone() -> None:
    vectors = RandomLoader(16).encode_text(["a", "b"])
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    np.testing.assert_array_equal(vectors, RandomLoader(16).encode_text(["a", "b"]))


def test_vectors_stay_the_same_between_versions() -> None:
    # Indexes that hold them are searched by later sidecars.
    expected = [0.34753358, -0.11502591, 0.9252089, -0.09988953]
    np.testing.assert_allclose(RandomLoader(4).encode_text(["a"])[0], expected, atol=1e-6)
