"""The rows of a comparison, as a terminal shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.table import Table
from rich.text import Text

from sidecar.evaluation.report import wording
from sidecar.evaluation.report.figures import COSTS, Difference

_WRITERS = {figure.name: figure.write for figure in COSTS}
_WORDS = {True: "better", False: "worse", None: ""}
_STYLES = {True: "green", False: "red", None: ""}


def make_table(choices: Mapping[str, Sequence[Difference]]) -> Table:
    """A section for each choice with a row for each figure; its name stands in the first row."""
    table = Table(caption_justify="left", box=None, pad_edge=False)
    table.add_column("choice", overflow="fold")
    table.add_column("figure")
    for header in ("A", "B", "change", "p", ""):
        table.add_column(header, justify="right")
    for name, differences in choices.items():
        for at, difference in enumerate(differences):
            cells = (name if at == 0 else "", *_cells(difference))
            table.add_row(*(Text(cell) for cell in cells), style=_STYLES[difference.is_better])
        table.add_row()
    return table


def _cells(difference: Difference) -> tuple[str, ...]:
    write = _WRITERS.get(difference.figure, wording.value)
    first, second = (
        wording.NONE if number is None else write(number) for number in (difference.first, difference.second)
    )
    p_value = "" if difference.p_value is None else wording.p_value(difference.p_value).removeprefix("= ")
    return difference.figure, first, second, _change(difference), p_value, _WORDS[difference.is_better]


def _change(difference: Difference) -> str:
    """The difference of a measure; the relative change of a cost."""
    first, second = difference.first, difference.second
    if first is None or second is None or not difference.is_comparable:
        return wording.NONE
    if difference.figure not in _WRITERS:
        return wording.signed(second - first)
    return wording.NONE if first == 0 else wording.percent(second / first - 1)
