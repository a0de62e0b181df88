"""What the read path is asked to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from sidecar.embedding.loader import Embeddings
from sidecar.embedding.model_spec import CPU, ModelAuth

Filter = str | Mapping[str, Any]
"""Which documents may be hits: a filter string, or a query in OpenSearch's own words."""


class SearchMethod(str, Enum):
    """How hits are found, in the wire's spelling."""

    TENSOR = "TENSOR"
    LEXICAL = "LEXICAL"
    HYBRID = "HYBRID"


class Retrieval(str, Enum):
    """Where a hybrid search takes its documents from, in the wire's spelling."""

    DISJUNCTION = "disjunction"
    TENSOR = "tensor"
    LEXICAL = "lexical"


class Ranking(str, Enum):
    """What orders the documents of a hybrid search, in the wire's spelling."""

    RRF = "rrf"
    NORMALIZE_LINEAR = "normalize_linear"
    TENSOR = "tensor"
    LEXICAL = "lexical"


@dataclass(frozen=True, slots=True, eq=False)
class ContextVector:
    """A vector that a client adds to the query, times its weight; float32, shape (dimensions,)."""

    vector: Embeddings
    weight: float


@dataclass(frozen=True, slots=True)
class Boost:
    """A field's chunks score ``score * weight + bias``."""

    weight: float
    bias: float = 0.0


@dataclass(frozen=True, slots=True)
class ScoreModifiers:
    """Numbers of documents in their scores: ``max(0, score * Π(value * weight) + Σ value * weight)``, of (field,
    weight) each; a field that a document lacks, or that holds no number, is passed over."""

    multiply: tuple[tuple[str, float], ...] = ()
    add: tuple[tuple[str, float], ...] = ()

    @property
    def fields(self) -> list[str]:
        """All fields that are looked at."""
        return list(dict.fromkeys(name for name, _ in (*self.multiply, *self.add)))


@dataclass(frozen=True, slots=True)
class HybridParameters:
    """How the two halves of a hybrid search become one.

    ``alpha`` is the share of the tensor half, ``rrf_k`` the constant of reciprocal rank fusion. The attributes and
    modifiers are those of one half alone; None: the search's own.
    """

    retrieval: Retrieval = Retrieval.DISJUNCTION
    ranking: Ranking = Ranking.RRF
    alpha: float = 0.5
    rrf_k: int = 60
    tensor_attributes: tuple[str, ...] | None = None
    lexical_attributes: tuple[str, ...] | None = None
    tensor_modifiers: ScoreModifiers | None = None
    lexical_modifiers: ScoreModifiers | None = None

    @property
    def is_lexical(self) -> bool:
        """True where words alone find and order the hits."""
        return self.retrieval is Retrieval.LEXICAL and self.ranking is Ranking.LEXICAL

    @property
    def is_fused(self) -> bool:
        """True where the order is made of several answers of the cluster."""
        words_of_neighbours = self.retrieval is Retrieval.TENSOR and self.ranking is Ranking.LEXICAL
        return words_of_neighbours or self.retrieval is Retrieval.DISJUNCTION


@dataclass(frozen=True, slots=True)
class SearchOptions:
    """What OpenSearch can do beside finding and ranking.

    ``ef_search`` is how many candidates HNSW looks at; ``is_exact`` compares every vector instead. ``min_score`` leaves
    out hits below it. ``sort``, ``aggregations`` and ``lexical_highlights`` are OpenSearch's own objects. ``facets``
    maps fields to the number of values told. ``source_includes`` and ``source_excludes`` are patterns of the fields
    that hits show. ``routing`` names the shards. ``point_in_time`` is the id of one, ``search_after`` the place in its
    order behind which hits begin.
    """

    ef_search: int | None = None
    is_exact: bool = False
    min_score: float | None = None
    sort: Sequence[Any] = ()
    aggregations: Mapping[str, Any] | None = None
    facets: Mapping[str, int] = field(default_factory=dict)
    explain: bool = False
    lexical_highlights: Mapping[str, Any] | None = None
    source_includes: tuple[str, ...] = ()
    source_excludes: tuple[str, ...] = ()
    routing: str | None = None
    point_in_time: str | None = None
    search_after: tuple[Any, ...] | None = None


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """One search.

    ``q`` is one text or pointer to an image, or several of them with a weight each; None where ``context`` is all.
    ``limit`` hits are returned from ``offset`` on. ``searchable_attributes`` None means all fields, and
    ``attributes_to_retrieve`` None all. ``text_query_prefix``, where not None, takes the place of the index's own.
    ``media_headers`` go with requests for images. ``auth`` opens the place of a model's files; ``device`` is where
    models run. ``reranker`` is the model that orders the hits anew.
    """

    q: str | Mapping[str, float] | None
    method: SearchMethod = SearchMethod.TENSOR
    limit: int = 10
    offset: int = 0
    searchable_attributes: tuple[str, ...] | None = None
    attributes_to_retrieve: tuple[str, ...] | None = None
    show_highlights: bool = True
    filter: Filter | None = None
    text_query_prefix: str | None = None
    context: Sequence[ContextVector] = ()
    boost: Mapping[str, Boost] = field(default_factory=dict)
    modifiers: ScoreModifiers | None = None
    reranker: str | None = None
    hybrid: HybridParameters = field(default_factory=HybridParameters)
    options: SearchOptions = field(default_factory=SearchOptions)
    media_headers: Mapping[str, str] = field(default_factory=dict)
    auth: ModelAuth | None = None
    device: str = CPU
