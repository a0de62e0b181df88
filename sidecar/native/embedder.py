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
from sidecar.native.declarations.declaration import Declaration

Properties = Mapping[str, Any]


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
        try:
            self.spec(model)
        except UnknownModel:
            return False
        return True

    def spec(self, model: str, properties: Properties | None = None) -> ModelSpec:
        """The model of a name or alias; with properties, the model that they describe.

        Raises: UnknownModel with the nearest names; InvalidArgument for properties that break a rule.
        """
        name = model if properties is not None else self._aliases.get(model, model)
        return replace(self._table.resolve(name, properties), device=self._device)

    def document_parts(self) -> DocumentParts:
        """What documents are embedded with."""
        return DocumentParts(self._engine, self._media, self._table, self._device)

    def submit_texts(
        self, model: str, texts: Sequence[str], *, properties: Properties | None = None
    ) -> Future[Embeddings]:
        """Queue texts of documents. The future gives float32, shape (len(texts), dimensions), not normalised.

        Raises: ModelLoadError and its like; TooManyRequests where the queue is full, and nothing is queued then.
        """
        spec = self.spec(model, properties)
        self._engine.check_room()
        prefix = first_prefix(spec.text_chunk_prefix)
        return self._engine.submit(spec, [prefix + for_model(text) for text in texts])

    def submit_image(self, model: str, pointer: str, *, properties: Properties | None = None) -> Future[EmbeddedMedia]:
        """Queue an image of a document, given as a URL, a data URI or base64. The future fails with a MediaError."""
        return self._media.submit(self.spec(model, properties), MediaSource(pointer))

    def embed_query_of(self, declaration: Declaration, text: str | None, image: str | None) -> Embeddings:
        """The vector of a query for a declared field, by that field's own rules. As `embed_query`."""
        spec = self.spec(declaration.query_model, declaration.query_model_properties)
        vector = self._embed_query(spec, text, image, prefix=declaration.query_prefix, normalize=declaration.normalize)
        return as_bytes(vector) if declaration.as_bytes else vector

    def embed_query(self, model: str, text: str | None, image: str | None) -> Embeddings:
        """The vector of a query: of its text, its image, or the normalised mean of both. float32, (dimensions,).

        Raises: ModelLoadError and its like; MediaError for an image that can't be had.
        """
        return self._embed_query(self.spec(model), text, image)

    def _embed_query(
        self, spec: ModelSpec, text: str | None, image: str | None, *, prefix: str | None = None, normalize: bool = True
    ) -> Embeddings:
        vectors = []
        is_mixed = text is not None and image is not None
        if text is not None:
            content = first_prefix(prefix, spec.text_query_prefix) + for_model(text)
            vectors.append(self._engine.embed_query(spec, content, normalize=normalize or is_mixed))
        if image is not None:
            vector = self._media.embed_query(spec, MediaSource(image))
            vectors.append(normalized(vector) if normalize or is_mixed else vector)
        return vectors[0] if len(vectors) == 1 else normalized(np.mean(vectors, axis=0, dtype=np.float32))


def for_model(text: str) -> str:
    """The text without unpaired surrogates, which documents may have and tokenizers refuse."""
    return text.encode("utf-8", "replace").decode("utf-8") if not text.isascii() else text
