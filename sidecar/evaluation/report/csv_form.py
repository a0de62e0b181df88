"""An evaluation as CSV: a row for each choice, for spreadsheets."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import asdict

from sidecar.evaluation.report.advice import advised
from sidecar.evaluation.report.standing import LEADING, Standing

Cell = str | int | float | None


def to_csv(standing: Sequence[Standing]) -> str:
    """A header, then a row for each choice, the best first; a cell is empty where a figure does not apply.

    Means have full precision. `advised` and `on_front` are 1 or 0. Units stand in the names of columns.
    """
    sizes = sorted({ef_search for one in standing for ef_search in one.outcome.ann_recall})
    taken = advised(standing)
    rows = [_row(one, sizes) | {"advised": int(one is taken)} for one in standing]
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _row(one: Standing, sizes: Sequence[int]) -> dict[str, Cell]:
    outcome = one.outcome
    return {
        "rank": one.rank,
        **asdict(outcome.choice),
        **{measure: outcome.mean(measure) for measure in outcome.per_query},
        f"{LEADING}_low": one.interval.low if one.interval else None,
        f"{LEADING}_high": one.interval.high if one.interval else None,
        "difference": one.difference,
        "p_value": one.p_value,
        "verdict": one.verdict.value,
        "on_front": int(one.is_on_front),
        **asdict(outcome.latency),
        **{f"index_{name}": value for name, value in asdict(outcome.indexing).items()},
        **{f"ann_recall_ef_{ef_search}": outcome.ann_recall.get(ef_search) for ef_search in sizes},
    }
