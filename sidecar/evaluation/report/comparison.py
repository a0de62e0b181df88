"""Two evaluations side by side: what has become better or worse of the choices that both have."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from rich.table import Table
from rich.text import Text

from sidecar.evaluation.report.comparability import is_same_data, is_same_machine, remarks_on
from sidecar.evaluation.report.comparison_rows import make_table
from sidecar.evaluation.report.figures import COSTS, Difference, Figure
from sidecar.evaluation.report.significance import SIGNIFICANT, holm, paired_p_values
from sidecar.evaluation.results import Evaluation, Outcome

Pair = tuple[Outcome, Outcome]

HARDLY_CHEAPER = 0.1
"""The part by which a cost must change to be called better or worse: less is within what two runs differ."""


@dataclass(frozen=True)
class Comparison:
    """The choices that two evaluations have by the same name, and what keeps figures from being compared."""

    first: str
    second: str
    choices: dict[str, tuple[Difference, ...]]
    only_in_first: tuple[str, ...]
    only_in_second: tuple[str, ...]
    remarks: tuple[str, ...]


def compare(a: Evaluation, b: Evaluation) -> Comparison:
    """Match choices by name, in the order of the first evaluation.

    Relevance is tested query by query (paired randomisation tests; Holm's correction over the choices of one measure),
    where both are of the same data; times are compared where both are of the same machine.
    """
    in_b = {outcome.choice.name: outcome for outcome in b.outcomes}
    pairs = [(one, in_b[one.choice.name]) for one in a.outcomes if one.choice.name in in_b]
    relevance = _relevance(pairs, is_tested=is_same_data(a, b))
    costs = [list(_costs(pair, a, b)) for pair in pairs]
    names = [one.choice.name for one, _ in pairs]
    return Comparison(
        first=f"{a.data.name}, {a.began_at}",
        second=f"{b.data.name}, {b.began_at}",
        choices={name: (*relevance[at], *costs[at]) for at, name in enumerate(names)},
        only_in_first=tuple(one.choice.name for one in a.outcomes if one.choice.name not in in_b),
        only_in_second=tuple(name for name in in_b if name not in names),
        remarks=tuple(remarks_on(a, b)),
    )


def _relevance(pairs: Sequence[Pair], *, is_tested: bool) -> list[list[Difference]]:
    """The differences of all measures that both have, a list for each pair."""
    rows: list[list[Difference]] = [[] for _ in pairs]
    measures = [name for name in pairs[0][0].per_query if name in pairs[0][1].per_query] if pairs else []
    for measure in measures:
        p_values = _p_values(pairs, measure) if is_tested else [None] * len(pairs)
        for row, (one, other), p_value in zip(rows, pairs, p_values, strict=True):
            first, second = one.mean(measure), other.mean(measure)
            is_sure = p_value is not None and p_value < SIGNIFICANT
            row.append(Difference(measure, first, second, p_value, is_tested, second > first if is_sure else None))
    return rows


def _p_values(pairs: Sequence[Pair], measure: str) -> list[float | None]:
    queries = list(pairs[0][0].per_query[measure])
    differences = [
        [other.per_query[measure][query] - one.per_query[measure][query] for query in queries] for one, other in pairs
    ]
    return [*holm(paired_p_values(np.asarray(differences, dtype=np.float64)))]


def _costs(pair: Pair, a: Evaluation, b: Evaluation) -> Iterator[Difference]:
    for figure in COSTS:
        first, second = figure.of(pair[0]), figure.of(pair[1])
        is_same_work = a.data.fingerprint == b.data.fingerprint
        is_comparable = is_same_work and (is_same_machine(a, b) or not figure.depends_on_machine)
        is_better = _is_cheaper(figure, first, second) if is_comparable else None
        yield Difference(figure.name, first, second, None, is_comparable, is_better)


def _is_cheaper(figure: Figure, first: float | None, second: float | None) -> bool | None:
    if first is None or second is None or abs(second - first) < HARDLY_CHEAPER * first:
        return None
    return (second < first) is figure.is_less_better


def comparison_table(comparison: Comparison) -> Table:
    """Rows for each choice: a figure in both evaluations, the change, the p value; remarks stand below.

    The change is left out where figures can't be compared.
    """
    table = make_table(comparison.choices)
    table.title = Text(f"A: {comparison.first}\nB: {comparison.second}")
    table.caption = Text("\n".join(_lines(comparison)))
    return table


def _lines(comparison: Comparison) -> Iterator[str]:
    yield from comparison.remarks
    if not comparison.choices:
        yield "No choice has the same name in both."
    for side, names in (("A", comparison.only_in_first), ("B", comparison.only_in_second)):
        if names:
            yield f"Only in {side}: {', '.join(names)}."
    yield "p: paired randomisation test over queries, Holm's correction."
