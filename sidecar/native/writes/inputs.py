"""What one request's documents give to models: equal contents once, all embedded before anything is sent."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from itertools import islice

import numpy as np

from sidecar.embedding.loader import Embeddings
from sidecar.embedding.model_spec import ModelSpec
from sidecar.embedding.normalizing import normalized
from sidecar.embedding.text_embedder import TextEmbedder
from sidecar.indexing.files import RequestFiles
from sidecar.indexing.inputs import FileInput, TextInputs
from sidecar.indexing.windows import MAX_FILE_PARTS, MAX_TEXTS
from sidecar.native.embedder import DocumentParts, for_model

_WINDOWS_IN_FLIGHT = 7
"""Texts are queued in windows, so that a long request neither fills the queue nor has all its tokens in memory."""


@dataclass(slots=True)
class RequestTexts(TextInputs):
    """The texts of a request for one model, embedded from the longest to the shortest, for the least padding."""

    def submit(self, engine: TextEmbedder) -> None:
        """Embed the texts; returns when that is done. Raises what the engine, or the model, raises."""
        self._engine = engine
        texts = list(self._rows)
        order = sorted(range(len(texts)), key=lambda row: len(texts[row]), reverse=True)
        rows = iter(order)
        flying: deque[tuple[list[int], Future[Embeddings]]] = deque()
        try:
            while window := list(islice(rows, MAX_TEXTS)):
                flying.append((window, engine.submit(self.spec, [texts[row] for row in window])))
                if len(flying) >= _WINDOWS_IN_FLIGHT:
                    self._land(texts, *flying.popleft())
            while flying:
                self._land(texts, *flying.popleft())
        finally:
            for _, future in flying:
                future.cancel()

    def wait(self) -> None:
        """They are there when `submit` has returned."""

    def _land(self, texts: Sequence[str], rows: list[int], future: Future[Embeddings]) -> None:
        vectors = self._taken([texts[row] for row in rows], future)
        if self._vectors is None:
            self._vectors = np.empty((len(texts), vectors.shape[1]), dtype=np.float32)
        self._vectors[rows] = normalized(vectors) if self.normalize else vectors


@dataclass(frozen=True, slots=True)
class TextContent:
    """A text by its place among those of its model."""

    texts: RequestTexts
    row: int

    def vector(self) -> Embeddings:
        """float32, shape (dimensions,), of length 1, or 0. Raises: ModelFailed."""
        found: Embeddings = self.texts.vectors([self.row])[0]
        return found


@dataclass(frozen=True, slots=True)
class ImageContent:
    """An image."""

    file: FileInput

    def vector(self) -> Embeddings:
        """float32, shape (dimensions,), of length 1, or 0. Raises: MediaError."""
        # A plug-in may make several parts of a file.
        return normalized(np.mean(self.file.result().vectors, axis=0, dtype=np.float32))


@dataclass(slots=True)
class RequestInputs:
    """Takes in the contents of a request's documents, and has them embedded together; for one thread."""

    parts: DocumentParts
    _texts: dict[tuple[ModelSpec, bool], RequestTexts] = field(default_factory=dict)
    _files: list[tuple[RequestFiles, FileInput]] = field(default_factory=list)
    _images: dict[tuple[ModelSpec, str], FileInput] = field(default_factory=dict)
    _whole_files: RequestFiles = field(init=False)

    def __post_init__(self) -> None:
        self._whole_files = RequestFiles(self.parts.media, {}, None)

    def text(self, spec: ModelSpec, text: str) -> TextContent:
        """Take in a text, with its prefix."""
        texts = self.texts_of(spec, normalize=True)
        return TextContent(texts, texts.add([for_model(text)])[0])

    def image(self, spec: ModelSpec, pointer: str) -> ImageContent:
        """Take in an image, by its URL, data URI or base64 text."""
        file = self._images.get((spec, pointer))
        if file is None:
            file = self._images[spec, pointer] = FileInput(spec, pointer, False)
            self._files.append((self._whole_files, file))
        return ImageContent(file)

    def texts_of(self, spec: ModelSpec, *, normalize: bool) -> RequestTexts:
        """Where the texts of a model go."""
        return self._texts.setdefault((spec, normalize), RequestTexts(spec, normalize))

    def add_file(self, files: RequestFiles, file: FileInput) -> None:
        """Take in a file that is read by other rules than this request's own."""
        self._files.append((files, file))

    def embed(self) -> None:
        """Embed everything. An image that can't be had tells so when its vector is asked for.

        Raises: TooManyRequests where the queue is full, ModelLoadError and its like, what a model raises on text.
        """
        if not self._texts and not self._files:
            return
        self.parts.engine.check_room()
        flying = self._submit_files()
        next(flying, None)
        for texts in filter(len, self._texts.values()):
            texts.submit(self.parts.engine)
        for _ in flying:
            pass

    def _submit_files(self) -> Iterator[None]:
        """Read and embed files, some of them before the first stop, the others before the last."""
        flying: deque[FileInput] = deque()
        try:
            for files, file in self._files:
                if len(flying) >= 2 * MAX_FILE_PARTS:
                    yield
                    flying.popleft().wait()
                file.submit(files)
                flying.append(file)
            yield
            while flying:
                flying.popleft().wait()
        finally:
            for file in flying:
                file.cancel()
