"""What a choice costs, figure by figure, and how a figure differs between two evaluations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sidecar.evaluation.report import wording
from sidecar.evaluation.results import Outcome


@dataclass(frozen=True)
class Figure:
    """A cost of a choice, by the name that tables give it; `of` gives None where it was not measured."""

    name: str
    of: Callable[[Outcome], float | None]
    write: Callable[[float], str]
    is_less_better: bool
    depends_on_machine: bool = True


@dataclass(frozen=True)
class Difference:
    """A figure of one choice in two evaluations; None where it was not measured.

    `p_value` is that of a paired test over queries, corrected for the number of choices; None for costs, and where the
    evaluations are not of the same data. `is_comparable` is False where data or machines differ. `is_better` tells of
    the second; None where the two are not surely apart, or can't be compared.
    """

    figure: str
    first: float | None
    second: float | None
    p_value: float | None
    is_comparable: bool
    is_better: bool | None


COSTS = (
    Figure("p50 ms", lambda one: one.latency.p50_ms, wording.milliseconds, is_less_better=True),
    Figure("p99 ms", lambda one: one.latency.p99_ms, wording.milliseconds, is_less_better=True),
    Figure("docs/s", lambda one: one.indexing.documents_per_second, wording.rate, is_less_better=False),
    Figure(
        "index", lambda one: one.indexing.storage_bytes, wording.size, is_less_better=True, depends_on_machine=False
    ),
    Figure("memory", lambda one: one.indexing.memory_bytes, wording.size, is_less_better=True),
)
