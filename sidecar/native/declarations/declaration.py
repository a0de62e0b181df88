"""An embedded field as the native face knows it: a vector that is computed from other fields by a model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from sidecar.opensearch.index_state import IndexState


class Kind(str, Enum):
    """What a source holds."""

    TEXT = "text"
    IMAGE = "image"


class Existing(str, Enum):
    """What becomes of a vector that the client sends."""

    KEEP = "keep"
    REPLACE = "replace"


class Entry(str, Enum):
    """What lies at the vector's place: one vector, or a list with an entry of it for each chunk or value."""

    VECTOR = "vector"
    CHUNKS = "chunks"


@dataclass(frozen=True, slots=True)
class Source:
    """A field whose content is embedded, by its dotted path."""

    field: str
    kind: Kind = Kind.TEXT
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Chunking:
    """How a text is cut into chunks; ``algorithm`` and ``parameters`` are the neural-search plugin's."""

    algorithm: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Declaration:
    """The vector at the dotted path ``vector`` is computed from ``sources`` by ``model``.

    ``model_properties`` describe a model that is not known by name. ``search_model`` embeds queries where that is
    another, and ``search_model_properties`` describe it. ``query_prefix`` stands before queries in place of the model's
    own, where it is not None. Vectors have length 1 where ``normalize``, and are whole numbers of a byte where
    ``as_bytes``. With `Entry.CHUNKS` the vector lies in the
    entries of the nested parent ``nested``, one for each chunk, beside the chunk's text where ``chunk_text`` names its
    key. ``semantic`` are the parameters of a ``semantic`` field as it was declared, or None.
    """

    vector: str
    sources: tuple[Source, ...]
    model: str
    dimensions: int
    model_properties: Mapping[str, Any] | None = None
    search_model: str | None = None
    search_model_properties: Mapping[str, Any] | None = None
    query_prefix: str | None = None
    normalize: bool = True
    as_bytes: bool = False
    existing: Existing = Existing.KEEP
    entry: Entry = Entry.VECTOR
    nested: str | None = None
    chunk_text: str | None = None
    chunkings: tuple[Chunking, ...] = ()
    semantic: Mapping[str, Any] | None = None

    @property
    def query_model(self) -> str:
        """The model that embeds queries."""
        return self.search_model or self.model

    @property
    def query_model_properties(self) -> Mapping[str, Any] | None:
        """What describes the model that embeds queries, where its name does not."""
        return self.model_properties if self.search_model is None else self.search_model_properties


@dataclass(frozen=True, slots=True)
class VectorField:
    """A ``knn_vector`` of a mapping; ``nested`` is the innermost nested path that it lies under, or None.

    ``data_type`` is ``float``, ``byte`` or ``binary``.
    """

    path: str
    dimensions: int
    nested: str | None = None
    data_type: str = "float"


@dataclass(frozen=True, slots=True)
class IndexFacts:
    """What the native face must know of one concrete index. Pipelines are by name; None where there is none.

    ``aliases`` are its aliases, each with whether it was declared the alias's write index (None: not said).
    ``narrowed`` are those that have a filter or a routing. ``data_stream`` is the one that it backs. Writes to it are
    refused where it ``is_write_blocked``. ``state`` is there where the index was made on the other face, whose rules
    then hold for its embeddings: those under ``__embeddings``. An index that is not there yet has the facts that the
    templates will give it; so it has no state.
    """

    name: str
    declarations: tuple[Declaration, ...]
    vector_fields: Mapping[str, VectorField]
    default_pipeline: str | None = None
    final_pipeline: str | None = None
    search_pipeline: str | None = None
    aliases: Mapping[str, bool | None] = field(default_factory=dict)
    narrowed: frozenset[str] = frozenset()
    data_stream: str | None = None
    is_write_blocked: bool = False
    state: IndexState | None = None

    @property
    def has_rules(self) -> bool:
        """True where the index says itself what is embedded in it, and by which models."""
        return bool(self.declarations) or self.state is not None
