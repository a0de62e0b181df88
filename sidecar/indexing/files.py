"""The files that one add request's documents point to, each read and embedded once."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future

from cachetools import LRUCache

from sidecar.embedding.media.prepared import MediaSource
from sidecar.embedding.media_embedder import EmbeddedMedia, MediaEmbedder
from sidecar.embedding.model_spec import ModelSpec
from sidecar.errors import InvalidArgument

PARTS_GUESS = 16
"""Parts of an image that is cut, about; how many they are is known when it has been decoded."""
REMEMBERED_PARTS = 8192
"""Vectors that are kept for documents to come that name the same file; 25 MB of 768 dimensions."""


class RequestFiles:
    """Embeds files for one request; for one thread."""

    def __init__(self, embedder: MediaEmbedder, headers: Mapping[str, str], patch_method: str | None) -> None:
        self._embedder = embedder
        self._headers = headers
        self._patch_method = patch_method
        self.parts_guess = 1 if patch_method in (None, "", "none") else PARTS_GUESS
        """Vectors of a file, about, where the patch method is used on it."""
        self._embedded: LRUCache[tuple[ModelSpec, str, bool], Future[EmbeddedMedia]] = LRUCache(
            REMEMBERED_PARTS // self.parts_guess
        )

    def submit(self, spec: ModelSpec, pointer: str, *, is_cut: bool) -> Future[EmbeddedMedia]:
        """Read and embed a file, or take the vectors of the document that named it before.

        ``is_cut``: by the index's patch method, where it has one. The future fails with InvalidArgument where the file
        is at fault or the model embeds none such. Raises: ModelLoadError and its like.
        """
        key = (spec, pointer, is_cut)
        future = self._embedded.get(key)
        if future is None:
            source = MediaSource(pointer, self._patch_method if is_cut else None, self._headers)
            try:
                future = self._embedder.submit(spec, source)
            except InvalidArgument as error:
                future = Future()
                future.set_exception(error)
            self._embedded[key] = future
        return future
