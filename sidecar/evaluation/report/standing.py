"""How the choices of an evaluation stand beside the best of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np

from sidecar.evaluation.report.front import pareto_front
from sidecar.evaluation.report.significance import SIGNIFICANT, Interval, holm, mean_interval, paired_p_values
from sidecar.evaluation.results import Evaluation, Outcome

LEADING = "nDCG@10"
"""The measure by which choices are ranked."""

NOTICEABLE = 0.05
"""The part of the best mean that another may lack before people notice: K. Spärck Jones, Automatic Indexing, Journal of
Documentation 30, 1974, calls differences of 5 % noticeable and of 10 % material."""


class Verdict(str, Enum):
    """How a choice compares with the best one; the value is how it is told."""

    BEST = "best"
    AS_GOOD = "as good"
    UNSURE = "unsure"
    WORSE = "worse"


MEANINGS = {
    Verdict.BEST: "the highest mean",
    Verdict.AS_GOOD: "not significantly worse than the best, and less than 5 % below it",
    Verdict.UNSURE: "5 % or more below the best, but the queries are too few to be sure that it is worse",
    Verdict.WORSE: "significantly worse than the best",
}


@dataclass(frozen=True)
class Standing:
    """A choice among the others, by the leading measure.

    `rank` counts from 1, the best. `difference` is the mean minus the best one's, 0 or below. `p_value` is corrected
    for the number of choices; None for the best. `is_on_front`: no other choice is both faster (p50) and better.
    Intervals are None where there is one query only; the best has none for its difference.
    """

    outcome: Outcome
    rank: int
    mean: float
    interval: Interval | None
    difference: float
    difference_interval: Interval | None
    p_value: float | None
    is_on_front: bool
    verdict: Verdict

    @property
    def name(self) -> str:
        """The choice's name."""
        return self.outcome.choice.name

    @property
    def p50_ms(self) -> float:
        """The median latency of a search."""
        return self.outcome.latency.p50_ms

    @property
    def storage_bytes(self) -> int:
        """The size of the index."""
        return self.outcome.indexing.storage_bytes

    @property
    def own_recall(self) -> float | None:
        """What HNSW finds of the exact nearest ten at the choice's own `ef_search`; None where it was not measured."""
        ef_search = self.outcome.choice.ef_search
        return None if ef_search is None else self.outcome.ann_recall.get(ef_search)


def standings(evaluation: Evaluation) -> tuple[Standing, ...]:
    """All choices, the best first; those of equal means by latency, then by storage.

    The best is compared with each other one by a paired randomisation test over queries, with Holm's correction.
    """
    ranked = sorted(evaluation.outcomes, key=_order)
    means = [outcome.mean(LEADING) for outcome in ranked]
    on_front = pareto_front([(outcome.latency.p50_ms, mean) for outcome, mean in zip(ranked, means, strict=True)])
    values = _values(ranked)
    differences = values[1:] - values[0]
    p_values = [None, *holm(paired_p_values(differences))]
    return tuple(
        Standing(
            outcome=outcome,
            rank=at + 1,
            mean=means[at],
            interval=mean_interval(list(values[at])),
            difference=means[at] - means[0],
            difference_interval=mean_interval(list(values[at] - values[0])) if at else None,
            p_value=p_values[at],
            is_on_front=on_front[at],
            verdict=_verdict(means[at], means[0], p_values[at]),
        )
        for at, outcome in enumerate(ranked)
    )


def _order(outcome: Outcome) -> tuple[float, float, int]:
    return -outcome.mean(LEADING), outcome.latency.p50_ms, outcome.indexing.storage_bytes


def _values(outcomes: Sequence[Outcome]) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """Values of the leading measure, shape (outcomes, queries); each row in the same order of queries."""
    queries = list(outcomes[0].per_query[LEADING])
    rows = [[outcome.per_query[LEADING][query] for query in queries] for outcome in outcomes]
    return np.asarray(rows, dtype=np.float64)


def _verdict(mean: float, best: float, p_value: float | None) -> Verdict:
    if p_value is None:
        return Verdict.BEST
    if p_value < SIGNIFICANT:
        return Verdict.WORSE
    return Verdict.AS_GOOD if mean > best * (1 - NOTICEABLE) or mean == best else Verdict.UNSURE
