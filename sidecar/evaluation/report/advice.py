"""Which choice to take, in a sentence or two."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sidecar.evaluation.report import wording
from sidecar.evaluation.report.standing import LEADING, Standing, Verdict, standings
from sidecar.evaluation.results import Evaluation

HARDLY_CHEAPER = 1.2
"""Latencies and sizes of which the larger is at most this many times the smaller do not decide."""


def advice_on(evaluation: Evaluation) -> str:
    """Which choice to take and why, with its figures."""
    return advice_of(standings(evaluation))


def advised(standing: Sequence[Standing]) -> Standing:
    """The choice to take: of the best and those as good, the fastest (p50), then the smallest, then the best.

    Of what differs by a fifth at most, neither counts as faster or smaller.
    """
    good = [one for one in standing if one.verdict in (Verdict.BEST, Verdict.AS_GOOD)]
    fast = _lowest(good, lambda one: one.p50_ms)
    return min(_lowest(fast, lambda one: one.storage_bytes), key=lambda one: one.rank)


def _lowest(among: Sequence[Standing], cost: Callable[[Standing], float]) -> list[Standing]:
    least = min(cost(one) for one in among)
    return [one for one in among if cost(one) <= HARDLY_CHEAPER * least]


def advice_of(standing: Sequence[Standing]) -> str:
    """The advice, from choices that are compared already, the best first."""
    best, *others = standing
    taken = advised(standing)
    costs = f"{wording.milliseconds(taken.p50_ms)} ms (p50) from an index of {wording.size(taken.storage_bytes)}"
    if not others:
        found = f"Only {best.name} was measured: {LEADING} {best.mean:.3f}, {costs}."
        return f"{found} Measure a second choice to compare it with."
    if taken is not best:
        return _instead_of(taken, best)
    return f"Take {best.name}: {_lead_of(best, others)} It answers in {costs}."


def _instead_of(taken: Standing, best: Standing) -> str:
    if taken.mean == best.mean:
        reach = f"no choice has a higher {LEADING} ({best.mean:.3f}, as {best.name} has)"
    else:
        reach = (
            f"its {LEADING} of {taken.mean:.3f} is not significantly below the best, {best.name} with {best.mean:.3f} "
            f"({_p(taken)})"
        )
    return f"Take {taken.name}: {reach}. {_cost(taken, best)}."


def _cost(taken: Standing, best: Standing) -> str:
    times = f"{wording.milliseconds(taken.p50_ms)} ms (p50) instead of {wording.milliseconds(best.p50_ms)}"
    size, other = wording.size(taken.storage_bytes), wording.size(best.storage_bytes)
    sizes = f"is as large ({size})" if size == other else f"takes {size} instead of {other}"
    return f"It answers in {times}, and its index {sizes}"


def _lead_of(best: Standing, others: Sequence[Standing]) -> str:
    """Why the best is the one to take."""
    lead = f"its {LEADING} of {best.mean:.3f} is"
    good = [one for one in others if one.verdict is Verdict.AS_GOOD]
    if good:
        return f"{lead} the highest, and {_as_good(good)}, but not clearly faster, or as fast and smaller."
    nearest = f"{others[0].name} follows with {others[0].mean:.3f}, {_p(others[0])}"
    if any(one.verdict is Verdict.UNSURE for one in others):
        return f"{lead} the highest ({nearest})."
    return f"{lead} significantly higher than that of every other choice ({nearest})."


def _as_good(good: Sequence[Standing]) -> str:
    if len(good) == 1:
        return f"{good[0].name} is as good ({good[0].mean:.3f}, {_p(good[0])})"
    least = min(one.p_value for one in good if one.p_value is not None)
    return f"{len(good)} others are as good (p ≥ {least:.2f})"


def _p(one: Standing) -> str:
    return f"p {wording.p_value(one.p_value)}"
