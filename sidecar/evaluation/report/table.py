"""The table that a terminal shows."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from sidecar.evaluation.report import wording
from sidecar.evaluation.report.advice import advised
from sidecar.evaluation.report.standing import LEADING, Standing, Verdict, standings
from sidecar.evaluation.results import Evaluation

ADVISED = "→"
ON_FRONT = "•"

_STYLES = {Verdict.BEST: "green", Verdict.AS_GOOD: "green", Verdict.UNSURE: "yellow", Verdict.WORSE: "dim"}
_COSTS = ("p50 ms", "p99 ms", "docs/s", "index", "memory", "HNSW")
_DISPENSABLE = ("p99 ms", "RR", "memory", "R@100", "HNSW", "index", "docs/s", "R@10")
"""What a narrow terminal goes without, the first one first."""
_LONGEST_NAME = 50
_ANY_WIDTH = 10_000


def table_for(console: Console, evaluation: Evaluation) -> Table:
    """A row for each choice, the best first; the advised one is marked and bold. It has as many columns as the terminal
    has room for, each of them whole."""
    standing = standings(evaluation)
    for count in range(len(_DISPENSABLE) + 1):
        table = _table(evaluation, standing, _DISPENSABLE[:count])
        if Measurement.get(console, console.options.update(width=_ANY_WIDTH), table).maximum <= console.width:
            break
    return table


def _table(evaluation: Evaluation, standing: Sequence[Standing], without: Collection[str]) -> Table:
    measures = [name for name in evaluation.outcomes[0].per_query if name not in without]
    table = Table(title=_title(evaluation), caption=_caption(without), caption_justify="left", box=None, pad_edge=False)
    table.add_column("")
    table.add_column("choice", overflow="fold", max_width=_LONGEST_NAME)
    for header in (LEADING, "p", *(name for name in measures if name != LEADING), *_without(_COSTS, without)):
        table.add_column(header, justify="right")
    taken = advised(standing)
    for one in standing:
        figures = [*_relevance(one, measures), *_without(_costs(one), without)]
        cells = (_mark(one, is_advised=one is taken), one.name, *figures)
        table.add_row(*(Text(cell) for cell in cells), style="bold" if one is taken else _STYLES[one.verdict])
    return table


def _mark(one: Standing, *, is_advised: bool) -> str:
    return (ADVISED if is_advised else " ") + (ON_FRONT if one.is_on_front else " ")


def _without(cells: Sequence[str], names: Collection[str]) -> list[str]:
    """Of a cell for each of `_COSTS`, those of the columns that are shown."""
    return [cell for header, cell in zip(_COSTS, cells, strict=True) if header not in names]


def _relevance(one: Standing, measures: Sequence[str]) -> list[str]:
    return [
        wording.value(one.mean),
        one.verdict.value if one.p_value is None else wording.p_value(one.p_value).removeprefix("= "),
        *(wording.value(one.outcome.mean(name)) for name in measures if name != LEADING),
    ]


def _costs(one: Standing) -> list[str]:
    """In the order of `_COSTS`."""
    outcome = one.outcome
    return [
        wording.milliseconds(outcome.latency.p50_ms),
        wording.milliseconds(outcome.latency.p99_ms),
        wording.rate(outcome.indexing.documents_per_second),
        wording.size(outcome.indexing.storage_bytes),
        wording.size(outcome.indexing.memory_bytes),
        wording.NONE if one.own_recall is None else f"{one.own_recall:.3f}",
    ]


def _title(evaluation: Evaluation) -> Text:
    data = evaluation.data
    return Text(f"{data.name}: {data.documents:,} documents, {data.queries:,} queries")


def _caption(without: Collection[str]) -> Text:
    lines = [
        f"{ADVISED} take this one   {ON_FRONT} no other is both faster and better   "
        "p: paired randomisation test against the best, Holm's correction"
    ]
    if without:
        lines.append(f"Wider terminals, and the files, have more: {', '.join(without)}.")
    return Text("\n".join(lines))
