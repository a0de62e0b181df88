from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.indexing.combinations import combine

UNITS = np.eye(4, dtype=np.float32)[:2]


def test_unit_vectors_are_weighted_and_brought_to_length_1() -> None:
    wanted = [0.24253563, 0.9701425, 0, 0]
    np.testing.assert_allclose(combine(UNITS, [0.5, 2], normalize=True), wanted, atol=1e-7)


def test_long_vectors_count_no_more_than_short_ones_where_normalised() -> None:
    stretched = UNITS * np.array([[100], [0.01]], dtype=np.float32)
    np.testing.assert_allclose(
        combine(stretched, [0.5, 2], normalize=True), combine(UNITS, [0.5, 2], normalize=True), atol=1e-7
    )


def test_the_mean_is_left_as_it_is_where_not_normalised() -> None:
    np.testing.assert_array_equal(combine(2 * UNITS, [0.5, -2], normalize=False), [0.5, -2, 0, 0])


@given(st.lists(st.floats(-1e6, 1e6).filter(lambda weight: abs(weight) > 1e-6), min_size=1, max_size=4))
def test_the_result_is_one_float32_vector_of_length_1(weights: list[float]) -> None:
    vector = combine(np.eye(4, dtype=np.float32)[: len(weights)], weights, normalize=True)
    assert (vector.shape, vector.dtype) == ((4,), np.dtype(np.float32))
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)
