"""The configurations that are compared: lists of values multiplied out, completed, and named."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product

from sidecar.embedding.model_spec import PRECISIONS
from sidecar.errors import InvalidArgument
from sidecar.evaluation.chunkings import NONE, checked_chunking
from sidecar.evaluation.data.collection import Kind
from sidecar.evaluation.models import Models
from sidecar.evaluation.results import Choice, Method
from sidecar.opensearch.index_settings import AnnParameters
from sidecar.searching.tensor import CANDIDATES

METHODS: tuple[Method, ...] = ("TENSOR", "LEXICAL", "HYBRID")
DEFAULT_ALPHA = 0.5
"""That of the API."""
DEFAULT_EF_SEARCH = CANDIDATES[0]
"""What HNSW looks at for a page of ten hits, where a search says nothing else."""
_DEFAULT_ANN = AnnParameters()


@dataclass(frozen=True)
class Grid:
    """Values of which every combination is a choice; None stands for the model's or the API's own."""

    models: Sequence[str] = ()
    precisions: Sequence[str | None] = (None,)
    max_tokens: Sequence[int | None] = (None,)
    chunkings: Sequence[str] = (NONE,)
    methods: Sequence[Method] = ("TENSOR",)
    alphas: Sequence[float] = (DEFAULT_ALPHA,)
    ef_searches: Sequence[int | None] = (None,)
    ms: Sequence[int | None] = (None,)
    ef_constructions: Sequence[int | None] = (None,)


def expand(grid: Grid) -> list[Choice]:
    """The choices, without names; those that need one index stand together.

    A choice has nothing of what it does not need: there is one lexical one, and ``alpha`` counts for hybrid ones only.
    Raises: InvalidArgument where a choice needs a model and none is given.
    """
    if not grid.models and set(grid.methods) != {"LEXICAL"}:
        raise InvalidArgument("No model is given: name one or several with --model.")
    lexical = [Choice("", "LEXICAL")] if "LEXICAL" in grid.methods else []
    indexes = product(grid.models, grid.precisions, grid.max_tokens, grid.chunkings, grid.ms, grid.ef_constructions)
    embedded = [
        Choice("", method, model, precision, tokens, chunking, alpha, ef_search, m, ef_construction)
        for model, precision, tokens, chunking, m, ef_construction in indexes
        for method, alpha in _ways(grid)
        for ef_search in grid.ef_searches
    ]
    return lexical + embedded


def _ways(grid: Grid) -> Iterator[tuple[Method, float | None]]:
    for method in grid.methods:
        if method == "TENSOR":
            yield method, None
        elif method == "HYBRID":
            yield from ((method, alpha) for alpha in grid.alphas)


def complete(choice: Choice, models: Models, kind: Kind) -> Choice:
    """The choice with every value that it needs, and none that it does not; its name stays.

    Raises: UnknownModel, InvalidArgument, saying which value breaks which rule.
    """
    if choice.method not in METHODS:
        raise InvalidArgument(f"method {choice.method!r} must be one of {', '.join(METHODS).lower()}.")
    if kind is Kind.IMAGE and choice.method != "TENSOR":
        raise InvalidArgument(f"Pictures have no words: method {choice.method.lower()} finds none. Use tensor.")
    if choice.method == "LEXICAL":
        return Choice(choice.name, "LEXICAL")
    if choice.model is None:
        raise InvalidArgument(f"method {choice.method.lower()} needs a model.")
    if choice.precision not in (None, *PRECISIONS):
        raise InvalidArgument(f"precision {choice.precision!r} must be one of {', '.join(PRECISIONS)}.")
    for name in ("max_tokens", "ef_search", "m", "ef_construction"):
        value = getattr(choice, name)
        if value is not None and value < 1:
            raise InvalidArgument(f"{name} is {value}; it must be at least 1.")
    spec = models.spec(choice)
    return replace(
        choice,
        precision=spec.precision,
        max_tokens=spec.max_tokens,
        chunking=checked_chunking(choice.chunking or NONE) if kind is Kind.TEXT else None,
        alpha=_alpha(choice),
        m=choice.m or _DEFAULT_ANN.m,
        ef_construction=choice.ef_construction or _DEFAULT_ANN.ef_construction,
        ef_search=choice.ef_search or DEFAULT_EF_SEARCH,
    )


def _alpha(choice: Choice) -> float | None:
    if choice.method != "HYBRID":
        return None
    alpha = DEFAULT_ALPHA if choice.alpha is None else choice.alpha
    if not 0 <= alpha <= 1:
        raise InvalidArgument(f"alpha is {alpha}; it must be from 0 (all words) to 1 (all meaning).")
    return alpha


def complete_all(choices: Sequence[Choice], models: Models, kind: Kind) -> list[Choice]:
    """All of them completed, each once, and those without a name named.

    Raises: InvalidArgument, and for a name that two have.
    """
    completed: dict[Choice, Choice] = {}
    for choice in choices:
        whole = complete(choice, models, kind)
        completed.setdefault(replace(whole, name=""), whole)
    return _named(list(completed.values()))


def _named(choices: Sequence[Choice]) -> list[Choice]:
    """Names of what tells the choices apart, and of the way of searching."""
    embedded = [choice for choice in choices if choice.method != "LEXICAL"]
    differing = {
        field
        for field in ("precision", "chunking", "ef_search", "m", "ef_construction")
        if len({getattr(choice, field) for choice in embedded}) > 1
    }
    # Lengths that are the models' own say nothing more than their names.
    lengths = {(choice.model, choice.max_tokens) for choice in embedded}
    if len(lengths) > len({model for model, _ in lengths}):
        differing.add("max_tokens")
    shown_models = {choice.model: (choice.model or "").rpartition("/")[2] for choice in embedded}
    if len(set(shown_models.values())) < len(shown_models):
        shown_models = {model: model or "" for model in shown_models}
    named = [
        replace(choice, name=choice.name or _name(choice, shown_models.get(choice.model, ""), differing))
        for choice in choices
    ]
    names = [choice.name for choice in named]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InvalidArgument(f"Two choices have the name {twice!r}: give them different ones.")
    return named


def _name(choice: Choice, model: str, differing: set[str]) -> str:
    if choice.method == "LEXICAL":
        return "lexical"
    parts = [model]
    if "precision" in differing or choice.precision != "float32":
        parts.append(str(choice.precision))
    if "max_tokens" in differing:
        parts.append(f"{choice.max_tokens} tokens")
    if "chunking" in differing:
        parts.append(choice.chunking or "whole")
    if "m" in differing:
        parts.append(f"m {choice.m}")
    if "ef_construction" in differing:
        parts.append(f"ef_construction {choice.ef_construction}")
    parts.append(choice.method.lower() if choice.alpha is None else f"hybrid {choice.alpha:g}")
    if "ef_search" in differing:
        parts.append(f"ef {choice.ef_search}")
    return " ".join(parts)
