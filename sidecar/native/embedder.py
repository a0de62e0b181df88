"""Content of documents and queries to vectors, by the engine that serves the other face too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from sidecar.embedding.byte_vectors import as_bytes
from sidecar.embedding.engine import EmbeddingEngine, normalized
from sidecar.embedding.loader import Embeddings
from sidecar.embedding.media.prepared import MediaSource
from sidecar.embedding.media_embedder import EmbeddedMedia, MediaEmbedder
from sidecar.embedding.model_spec import ModelSpec
from sidecar.embedding.model_table import ModelTable, first_prefix
from sidecar.errors import UnknownModel


@dataclass(frozen=True, slots=True)
class QueryModel:
    """How queries of a field are embedded: by which model, with what before each text, and whether the vector then
    gets the length 1, or becomes whole numbers."""

    spec: ModelSpec
    prefix: str
    normalize: bool = True
    is_byte: bool = False


@dataclass(frozen=True, slots=True)
class QueryContent:
    """What one query vector is made of: a text, an image by its pointer, or both."""

    model: QueryModel
    text: str | None
    image: str | None


class NativeEmbedder:
    """Embeds by the names of models; all vectors have length 1, or 0. Safe to use from any thread.

    ``aliases`` are further names of models, as the ids that an ML node gave them.
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
        try:
            self.spec(model)
        except UnknownModel:
            return False
        return True

    def spec(self, model: str, properties: Mapping[str, Any] | None = None) -> ModelSpec:
        """The model of a name or alias, or the one that properties describe.

        Raises: UnknownModel with the nearest names; InvalidArgument for properties that break a rule.
        """
        return replace(self._table.resolve(self._aliases.get(model, model), properties), device=self._device)

    def query_model(self, model: str, properties: Mapping[str, Any] | None = None) -> QueryModel:
        """How that model embeds queries. Raises what `spec` raises."""
        spec = self.spec(model, properties)
        return QueryModel(spec, first_prefix(spec.text_query_prefix))

    def submit_texts(self, model: str, texts: Sequence[str]) -> Future[Embeddings]:
        """Queue texts of documents. The future gives float32, shape (len(texts), dimensions), not normalised.

        Raises: ModelLoadError and its like; TooManyRequests where the queue is full, and nothing is queued then.
        """
        spec = self.spec(model)
        self._engine.check_room()
        prefix = first_prefix(spec.text_chunk_prefix)
        return self._engine.submit(spec, [prefix + for_model(text) for text in texts])

    def submit_image(self, model: str, pointer: str) -> Future[EmbeddedMedia]:
        """Queue an image of a document, given as a URL, a data URI or base64. The future fails with a MediaError."""
        return self._media.submit(self.spec(model), MediaSource(pointer))

    def embed_query(self, model: str, text: str | None, image: str | None) -> Embeddings:
        """The vector of a query: of its text, its image, or the normalised mean of both. float32, (dimensions,).

        Raises: ModelLoadError and its like; MediaError for an image that can't be had.
        """
        return self.embed_queries([QueryContent(self.query_model(model), text, image)])[0]

    def embed_queries(self, asked: Sequence[QueryContent]) -> list[Embeddings]:
        """As `embed_query`, for several, in order: the texts of one model are embedded together, equal ones once."""
        texts: dict[tuple[ModelSpec, bool], dict[str, Embeddings | None]] = {}
        for content in asked:
            if content.text is not None:
                texts.setdefault(_group(content), {})[_with_prefix(content.model, content.text)] = None
        for (spec, normalize), own in texts.items():
            own.update(zip(own, self._engine.embed_queries(spec, list(own), normalize=normalize), strict=True))
        return [self._vector(content, texts) for content in asked]

    def _vector(
        self, content: QueryContent, texts: Mapping[tuple[ModelSpec, bool], Mapping[str, Embeddings | None]]
    ) -> Embeddings:
        model, vectors = content.model, []
        if content.text is not None:
            vectors.append(texts[_group(content)][_with_prefix(model, content.text)])
        if content.image is not None:
            vector = self._media.embed_query(model.spec, MediaSource(content.image))
            vectors.append(normalized(vector) if _group(content)[1] else vector)
        mixed = vectors[0] if len(vectors) == 1 else normalized(np.mean(vectors, axis=0, dtype=np.float32))
        assert mixed is not None
        return as_bytes(mixed) if model.is_byte else mixed


def _group(content: QueryContent) -> tuple[ModelSpec, bool]:
    """What is embedded together; of a text and an image together the unit vectors are wanted in any case."""
    is_both = content.text is not None and content.image is not None
    return content.model.spec, content.model.normalize or is_both


def _with_prefix(model: QueryModel, text: str) -> str:
    return model.prefix + for_model(text)


def for_model(text: str) -> str:
    """The text without unpaired surrogates, which documents may have and tokenizers refuse."""
    return text.encode("utf-8", "replace").decode("utf-8") if not text.isascii() else text
