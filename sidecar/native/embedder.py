"""Content of documents and queries to vectors, by the engine that serves the other face too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import replace

import numpy as np

from sidecar.embedding.engine import EmbeddingEngine, normalized
from sidecar.embedding.loader import Embeddings
from sidecar.embedding.media.prepared import MediaSource
from sidecar.embedding.media_embedder import EmbeddedMedia, MediaEmbedder
from sidecar.embedding.model_spec import ModelSpec
from sidecar.embedding.model_table import ModelTable, first_prefix
from sidecar.errors import UnknownModel


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

    def spec(self, model: str) -> ModelSpec:
        """The model of a name or alias. Raises: UnknownModel with the nearest names."""
        return replace(self._table.resolve(self._aliases.get(model, model)), device=self._device)

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
        spec = self.spec(model)
        vectors = []
        if text is not None:
            prefix = first_prefix(spec.text_query_prefix)
            vectors.append(self._engine.embed_query(spec, prefix + for_model(text), normalize=True))
        if image is not None:
            vectors.append(normalized(self._media.embed_query(spec, MediaSource(image))))
        return vectors[0] if len(vectors) == 1 else normalized(np.mean(vectors, axis=0, dtype=np.float32))


def for_model(text: str) -> str:
    """The text without unpaired surrogates, which documents may have and tokenizers refuse."""
    return text.encode("utf-8", "replace").decode("utf-8") if not text.isascii() else text
