from __future__ import annotations

import numpy as np
import pytest

from sidecar.embedding.loader import Loader
from tests.contracts import LoaderContract


class TestOnnxTextLoader(LoaderContract):
    @pytest.fixture(scope="class")
    def loader(self, minilm: Loader) -> Loader:
        return minilm


def test_half_a_surrogate_pair_is_embedded_as_a_question_mark(minilm: Loader) -> None:
    np.testing.assert_array_equal(minilm.encode_text(["bad \ud83d text"]), minilm.encode_text(["bad ? text"]))


def test_tokens_count_the_special_ones_and_end_at_the_limit(minilm: Loader) -> None:
    assert [text.tokens for text in minilm.prepare_text(["", "a", "a b", "a " * 1000])] == [2, 3, 4, 256]
