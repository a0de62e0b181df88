"""What choices are made of, in words."""

from __future__ import annotations

from collections.abc import Sequence

from sidecar.evaluation.results import Choice


def configurations(choices: Sequence[Choice]) -> tuple[list[str], str]:
    """A line for each choice, in the order given, and what all that embed have in common of their graph.

    What does not apply is left out, and so is what stands in the common line.
    """
    graphs = [_graph(choice) for choice in choices if choice.model is not None]
    shared = graphs[0] if len(graphs) > 1 and len(set(graphs)) == 1 else ()
    lines = [", ".join([*_parts(choice), *(() if shared else _graph(choice))]) for choice in choices]
    return lines, ", ".join(shared)


def _parts(choice: Choice) -> list[str]:
    parts = (
        choice.method.lower(),
        choice.model,
        choice.precision,
        None if choice.max_tokens is None else f"{choice.max_tokens} tokens",
        None if choice.chunking is None else f"chunks {choice.chunking}",
        None if choice.alpha is None else f"alpha {choice.alpha:g}",
        None if choice.ef_search is None else f"ef_search {choice.ef_search}",
    )
    return [part for part in parts if part is not None]


def _graph(choice: Choice) -> tuple[str, ...]:
    parts = (("m", choice.m), ("ef_construction", choice.ef_construction))
    return tuple(f"{name} {number}" for name, number in parts if number is not None)
