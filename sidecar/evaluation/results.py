"""What an evaluation has measured, as it is kept in JSON and handed to reports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Method = Literal["TENSOR", "LEXICAL", "HYBRID"]

FORMAT_VERSION = 1


@dataclass(frozen=True)
class Choice:
    """One configuration: what is embedded how, and how it is searched; None where a thing does not apply.

    `name` is unique in an evaluation and short enough for a table. `max_tokens` is the length at which texts are cut.
    `chunking` is as `sentence/2/0`: method, length and overlap; None: a document is one chunk. `alpha` is the weight of
    the tensor half of hybrid search. `ef_search`, `m` and `ef_construction` are those of the HNSW graph.
    """

    name: str
    method: Method
    model: str | None = None
    precision: str | None = None
    max_tokens: int | None = None
    chunking: str | None = None
    alpha: float | None = None
    ef_search: int | None = None
    m: int | None = None
    ef_construction: int | None = None


@dataclass(frozen=True)
class Latency:
    """Times of single searches over HTTP, one at a time, in milliseconds."""

    p50_ms: float
    p90_ms: float
    p99_ms: float
    mean_ms: float
    searches: int


@dataclass(frozen=True)
class Indexing:
    """What it took to index the documents for a choice; choices that search one index share it.

    `documents_per_second` is None where the embeddings came from the cache of an earlier run.
    `storage_bytes` is the size of the index's primary shards after a merge to one segment; `chunks` counts vectors;
    `memory_bytes` is the peak of the resident memory of the process that embeds.
    """

    documents: int
    chunks: int
    seconds: float
    documents_per_second: float | None
    storage_bytes: int
    memory_bytes: int
    dimensions: int | None = None


@dataclass(frozen=True)
class Outcome:
    """What one choice has reached.

    `per_query` maps a measure's name, as `nDCG@10`, `R@10`, `R@100`, `RR`, to the value of each query by its id, every
    judged query included. `ann_recall` is the part of the exact nearest ten that HNSW finds, by `ef_search`; empty for
    lexical searches.
    """

    choice: Choice
    per_query: Mapping[str, Mapping[str, float]]
    latency: Latency
    indexing: Indexing
    ann_recall: Mapping[int, float]

    def mean(self, measure: str) -> float:
        """The measure's mean over all judged queries. Raises: KeyError where it was not measured."""
        values = self.per_query[measure]
        return sum(values.values()) / len(values)


@dataclass(frozen=True)
class DataFacts:
    """The data set: its name, its sizes, and a fingerprint of its contents."""

    name: str
    documents: int
    queries: int
    judgements: int
    fingerprint: str


@dataclass(frozen=True)
class Machine:
    """Where it was measured: an evaluation's times compare on one machine only."""

    processor: str
    processors: int
    memory_bytes: int
    opensearch: str
    sidecar: str


@dataclass(frozen=True)
class Evaluation:
    """All that was measured of one data set, in the order in which the choices were given."""

    data: DataFacts
    machine: Machine
    began_at: str
    outcomes: tuple[Outcome, ...]
