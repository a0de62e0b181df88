"""The plane that vectors are laid on, against numpy's decomposition into singular values."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sidecar.embedding.loader import Embeddings
from sidecar.searching.projection import project


def random_vectors(count: int, dimensions: int, seed: int = 0) -> Embeddings:
    """Vectors that differ more along some directions than along others."""
    generator = np.random.default_rng(seed)
    lengths = np.linspace(3, 0.1, dimensions)
    return (generator.normal(size=(count, dimensions)) * lengths + 2).astype(np.float32)


@settings(max_examples=60, deadline=None)
@given(st.integers(3, 60), st.integers(2, 60), st.integers(0, 1000))
def test_points_are_those_of_the_first_two_singular_vectors(count: int, dimensions: int, seed: int) -> None:
    vectors = random_vectors(count, dimensions, seed)
    centred = vectors.astype(np.float64) - vectors.mean(axis=0, dtype=np.float64)
    left, values, _ = np.linalg.svd(centred, full_matrices=False)
    wanted = left[:, :2] * values[:2]
    found = project(vectors)
    assert found.points.shape == (count, 2)
    # Either direction of an axis is right; and where two are nearly as long, float32 decides between them.
    if values[0] - values[1] > 1e-2 * values[0] and (len(values) < 3 or values[1] - values[2] > 1e-2 * values[0]):
        np.testing.assert_allclose(np.abs(found.points), np.abs(wanted), atol=2e-3 * values[0])
    np.testing.assert_allclose(found.explained, (values**2 / (values**2).sum())[:2], atol=1e-4)


def test_same_vectors_give_the_same_points() -> None:
    vectors = random_vectors(50, 20)
    np.testing.assert_array_equal(project(vectors).points, project(vectors.copy()).points)


@pytest.mark.parametrize("count", [6, 40])
def test_direction_of_an_axis_does_not_depend_on_how_many_vectors_there_are(count: int) -> None:
    # 6 are fewer than the dimensions, 40 are more: the two ways to the axes.
    direction = np.array([0.1, -0.9, 0.2, 0.3, 0.1, 0.1, 0.0, 0.2, 0.1, 0.1], np.float32)
    along = np.linspace(-1, 1, count, dtype=np.float32)
    points = project(np.outer(along, direction)).points
    assert np.all(np.diff(points[:, 0]) < 0), "the largest number of the direction is negative, and is turned round"


@pytest.mark.parametrize("count", [0, 1])
def test_fewer_than_two_vectors_lie_at_the_origin(count: int) -> None:
    found = project(random_vectors(count, 5))
    assert found.points.tolist() == [[0.0, 0.0]] * count
    assert found.explained == (0.0, 0.0)


def test_two_vectors_lie_on_one_axis() -> None:
    found = project(np.array([[0, 0, 0], [0, 3, 4]], np.float32))
    np.testing.assert_allclose(found.points, [[-2.5, 0], [2.5, 0]], atol=1e-6)
    assert found.explained == pytest.approx((1.0, 0.0))


@pytest.mark.parametrize("dimensions", [3, 300])
def test_vectors_that_are_all_one_lie_at_the_origin(dimensions: int) -> None:
    vectors = np.repeat(random_vectors(1, dimensions) / 7, 20, axis=0)
    found = project(vectors)
    assert not found.points.any()
    assert found.explained == (0.0, 0.0)


def test_vectors_of_one_dimension_have_no_second_axis() -> None:
    found = project(np.array([[1], [2], [3]], np.float32))
    np.testing.assert_allclose(found.points, [[-1, 0], [0, 0], [1, 0]])
