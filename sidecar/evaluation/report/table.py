"""The table that a terminal shows."""

from __future__ import annotations

from collections.abc import Sequence

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


def table_of(evaluation: Evaluation) -> Table:
    """A row for each choice, the best first; the advised one is marked and bold."""
    standing = standings(evaluation)
    measures = list(evaluation.outcomes[0].per_query)
    table = Table(title=_title(evaluation), caption=_caption(), caption_justify="left", box=None, pad_edge=False)
    table.add_column("")
    table.add_column("choice", overflow="fold")
    for header in (LEADING, "p", *(name for name in measures if name != LEADING), *_COSTS):
        table.add_column(header, justify="right")
    taken = advised(standing)
    for one in standing:
        cells = (_mark(one, is_advised=one is taken), one.name, *_figures(one, measures))
        table.add_row(*(Text(cell) for cell in cells), style="bold" if one is taken else _STYLES[one.verdict])
    return table


def _mark(one: Standing, *, is_advised: bool) -> str:
    return (ADVISED if is_advised else " ") + (ON_FRONT if one.is_on_front else " ")


def _figures(one: Standing, measures: Sequence[str]) -> list[str]:
    outcome = one.outcome
    return [
        wording.value(one.mean),
        one.verdict.value if one.p_value is None else wording.p_value(one.p_value).removeprefix("= "),
        *(wording.value(outcome.mean(name)) for name in measures if name != LEADING),
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


def _caption() -> Text:
    return Text(
        f"{ADVISED} take this one   {ON_FRONT} no other is both faster and better   "
        "p: paired randomisation test against the best, Holm's correction"
    )
