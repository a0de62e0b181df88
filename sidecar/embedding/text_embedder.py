"""What the write path asks of whatever embeds the texts of documents."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from typing import Protocol

from sidecar.embedding.loader import Embeddings
from sidecar.embedding.model_cache import ModelCache
from sidecar.embedding.model_spec import ModelSpec


class TextEmbedder(Protocol):
    """The `EmbeddingEngine`, or something before it that gives the same vectors."""

    @property
    def models(self) -> ModelCache:
        """The loaded models."""

    def check_room(self) -> None:
        """As `EmbeddingEngine.check_room`."""

    def wait_for_room(self) -> None:
        """As `EmbeddingEngine.wait_for_room`."""

    def submit(self, spec: ModelSpec, texts: Sequence[str]) -> Future[Embeddings]:
        """As `EmbeddingEngine.submit`."""
