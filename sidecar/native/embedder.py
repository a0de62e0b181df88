"""Content of documents and queries to vectors, by the engine that serves the other face too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from sidecar.embedding.byte_vectors import as_bytes
from sidecar.embedding.engine import EmbeddingEngine
from sidecar.embedding.loader import Embeddings
from sidecar.embedding.media.prepared import MediaSource
from sidecar.embedding.media_embedder import MediaEmbedder
from sidecar.embedding.model_spec import ModelSpec
from sidecar.embedding.model_table import ModelTable, first_prefix
from sidecar.embedding.normalizing import normalized
from sidecar.native.declarations.declaration import Declaration

Properties = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class QueryModel:
    """How queries are embedded: by which model, with what before each text, and whether the vector gets the length 1,
    or becomes whole numbers of a byte."""

    spec: ModelSpec
    prefix: str
    normalize: bool = True
    as_bytes: bool = False


@dataclass(frozen=True, slots=True)
class QueryContent:
    """What one query vector is made of: a text, an image by its pointer, or both."""

    model: QueryModel
    text: str | None
    image: str | None

    @property
    def group(self) -> tuple[ModelSpec, bool]:
        """What is embedded together: a model, and whether by unit vectors; a text with an image is in any case."""
        return self.model.spec, self.model.normalize or (self.text is not None and self.image is not None)

    @property
    def model_text(self) -> str | None:
        """The text as the model is given it."""
        return None if self.text is None else self.model.prefix + for_model(self.text)


@dataclass(frozen=True, slots=True)
class DocumentParts:
    """The engine that embeds texts, what embeds files, the models that there are, and where they run."""

    engine: EmbeddingEngine
    media: MediaEmbedder
    table: ModelTable
    device: str


class NativeEmbedder:
    """Embeds by the names of models; all vectors have length 1, or 0. Safe to use from any thread.

    ``aliases`` are further names of models, as the ids that an ML node gave them. A model that is not known by name is
    described by ``properties`` (model_properties), as an index of the other face keeps them.
    """

    def __init__(
        self,
        engine: EmbeddingEngine,
        media: MediaEmbedder,
        table: ModelTable,
        *,
        aliases: Mapping[str, str],
        device: str,
    ) -> None:
        self._engine = engine
        self._media = media
        self._table = table
        self._aliases = dict(aliases)
        self._device = device

    def serves(self, model: str) -> bool:
        """True for a model's name or alias."""
        return self._table.knows(self._aliases.get(model, model))

    def spec(self, model: str, properties: Properties | None = None) -> ModelSpec:
        """The model of a name or alias; with properties, the model that they describe.

        Raises: UnknownModel with the nearest names; InvalidArgument for properties that break a rule.
        """
        name = model if properties is not None else self._aliases.get(model, model)
        return replace(self._table.resolve(name, properties), device=self._device)

    def document_parts(self) -> DocumentParts:
        """What documents are embedded with."""
        return DocumentParts(self._engine, self._media, self._table, self._device)

    def query_model(self, model: str) -> QueryModel:
        """How the model of a name or alias embeds queries. Raises: UnknownModel."""
        spec = self.spec(model)
        return QueryModel(spec, first_prefix(spec.text_query_prefix))

    def query_model_of(self, declaration: Declaration) -> QueryModel:
        """How queries of a declared field are embedded, by that field's own rules. Raises what `spec` raises."""
        spec = self.spec(declaration.query_model, declaration.query_model_properties)
        prefix = first_prefix(declaration.query_prefix, spec.text_query_prefix)
        return QueryModel(spec, prefix, declaration.normalize, declaration.as_bytes)

    def embed_queries(self, asked: Sequence[QueryContent]) -> list[Embeddings]:
        """The vectors of queries: of a text, an image, or the normalised mean of both; the texts of one model are
        embedded together, equal ones once. Returns: float32, shape (dimensions,), in order.

        Raises: ModelLoadError and its like; MediaError for an image that can't be had.
        """
        texts: dict[tuple[ModelSpec, bool], dict[str, None]] = {}
        for content in asked:
            if content.model_text is not None:
                texts.setdefault(content.group, {})[content.model_text] = None
        embedded = {
            (group, text): vector
            for group, own in texts.items()
            for text, vector in zip(
                own, self._engine.embed_queries(group[0], list(own), normalize=group[1]), strict=True
            )
        }
        return [self._mixed(content, embedded) for content in asked]

    def _mixed(
        self, content: QueryContent, embedded: Mapping[tuple[tuple[ModelSpec, bool], str], Embeddings]
    ) -> Embeddings:
        vectors = [] if content.model_text is None else [embedded[content.group, content.model_text]]
        if content.image is not None:
            spec, is_unit = content.group
            vector = self._media.embed_query(spec, MediaSource(content.image))
            vectors.append(normalized(vector) if is_unit else vector)
        mixed = vectors[0] if len(vectors) == 1 else normalized(np.mean(vectors, axis=0, dtype=np.float32))
        return as_bytes(mixed) if content.model.as_bytes else mixed


def for_model(text: str) -> str:
    """The text without unpaired surrogates, which documents may have and tokenizers refuse."""
    return text.encode("utf-8", "replace").decode("utf-8") if not text.isascii() else text
