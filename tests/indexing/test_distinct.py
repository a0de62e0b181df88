from __future__ import annotations

import numpy as np

from sidecar.indexing.distinct import STEP, distinct

VECTORS = np.random.default_rng(0).standard_normal((1, 384)).astype(np.float32).repeat(3, axis=0)


def test_equal_vectors_become_distinct_within_a_document_and_between_documents() -> None:
    rows = np.concatenate([distinct(VECTORS, f"d{number}") for number in range(100)])
    assert len(np.unique(rows, axis=0)) == 300


def test_no_number_moves_by_more_than_a_step() -> None:
    moved = np.abs(distinct(VECTORS, "a").astype(np.float64) / VECTORS - 1)
    assert 0 < moved.max() < 1.5 * STEP


def test_shape_and_type_stay_and_zero_stays_zero() -> None:
    zeros = distinct(np.zeros((2, 4), dtype=np.float32), "a")
    assert (zeros.shape, zeros.dtype) == ((2, 4), np.dtype(np.float32))
    assert not zeros.any()


def test_the_same_document_gets_the_same_vectors() -> None:
    np.testing.assert_array_equal(distinct(VECTORS, "a"), distinct(VECTORS, "a"))
