"""The Pareto front has what it must have, and nothing more."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sidecar.evaluation.report.front import pareto_front

_FEW = st.integers(0, 6).map(float)
_POINTS = st.lists(st.tuples(_FEW, _FEW), min_size=1, max_size=12)


def test_front_of_five_points() -> None:
    points = [(1.0, 0.4), (2.0, 0.6), (2.0, 0.5), (3.0, 0.6), (9.0, 0.9)]
    assert pareto_front(points) == [True, True, False, False, True]


def test_equal_points_are_all_on_the_front() -> None:
    assert pareto_front([(1.0, 0.5), (1.0, 0.5)]) == [True, True]


def test_no_points_have_no_front() -> None:
    assert pareto_front([]) == []


@given(_POINTS)
def test_the_cheapest_of_the_best_and_the_best_of_the_cheapest_are_on_it(points: list[tuple[float, float]]) -> None:
    on = [point for point, is_on in zip(points, pareto_front(points), strict=True) if is_on]
    assert min(points, key=lambda point: (-point[1], point[0])) in on
    assert min(points, key=lambda point: (point[0], -point[1])) in on


@given(_POINTS)
def test_along_the_front_more_cost_is_more_gain(points: list[tuple[float, float]]) -> None:
    on = {point for point, is_on in zip(points, pareto_front(points), strict=True) if is_on}
    gains = [gain for _, gain in sorted(on)]
    assert gains == sorted(set(gains))


@given(_POINTS)
def test_each_point_off_the_front_is_beaten_by_one_on_it(points: list[tuple[float, float]]) -> None:
    is_on = pareto_front(points)
    on = [point for point, here in zip(points, is_on, strict=True) if here]
    for point, here in zip(points, is_on, strict=True):
        if not here:
            assert any(cost <= point[0] and gain >= point[1] for cost, gain in on)
