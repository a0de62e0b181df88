"""Which queries a choice answers better or worse than the best."""

from __future__ import annotations

from dataclasses import dataclass

from sidecar.evaluation.report.standing import LEADING, Standing

SHOWN = 5
"""Queries that are named on each side."""

_EQUAL = 1e-9


@dataclass(frozen=True)
class QueryDifference:
    """A query's value of the leading measure, and the best choice's; the difference is between -1 and 1."""

    query: str
    value: float
    best: float

    @property
    def difference(self) -> float:
        """What the choice gains, or loses where it is below 0."""
        return self.value - self.best


@dataclass(frozen=True)
class Gains:
    """A choice beside the best: how many queries it answers better, worse and equally; those that differ most."""

    standing: Standing
    better: int
    worse: int
    equal: int
    most_gained: tuple[QueryDifference, ...]
    most_lost: tuple[QueryDifference, ...]


def gains_of(one: Standing, best: Standing) -> Gains:
    """Compare a choice with the best, query by query; among equal differences by the query's id."""
    values, of_best = one.outcome.per_query[LEADING], best.outcome.per_query[LEADING]
    every = [QueryDifference(query, value, of_best[query]) for query, value in values.items()]
    better = sorted((each for each in every if each.difference > _EQUAL), key=_descending)
    worse = sorted((each for each in every if each.difference < -_EQUAL), key=_ascending)
    return Gains(
        standing=one,
        better=len(better),
        worse=len(worse),
        equal=len(every) - len(better) - len(worse),
        most_gained=tuple(better[:SHOWN]),
        most_lost=tuple(worse[:SHOWN]),
    )


def _descending(each: QueryDifference) -> tuple[float, str]:
    return -each.difference, each.query


def _ascending(each: QueryDifference) -> tuple[float, str]:
    return each.difference, each.query
