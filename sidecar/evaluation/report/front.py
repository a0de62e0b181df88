"""Which choices no other beats in one thing without losing in another."""

from __future__ import annotations

from collections.abc import Sequence


def pareto_front(points: Sequence[tuple[float, float]]) -> list[bool]:
    """Which of the points (cost, gain) are on the Pareto front, in the order given.

    One is not on it where another costs no more and gains no less, and is better in one of them. Equal points are all
    on it, or none.
    """
    return [not any(_beats(other, point) for other in points) for point in points]


def _beats(other: tuple[float, float], point: tuple[float, float]) -> bool:
    return other[0] <= point[0] and other[1] >= point[1] and other != point
