"""From a pointer to vectors: files are read and decoded in a pool of their own, and embedded by the engine."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from contextvars import copy_context
from dataclasses import dataclass

import numpy as np

from sidecar.embedding.engine import EmbeddingEngine
from sidecar.embedding.loader import Embeddings, Loader, Modality
from sidecar.embedding.media.formats import ImageFormat
from sidecar.embedding.media.pointers import has_suffix
from sidecar.embedding.media.prepared import Box, MediaSource, PreparedMedia
from sidecar.embedding.media.reader import MediaReader
from sidecar.embedding.model_spec import ModelSpec


@dataclass(frozen=True, slots=True)
class EmbeddedMedia:
    """One file's vectors, float32 of shape (n, dimensions), not normalised, and the box of each part."""

    vectors: Embeddings
    boxes: Sequence[Box | None]


class MediaEmbedder:
    """Embeds files by their pointers; safe to use from any thread."""

    def __init__(self, engine: EmbeddingEngine, reader: MediaReader) -> None:
        self._engine = engine
        self._reader = reader

    def submit(self, spec: ModelSpec, source: MediaSource) -> Future[EmbeddedMedia]:
        """Read and embed one file of a document. The future fails with a MediaError where the file is at fault.

        Cancelling it drops what has not begun. The caller bounds how many are on their way.
        Raises: ModelLoadError and its like, InvalidArgument where the model embeds no such files.
        """
        loader, modality = self._loader(spec, source.pointer)
        result: Future[EmbeddedMedia] = Future()
        read = self._reader.submit(loader, modality, source)

        def embed(done: Future[PreparedMedia]) -> None:
            if done.cancelled() or result.cancelled():
                result.cancel()
                return
            try:
                prepared = done.result()
                vectors = self._engine.submit_prepared(loader, modality, prepared.parts)
            except BaseException as error:
                _fail(result, error)
                return
            result.add_done_callback(lambda future: vectors.cancel() if future.cancelled() else None)
            vectors.add_done_callback(lambda embedded: _finish(result, embedded, prepared.boxes))

        # The thread that reads goes on with it, and works for nobody by then.
        context = copy_context()
        read.add_done_callback(lambda done: context.run(embed, done))
        result.add_done_callback(lambda future: read.cancel() if future.cancelled() else None)
        return result

    def embed_query(self, spec: ModelSpec, source: MediaSource) -> Embeddings:
        """The vector of one file that is a query, read by the calling thread. It is not cut into parts.

        Returns: float32, shape (dimensions,), not normalised; the mean where a plug-in makes several parts of it.
        Raises: MediaError where the file is at fault, and what `submit` raises.
        """
        loader, modality = self._loader(spec, source.pointer)
        prepared = self._reader.read(loader, modality, MediaSource(source.pointer, None, source.headers))
        vectors = [self._engine.embed_prepared_query(loader, modality, part) for part in prepared.parts]
        return vectors[0] if len(vectors) == 1 else np.asarray(np.mean(vectors, axis=0), dtype=np.float32)

    def read_picture(self, path: str) -> tuple[bytes, ImageFormat]:
        """An image file of this machine, as it is. Raises: MediaError, as `MediaReader.read_picture`."""
        return self._reader.read_picture(path)

    def close(self) -> None:
        """End the reader's threads; what waits is dropped."""
        self._reader.close()

    def _loader(self, spec: ModelSpec, pointer: str) -> tuple[Loader, Modality]:
        loader = self._engine.models.get(spec)
        suffixes: frozenset[str] = getattr(loader, "media_suffixes", frozenset())
        modality = Modality.MEDIA if has_suffix(pointer, suffixes) else Modality.IMAGE
        return self._engine.loader(spec, modality), modality


def _finish(result: Future[EmbeddedMedia], embedded: Future[Embeddings], boxes: Sequence[Box | None]) -> None:
    if embedded.cancelled():
        result.cancel()
    elif (error := embedded.exception()) is not None:
        _fail(result, error)
    elif result.set_running_or_notify_cancel():
        result.set_result(EmbeddedMedia(embedded.result(), boxes))


def _fail(result: Future[EmbeddedMedia], error: BaseException) -> None:
    if result.set_running_or_notify_cancel():
        result.set_exception(error)
