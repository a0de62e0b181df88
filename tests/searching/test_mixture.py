from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.embedding.loader import Embeddings
from sidecar.errors import InvalidArgument
from sidecar.searching.mixture import mix


def vectors(*rows: list[float]) -> list[Embeddings]:
    return [np.array(row, dtype=np.float32) for row in rows]


def test_a_mixture_is_the_mean_of_the_weighted_vectors() -> None:
    mixed = mix(vectors([1, 0], [0, 1]), [0.5, 2], normalize=False)
    assert mixed.dtype == np.float32
    np.testing.assert_array_equal(mixed, np.array([0.25, 1], dtype=np.float32))


def test_a_mixture_has_length_one_where_vectors_are_normalised() -> None:
    mixed = mix(vectors([1, 0], [0, 1]), [0.5, 2], normalize=True)
    np.testing.assert_allclose(mixed, [0.2425356, 0.9701425], atol=1e-7)


@pytest.mark.parametrize(
    ("rows", "weights"),
    [
        ([[1, 0]], [0]),
        ([[0.1, 0.7], [0.1, 0.7]], [1, -1]),
        # Texts that a model can't tell apart, embedded in batches of other shapes: equal but for rounding.
        ([[0.6, 0.8], [0.6000001, 0.79999995]], [1e9, -1e9]),
        ([[0, 0]], [1]),
    ],
)
def test_terms_that_cancel_out_leave_zeros(rows: list[list[float]], weights: list[float]) -> None:
    for normalize in (True, False):
        assert not mix(vectors(*rows), weights, normalize=normalize).any()


def test_small_differences_of_terms_are_no_rounding() -> None:
    mixed = mix(vectors([0.6, 0.8], [0.60001, 0.8]), [-1, 1], normalize=True)
    np.testing.assert_allclose(mixed, [1, 0], atol=1e-2)


@pytest.mark.parametrize(("weight", "normalize"), [(1e39, False), (1e308, False), (1.7e308, True)])
def test_numbers_beyond_float32_are_refused(weight: float, normalize: bool) -> None:
    with pytest.raises(InvalidArgument, match="beyond float32's range"):
        mix(vectors([3, 4], [3, 4]), [weight, weight], normalize=normalize)


@given(st.lists(st.tuples(st.floats(-1e30, 1e30), st.integers(0, 5)), min_size=1, max_size=8), st.booleans())
def test_a_mixture_is_finite_and_of_length_one_or_zero(terms: list[tuple[float, int]], normalize: bool) -> None:
    rows = [np.random.default_rng(seed).standard_normal(4).astype(np.float32) for _, seed in terms]
    mixed = mix(rows, [weight for weight, _ in terms], normalize=normalize)
    assert np.isfinite(mixed).all()
    if normalize and mixed.any():
        assert np.linalg.norm(mixed) == pytest.approx(1, abs=1e-6)
