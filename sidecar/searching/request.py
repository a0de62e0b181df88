"""What the read path is asked to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from sidecar.embedding.loader import Embeddings
from sidecar.embedding.model_spec import CPU, ModelAuth


class SearchMethod(str, Enum):
    """How hits are found, in the wire's spelling."""

    TENSOR = "TENSOR"
    LEXICAL = "LEXICAL"


@dataclass(frozen=True, slots=True, eq=False)
class ContextVector:
    """A vector that a client adds to the query, times its weight; float32, shape (dimensions,)."""

    vector: Embeddings
    weight: float


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """One search.

    ``q`` is one text or pointer to an image, or several of them with a weight each; None where ``context`` is all.
    ``limit`` hits are returned from ``offset`` on. ``searchable_attributes`` None means all fields, and
    ``attributes_to_retrieve`` None all. ``text_query_prefix``, where not None, takes the place of the index's own.
    ``media_headers`` go with requests for images. ``auth`` opens the place of a model's files; ``device`` is where
    models run.
    """

    q: str | Mapping[str, float] | None
    method: SearchMethod = SearchMethod.TENSOR
    limit: int = 10
    offset: int = 0
    searchable_attributes: tuple[str, ...] | None = None
    attributes_to_retrieve: tuple[str, ...] | None = None
    show_highlights: bool = True
    filter: str | None = None
    text_query_prefix: str | None = None
    context: Sequence[ContextVector] = ()
    media_headers: Mapping[str, str] = field(default_factory=dict)
    auth: ModelAuth | None = None
    device: str = CPU
