"""Relevance against latency, and relevance with its uncertainty."""

from __future__ import annotations

from collections.abc import Sequence

from sidecar.evaluation.report import wording
from sidecar.evaluation.report.plots.axes import name_rows, scale_latencies
from sidecar.evaluation.report.plots.drawing import OF_VERDICT, Colour, Plot, new_figure
from sidecar.evaluation.report.plots.labels import label_points
from sidecar.evaluation.report.standing import LEADING, NOTICEABLE, Standing


def relevance_against_latency(standing: Sequence[Standing], taken: Standing) -> Plot:
    """A numbered point for each choice; a line joins those on the Pareto front; the advised one has a ring."""
    front = sorted((one for one in standing if one.is_on_front), key=lambda one: one.p50_ms)
    plot = Plot(
        name="relevance",
        title=f"{LEADING} against median latency",
        description=f"On the Pareto front, the fastest first: {'; '.join(_told(one) for one in front)}.",
        figure=new_figure(4.2),
    )
    axes = plot.figure.add_subplot()
    axes.set_xlabel("median latency of a search in ms")
    axes.set_ylabel(LEADING)
    axes.margins(0.12)
    scale_latencies(axes, [one.p50_ms for one in standing])
    corners = [(one.p50_ms, one.mean) for one in front]
    axes.step(*zip(*corners, strict=True), where="post", color=Colour.ACCENT.value, linewidth=1.4, zorder=2)
    for one in reversed(standing):
        place = (one.p50_ms, one.mean)
        if one is taken:
            axes.plot(*place, "o", markersize=19, markerfacecolor="none", markeredgecolor=Colour.ACCENT.value)
        dot = axes.plot(*place, "o", markersize=13, color=OF_VERDICT[one.verdict].value, zorder=3)[0]
        dot.set_gid(plot.tip(_told(one)))
        axes.annotate(
            str(one.rank), place, ha="center", va="center_baseline", fontsize=8, color=Colour.PAPER.value, zorder=4
        ).set_in_layout(False)
    by_importance = sorted(standing, key=lambda one: (one is not taken, not one.is_on_front, one.rank))
    label_points(axes, [(one.p50_ms, one.mean) for one in by_importance], [one.name for one in by_importance], corners)
    return plot


def means(standing: Sequence[Standing]) -> Plot:
    """A row for each choice, the best on top: its mean, and the interval in which it lies with 95 % confidence."""
    best = standing[0].mean
    plot = Plot(
        name="means",
        title=f"{LEADING} of each choice with 95 % confidence intervals",
        description="; ".join(f"{one.name}: {one.mean:.3f}{_between(one)}, {one.verdict.value}" for one in standing),
        figure=new_figure(0.8 + 0.3 * len(standing)),
    )
    axes = plot.figure.add_subplot()
    axes.axvspan(best * (1 - NOTICEABLE), best, color=Colour.BEST.value, alpha=0.1, linewidth=0)
    axes.axvline(best, color=Colour.BEST.value, linewidth=0.8, linestyle=":")
    for one in standing:
        colour = OF_VERDICT[one.verdict].value
        if one.interval:
            axes.hlines(one.rank, one.interval.low, one.interval.high, color=colour, linewidth=2.2)
        dot = axes.plot(one.mean, one.rank, "o", markersize=7, color=colour)[0]
        dot.set_gid(plot.tip(f"{one.name}: {one.mean:.4f}{_between(one)}"))
    name_rows(axes, standing)
    axes.set_xlabel(LEADING)
    return plot


def _told(one: Standing) -> str:
    return f"{one.rank} {one.name}: {LEADING} {one.mean:.4f}, {wording.milliseconds(one.p50_ms)} ms"


def _between(one: Standing) -> str:
    return f" ({one.interval.low:.3f} to {one.interval.high:.3f})" if one.interval else ""
