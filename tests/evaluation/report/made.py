"""Evaluations made by hand and by hypothesis."""

from __future__ import annotations

import random
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import replace

from hypothesis import strategies as st

from sidecar.evaluation.results import (
    Choice,
    DataFacts,
    Evaluation,
    Indexing,
    Latency,
    Machine,
    Outcome,
)

MEASURES = ("nDCG@10", "R@10", "R@100", "RR")

DATA = DataFacts("scifact", 5_183, 300, 339, "sha256:4f1c")
MACHINE = Machine("AMD EPYC", 2, 16_000_000_000, "3.5.0", "0.9.0")


def latency(p50_ms: float) -> Latency:
    """Times around a median, of 600 searches."""
    return Latency(p50_ms, p50_ms * 1.3, p50_ms * 2.1, p50_ms * 1.1, 600)


def indexing(storage_bytes: int = 8_000_000, rate: float | None = 85.0) -> Indexing:
    """What 5,183 documents took."""
    return Indexing(5_183, 5_183, 61.0, rate, storage_bytes, 910_000_000, 384)


def outcome(
    name: str,
    values: Sequence[float],
    *,
    p50_ms: float = 10.0,
    storage_bytes: int = 8_000_000,
    choice: Choice | None = None,
    ann_recall: Mapping[int, float] | None = None,
) -> Outcome:
    """A choice whose every measure has these values, of the queries q0, q1, …"""
    by_query = {f"q{at}": value for at, value in enumerate(values)}
    return Outcome(
        choice=replace(choice, name=name) if choice else Choice(name, "TENSOR"),
        per_query=dict.fromkeys(MEASURES, by_query),
        latency=latency(p50_ms),
        indexing=indexing(storage_bytes),
        ann_recall=ann_recall or {},
    )


def evaluation(*outcomes: Outcome, data: DataFacts = DATA, machine: Machine = MACHINE) -> Evaluation:
    """An evaluation of these choices."""
    return Evaluation(data, machine, "2026-03-01T09:30:00Z", outcomes)


def noisy(mean: float, *, seed: int, queries: int = 300, spread: float = 0.0, base: int = 7) -> list[float]:
    """Values of queries around a mean. Those of one `base` go together; `spread` is what sets two choices apart."""
    shared, own = random.Random(base), random.Random(seed)
    apart = [(own.random() - 0.5) * spread for _ in range(queries)]
    middle = sum(apart) / queries
    return [min(1.0, max(0.0, mean + (shared.random() - 0.5) * 0.6 + each - middle)) for each in apart]


_MINILM = Choice("", "TENSOR", "hf/all-MiniLM-L6-v2", "float32", 256, None, None, 100, 16, 128)
_E5 = replace(_MINILM, model="hf/e5-base-v2", max_tokens=512)
_GRAPH = {10: 0.83, 25: 0.92, 50: 0.963, 100: 0.984, 200: 0.996}


def example() -> Evaluation:
    """Seven choices as a user may have them: two models, int8, chunks, a lexical and a hybrid search."""

    def one(name: str, choice: Choice, mean: float, p50_ms: float, storage: int, shift: float = 0.0) -> Outcome:
        graph = {} if choice.model is None else {size: min(1.0, part - shift) for size, part in _GRAPH.items()}
        values = noisy(mean, seed=zlib.crc32(name.encode()), spread=0.9)
        made = outcome(name, values, p50_ms=p50_ms, storage_bytes=storage, choice=choice, ann_recall=graph)
        found = {
            measure: {query: min(1.0, value + more) for query, value in made.per_query["nDCG@10"].items()}
            for measure, more in zip(MEASURES, (0.0, 0.15, 0.3, -0.02), strict=True)
        }
        return replace(made, per_query=found)

    hybrid = replace(_E5, method="HYBRID", alpha=0.6)
    return evaluation(
        one("BM25", Choice("", "LEXICAL"), 0.60, 2.41, 7_100_000),
        one("MiniLM", _MINILM, 0.648, 6.9, 19_400_000),
        one("MiniLM int8", replace(_MINILM, precision="int8"), 0.644, 4.5, 11_300_000, 0.012),
        one("MiniLM chunks", replace(_MINILM, chunking="sentence/2/0"), 0.622, 9.8, 61_900_000, 0.004),
        one("E5", _E5, 0.677, 17.2, 28_000_000, 0.02),
        one("E5 ef 25", replace(_E5, ef_search=25), 0.659, 15.9, 28_000_000, 0.02),
        one("E5 hybrid 0.6", hybrid, 0.689, 29.9, 28_000_000, 0.02),
    )


_NUMBERS = st.floats(0, 1, allow_nan=False)
_POSITIVE = st.floats(1e-3, 1e6, allow_nan=False)
_COUNTS = st.integers(0, 2**53)
_TEXTS = st.text(st.characters(codec="utf-8"), max_size=12)
_CHOICES = st.builds(
    Choice,
    name=_TEXTS,
    method=st.sampled_from(["TENSOR", "LEXICAL", "HYBRID"]),
    model=st.none() | _TEXTS,
    precision=st.none() | _TEXTS,
    max_tokens=st.none() | _COUNTS,
    chunking=st.none() | _TEXTS,
    alpha=st.none() | _NUMBERS,
    ef_search=st.none() | _COUNTS,
    m=st.none() | _COUNTS,
    ef_construction=st.none() | _COUNTS,
)
_LATENCIES = st.builds(Latency, _POSITIVE, _POSITIVE, _POSITIVE, _POSITIVE, st.integers(1, 10_000))
_INDEXINGS = st.builds(
    Indexing, _COUNTS, _COUNTS, _POSITIVE, st.none() | _POSITIVE, _COUNTS, _COUNTS, st.none() | _COUNTS
)


@st.composite
def evaluations(draw: st.DrawFn) -> Evaluation:
    """Any evaluation that can be compared: unique names, the same queries for each measure of each choice."""
    choices = draw(st.lists(_CHOICES, min_size=1, max_size=4, unique_by=lambda choice: choice.name))
    queries = draw(st.lists(_TEXTS, min_size=1, max_size=5, unique=True))
    values = st.fixed_dictionaries(dict.fromkeys(queries, _NUMBERS))
    outcomes = tuple(
        Outcome(
            choice=choice,
            per_query=draw(st.fixed_dictionaries(dict.fromkeys(MEASURES, values))),
            latency=draw(_LATENCIES),
            indexing=draw(_INDEXINGS),
            ann_recall=draw(st.dictionaries(st.integers(1, 2_000), _NUMBERS, max_size=3)),
        )
        for choice in choices
    )
    data = draw(st.builds(DataFacts, _TEXTS, _COUNTS, _COUNTS, _COUNTS, _TEXTS))
    machine = draw(st.builds(Machine, _TEXTS, _COUNTS, _COUNTS, _TEXTS, _TEXTS))
    return Evaluation(data, machine, draw(_TEXTS), outcomes)
