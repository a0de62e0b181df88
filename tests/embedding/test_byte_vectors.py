from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sidecar.embedding.byte_vectors import as_bytes


def test_each_vector_is_stretched_to_its_largest_number() -> None:
    small = as_bytes(np.array([[0.5, -1, 0.25], [2e-30, 1e-30, 0], [0, 0, 0]], dtype=np.float32))
    assert small.dtype == np.float32
    np.testing.assert_array_equal(small, [[64, -127, 32], [127, 64, 0], [0, 0, 0]])
    np.testing.assert_array_equal(as_bytes(np.array([3, -6], dtype=np.float32)), [64, -127])
    assert as_bytes(np.empty((0, 3), dtype=np.float32)).shape == (0, 3)


def test_directions_stay() -> None:
    vectors = np.random.default_rng(0).standard_normal((200, 384)).astype(np.float32)
    small = as_bytes(vectors)
    cosines = (vectors * small).sum(axis=1) / np.linalg.norm(vectors, axis=1) / np.linalg.norm(small, axis=1)
    assert cosines.min() > 0.9999


@given(st.lists(st.floats(-(2.0**120), 2.0**120, width=32), min_size=1, max_size=8))
def test_numbers_are_whole_and_fit_a_byte(numbers: list[float]) -> None:
    small = as_bytes(np.array(numbers, dtype=np.float32))
    assert (small == np.rint(small)).all()
    assert np.abs(small).max() in (0, 127)
