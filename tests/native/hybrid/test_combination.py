"""How scores become one: values by hand, those of the plugin's documentation, and a second implementation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.native.declarations.processors import Bound, Combination
from sidecar.native.errors import Refused
from sidecar.native.hybrid.combination import check_combination, combined
from sidecar.native.hybrid.normalization import l2, min_max, normalized, reciprocal_ranks, z_score
from tests.native.hybrid.plain import RANK_CONSTANT, plain_mean, plain_normalized

# One side computes in single precision.
NEAR = {"rel": 1e-4, "abs": 1e-6}
SCORES = st.lists(st.integers(0, 4000).map(lambda quarters: quarters / 4), min_size=1, max_size=20)
BOUNDS = st.none() | st.builds(Bound, st.integers(-10, 1000), st.sampled_from(["apply", "clip", "ignore"]))


def float32(*scores: float) -> np.ndarray:
    return np.array(scores, dtype=np.float32)


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ([4.0, 3.0, 2.0], [1.0, 0.5, 0.001]),
        ([7.0], [1.0]),
        ([2.5, 2.5, 2.5], [1.0, 1.0, 1.0]),
        ([0.0, 0.0], [0.001, 0.001]),
        ([1.0, 0.0], [1.0, 0.001]),
        ([2.0, -2.0], [1.0, 0.001]),
    ],
)
def test_min_max_leads_from_a_thousandth_to_1(scores: list[float], expected: list[float]) -> None:
    assert min_max(float32(*scores)) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("lower", "upper", "expected"),
    [
        (Bound(0.5), None, [1.0, 1 / 3, 0.25, 0.001]),
        (Bound(0.5, "clip"), None, [1.0, 1 / 3, 0.001, 0.001]),
        (Bound(0.5, "ignore"), None, [1.0, 0.5, 0.25, 0.001]),
        (Bound(9.0), None, [1.0, 0.5, 0.25, 0.001]),
        (Bound(9.0, "clip"), None, [1.0, 0.5, 0.25, 0.001]),
        (None, Bound(0.6), [1.0, 0.5, 0.5, 0.001]),
        (None, Bound(0.6, "clip"), [1.0, 1.0, 0.5, 0.001]),
        (None, Bound(0.1, "clip"), [1.0, 0.5, 0.25, 0.001]),
        (Bound(0.45, "clip"), Bound(0.7, "clip"), [1.0, 0.6, 0.2, 0.001]),
    ],
)
def test_bounds_take_the_place_of_the_least_and_largest(
    lower: Bound | None, upper: Bound | None, expected: list[float]
) -> None:
    assert min_max(float32(0.8, 0.6, 0.5, 0.4), lower, upper) == pytest.approx(expected, rel=1e-5)


def test_l2_divides_by_the_length_of_all_scores() -> None:
    assert l2(float32(4.0, 3.0)) == pytest.approx([0.8, 0.6])
    assert l2(float32(5.0)) == pytest.approx([1.0])
    assert l2(float32(0.0, 0.0)).tolist() == [0.0, 0.0]


def test_z_score_counts_from_the_mean_in_deviations_of_the_sample() -> None:
    # Mean 4, deviation of the sample 2: the mean itself keeps the best score, what is below it a thousandth.
    assert z_score(float32(6.0, 4.0, 2.0)) == pytest.approx([1.0, 6.0, 0.001])
    assert z_score(float32(5.0)).tolist() == [5.0]
    assert z_score(float32(2.0, 2.0)).tolist() == [2.0, 2.0]


def test_ranks_count_from_1() -> None:
    assert reciprocal_ranks(3, 60) == pytest.approx([1 / 61, 1 / 62, 1 / 63])
    assert reciprocal_ranks(2, 1) == pytest.approx([1 / 2, 1 / 3])
    assert reciprocal_ranks(0, 60).tolist() == []


@pytest.mark.parametrize(
    ("technique", "weights", "expected"),
    [
        # Two sub-queries: a hit of both, of the first alone, of the second alone.
        ("arithmetic_mean", None, [0.75, 0.5, 0.4]),
        ("arithmetic_mean", (0.3, 0.7), [0.65, 0.3, 0.56]),
        ("geometric_mean", None, [math.sqrt(0.5), 1.0, 0.8]),
        ("geometric_mean", (0.3, 0.7), [0.5**0.7, 1.0, 0.8]),
        ("harmonic_mean", None, [2 / 3, 1.0, 0.8]),
        ("harmonic_mean", (0.3, 0.7), [1 / (0.3 + 0.7 / 0.5), 1.0, 0.8]),
    ],
)
def test_means_by_hand(technique: str, weights: tuple[float, ...] | None, expected: list[float]) -> None:
    scores = np.array([[1.0, 0.5], [1.0, 0.0], [0.0, 0.8]], dtype=np.float32)
    assert combined(scores, Combination(technique=technique, weights=weights)) == pytest.approx(expected)


def test_the_example_of_the_documentation() -> None:
    """Hybrid search, "Combining a match query and a term query": each finds one document, with weights 0.3 and 0.7."""
    combination = Combination(weights=(0.3, 0.7))
    first, second = normalized([float32(0.2876821), float32(0.9808291)], combination)
    scores = np.array([[first[0], 0.0], [0.0, second[0]]], dtype=np.float32)
    assert combined(scores, combination) == pytest.approx([0.3, 0.7])


def test_weights_of_ranks_are_factors() -> None:
    scores = np.array([[1 / 61, 1 / 62], [0.0, 1 / 61]], dtype=np.float32)
    assert combined(scores, Combination("rrf", "rrf")) == pytest.approx([1 / 61 + 1 / 62, 1 / 61])
    weighted = Combination("rrf", "rrf", weights=(0.7, 0.3))
    assert combined(scores, weighted) == pytest.approx([0.7 / 61 + 0.3 / 62, 0.3 / 61])


@pytest.mark.parametrize(
    "combination", [Combination(weights=(0.5, 0.5)), Combination(lower_bounds=(Bound(0.5), Bound(0.5)))]
)
def test_weights_and_bounds_are_as_many_as_the_queries(combination: Combination) -> None:
    check_combination(combination, 2)
    with pytest.raises(Refused, match="number of sub-queries"):
        check_combination(combination, 3)


@given(
    halves=st.lists(SCORES, min_size=1, max_size=5),
    normalization=st.sampled_from(["min_max", "l2", "z_score", "rrf"]),
    technique=st.sampled_from(["arithmetic_mean", "geometric_mean", "harmonic_mean"]),
    is_weighted=st.booleans(),
    bounds=st.tuples(BOUNDS, BOUNDS),
)
def test_scores_are_those_of_a_second_implementation(
    halves: list[list[float]],
    normalization: str,
    technique: str,
    is_weighted: bool,
    bounds: tuple[Bound | None, Bound | None],
) -> None:
    count = len(halves)
    lower, upper = ((bound,) * count if bound else None for bound in bounds)
    weights = (1 / count,) * count if is_weighted else None
    combination = Combination(normalization, technique, weights, RANK_CONSTANT, lower, upper)
    found = normalized([float32(*sorted(half, reverse=True)) for half in halves], combination)
    for one, half in zip(found, halves, strict=True):
        assert one == pytest.approx(plain_normalized(sorted(half, reverse=True), normalization, *bounds), **NEAR)
    # One document for each row; shorter halves don't have the later ones.
    scores = np.zeros((max(map(len, halves)), count), dtype=np.float32)
    for place, one in enumerate(found):
        scores[: len(one), place] = one
    totals = combined(scores, combination)
    for row, total in zip(scores.tolist(), totals.tolist(), strict=True):
        assert total == pytest.approx(plain_mean(row, "rrf" if normalization == "rrf" else technique, weights), **NEAR)
