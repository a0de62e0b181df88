"""How many of the exact nearest neighbours the graph finds, by the effort of a search."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import cycle

from sidecar.evaluation.report.plots.drawing import SERIES, Plot, new_figure, shortened
from sidecar.evaluation.results import Choice, Outcome

_MARKERS = "osD^vPX"
"""One more than there are colours, so that pairs of both are many."""

_SHORT = 26


def recall_of_graph(outcomes: Sequence[Outcome]) -> Plot | None:
    """A line for each index with a graph; None where there is none."""
    curves = recall_curves(outcomes)
    if not curves:
        return None
    plot = Plot(
        name="recall",
        title="Recall of HNSW against ef_search",
        description="; ".join(f"{name}: {_told(curve)}" for name, curve in curves.items()),
        figure=new_figure(3.2 + 0.19 * len(curves)),
    )
    axes = plot.figure.add_subplot()
    for (name, curve), colour, marker in zip(curves.items(), cycle(SERIES), cycle(_MARKERS), strict=False):
        sizes = sorted(curve)
        line = axes.plot(
            sizes,
            [curve[ef_search] for ef_search in sizes],
            color=colour.value,
            marker=marker,
            markersize=5,
            linewidth=1.6,
            label=shortened(name, letters=60),
        )[0]
        line.set_gid(plot.tip(f"{name}: {_told(curve)}"))
    axes.set_xscale("log", base=2)
    ticks = sorted({ef_search for curve in curves.values() for ef_search in curve})
    axes.set_xticks(ticks, [str(tick) for tick in ticks])
    axes.set_xticks([], minor=True)
    axes.set_xlabel("ef_search")
    axes.set_ylabel("recall of the nearest ten")
    plot.figure.legend(loc="outside lower center", ncols=2 if max(len(name) for name in curves) <= _SHORT else 1)
    return plot


def recall_curves(outcomes: Sequence[Outcome]) -> dict[str, Mapping[int, float]]:
    """Recall by `ef_search` of each index, by what sets it apart from the others, in the order of outcomes."""
    curves: dict[tuple[str, ...], Mapping[int, float]] = {}
    for outcome in outcomes:
        if outcome.ann_recall:
            curves.setdefault(_index_of(outcome.choice), outcome.ann_recall)
    return dict(zip(_names(list(curves)), curves.values(), strict=True))


def _names(indexes: Sequence[tuple[str, ...]]) -> list[str]:
    """What sets each index apart; the model where there is one index."""
    models = {model for model, *_ in indexes}
    short = {model: model.rsplit("/", 1)[-1] for model in models}
    if len(set(short.values())) < len(models):
        short = {model: model for model in models}
    apart = [at for at, parts in enumerate(zip(*indexes, strict=True)) if len(set(parts)) > 1] or [0]
    return [", ".join((short[index[0]], *index[1:])[at] for at in apart) for index in indexes]


def _index_of(choice: Choice) -> tuple[str, ...]:
    """What makes an index: two choices of which this is the same search the same one."""
    return (
        choice.model or "no model",
        choice.precision or "default precision",
        "whole texts" if choice.max_tokens is None else f"{choice.max_tokens} tokens",
        f"chunks {choice.chunking}" if choice.chunking else "one chunk",
        "default m" if choice.m is None else f"m {choice.m}",
        "default ef_construction" if choice.ef_construction is None else f"ef_construction {choice.ef_construction}",
    )


def _told(curve: Mapping[int, float]) -> str:
    return ", ".join(f"{curve[ef_search]:.3f} at {ef_search}" for ef_search in sorted(curve))
