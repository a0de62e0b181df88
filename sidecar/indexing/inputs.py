"""What a window's documents give to models: texts, those of one model together, and files."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass, field

import numpy as np

from sidecar.embedding.isolation import embed_isolated, is_of_a_text
from sidecar.embedding.loader import Embeddings
from sidecar.embedding.media_embedder import EmbeddedMedia
from sidecar.embedding.model_spec import ModelSpec
from sidecar.embedding.normalizing import normalized
from sidecar.embedding.text_embedder import TextEmbedder
from sidecar.errors import InvalidArgument, SidecarError
from sidecar.indexing.files import RequestFiles


@dataclass(slots=True)
class TextInputs:
    """The different texts that one model must run on, in the order of their first appearance."""

    spec: ModelSpec
    normalize: bool
    _rows: dict[str, int] = field(default_factory=dict)
    _engine: TextEmbedder | None = None
    _embedded: Future[Embeddings] | None = None
    _vectors: Embeddings | None = None
    _failures: dict[int, InvalidArgument] = field(default_factory=dict)

    def add(self, texts: Sequence[str]) -> list[int]:
        """Take texts in; returns their places. One that is there already keeps its place: it is embedded once."""
        return [self._rows.setdefault(text, len(self._rows)) for text in texts]

    def __len__(self) -> int:
        return len(self._rows)

    def submit(self, engine: TextEmbedder) -> None:
        """Have the texts embedded. Raises what `EmbeddingEngine.submit` raises."""
        self._engine = engine
        self._embedded = engine.submit(self.spec, list(self._rows))

    def wait(self) -> None:
        """Return when the vectors are there. Raises what the model raised, unless it is for some of the texts."""
        if self._vectors is None:
            assert self._embedded is not None
            vectors = self._taken(list(self._rows), self._embedded)
            self._vectors = normalized(vectors) if self.normalize else vectors

    def vectors(self, rows: Sequence[int]) -> Embeddings:
        """The vectors of the texts at these places, of length 1 where asked for; waits for them.

        Raises what the model raised on one of them. Returns: float32, shape (len(rows), dimensions).
        """
        self.wait()
        for row in rows:
            if row in self._failures:
                raise self._failures[row]
        assert self._vectors is not None
        found: Embeddings = self._vectors[np.asarray(rows, dtype=np.intp)]
        return found

    def _taken(self, texts: Sequence[str], embedded: Future[Embeddings]) -> Embeddings:
        """What was submitted; texts on which the model fails are noted, and have zeros. float32, (n, dimensions)."""
        try:
            return embedded.result()
        except SidecarError as error:
            if not is_of_a_text(error):
                raise
            assert self._engine is not None
            isolated = embed_isolated(self._engine, self.spec, texts, error)
        self._failures.update((self._rows[texts[place]], failed) for place, failed in isolated.failures.items())
        return isolated.vectors

    def cancel(self) -> None:
        """Drop what has not begun."""
        if self._embedded is not None:
            self._embedded.cancel()


@dataclass(slots=True, eq=False)
class FileInput:
    """A file that one model must run on, cut by the index's patch method or whole."""

    spec: ModelSpec
    pointer: str
    is_cut: bool
    _embedded: Future[EmbeddedMedia] | None = None

    def submit(self, files: RequestFiles) -> None:
        """Have the file read and embedded. Raises what `RequestFiles.submit` raises."""
        self._embedded = files.submit(self.spec, self.pointer, is_cut=self.is_cut)

    def wait(self) -> None:
        """Return when `result` has one, or an error."""
        assert self._embedded is not None
        wait([self._embedded])

    def result(self) -> EmbeddedMedia:
        """The file's vectors, not normalised; waits for them.

        Raises: InvalidArgument where the file is at fault, and what the model raised.
        """
        assert self._embedded is not None
        return self._embedded.result()

    def cancel(self) -> None:
        """Drop what has not begun."""
        if self._embedded is not None:
            self._embedded.cancel()
