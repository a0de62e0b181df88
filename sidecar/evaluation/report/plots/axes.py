"""What the axes of several plots share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sidecar.evaluation.report.plots.drawing import shortened
from sidecar.evaluation.report.standing import Standing

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LOGARITHMIC_FROM = 4.0
"""Where the largest latency is this many times the smallest, its axis is logarithmic."""


def scale_latencies(axes: Axes, milliseconds: Sequence[float]) -> bool:
    """Make the x axis logarithmic where the latencies differ much; returns whether it is."""
    if min(milliseconds) <= 0 or max(milliseconds) < LOGARITHMIC_FROM * min(milliseconds):
        return False
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.xaxis.set_minor_formatter(lambda value, _: f"{value:g}" if f"{value:e}"[0] in "25" else "")
    return True


def name_rows(axes: Axes, standing: Sequence[Standing]) -> None:
    """A row for each choice, the best on top, by name and rank."""
    axes.set_yticks([one.rank for one in standing], [f"{one.rank}. {shortened(one.name)}" for one in standing])
    axes.set_ylim(len(standing) + 0.6, 0.4)
    axes.grid(visible=False, axis="y")
