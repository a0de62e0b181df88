"""What choices cost: the time of a search, and the size of the index."""

from __future__ import annotations

from collections.abc import Sequence

from sidecar.evaluation.report import wording
from sidecar.evaluation.report.plots.axes import name_rows, scale_latencies
from sidecar.evaluation.report.plots.drawing import Colour, Plot, new_figure
from sidecar.evaluation.report.standing import Standing


def latencies(standing: Sequence[Standing]) -> Plot:
    """A row for each choice: a line from the median to the 99th percentile, with a mark at the 90th."""
    plot = Plot(
        name="latencies",
        title="Latency of searches",
        description="; ".join(_times(one) for one in standing),
        figure=new_figure(0.8 + 0.3 * len(standing)),
    )
    axes = plot.figure.add_subplot()
    for one in standing:
        latency = one.outcome.latency
        axes.hlines(one.rank, latency.p50_ms, latency.p99_ms, color=Colour.MUTED.value, linewidth=1.6)
        axes.plot(latency.p90_ms, one.rank, "|", markersize=9, color=Colour.MUTED.value)
        axes.plot(latency.p99_ms, one.rank, "|", markersize=9, color=Colour.MUTED.value)
        dot = axes.plot(latency.p50_ms, one.rank, "o", markersize=7, color=Colour.ACCENT.value)[0]
        dot.set_gid(plot.tip(_times(one)))
    if not scale_latencies(axes, [ms for one in standing for ms in (one.p50_ms, one.outcome.latency.p99_ms)]):
        axes.set_xlim(left=0)
    name_rows(axes, standing)
    axes.set_xlabel("ms: median, 90th and 99th percentile")
    return plot


def storage(standing: Sequence[Standing]) -> Plot:
    """A bar for each choice; those that search one index have the same."""
    plot = Plot(
        name="storage",
        title="Storage of the index",
        description="; ".join(f"{one.name}: {wording.size(one.storage_bytes)}" for one in standing),
        figure=new_figure(0.8 + 0.3 * len(standing)),
    )
    axes = plot.figure.add_subplot()
    ranks = [one.rank for one in standing]
    bars = axes.barh(ranks, [one.storage_bytes / 1e6 for one in standing], height=0.55, color=Colour.ACCENT.value)
    for bar, one in zip(bars, standing, strict=True):
        bar.set_gid(plot.tip(f"{one.name}: {wording.size(one.storage_bytes)}"))
    axes.bar_label(bars, [wording.size(one.storage_bytes) for one in standing], padding=3, fontsize=8.5)
    axes.margins(x=0.14)
    name_rows(axes, standing)
    axes.set_xlabel("MB")
    return plot


def _times(one: Standing) -> str:
    latency = one.outcome.latency
    p50, p90, p99 = (wording.milliseconds(ms) for ms in (latency.p50_ms, latency.p90_ms, latency.p99_ms))
    return f"{one.name}: median {p50} ms, 90th percentile {p90} ms, 99th {p99} ms"
