"""One field of one document on its way to its embedding, by what is in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from sidecar.embedding.byte_vectors import as_bytes
from sidecar.embedding.loader import Embeddings
from sidecar.embedding.media.prepared import box_text
from sidecar.embedding.normalizing import normalized
from sidecar.embedding.texts.chunking import Chunk
from sidecar.embedding.texts.spans import Span
from sidecar.errors import InvalidArgument
from sidecar.indexing.combinations import combine
from sidecar.indexing.distinct import distinct
from sidecar.indexing.inputs import FileInput, TextInputs
from sidecar.opensearch.bulk_actions import FieldEmbedding


@dataclass(frozen=True, slots=True)
class EmbeddedChunks:
    """A field's chunks: ``vectors`` is float32, shape (n, dimensions), with n spans; ``contents`` has n contents where
    they are no slices of the field's text."""

    vectors: Embeddings
    spans: Sequence[Span]
    contents: Sequence[str | None] | None = None


class FieldPart(Protocol):
    """A field whose inputs are in its window."""

    @property
    def content_hash(self) -> str:
        """The name of the field's content."""

    def embedded(self) -> EmbeddedChunks:
        """The field's chunks, once their inputs were submitted; waits for them.

        Raises: InvalidArgument where the content is at fault; what a model raised.
        """


@dataclass(frozen=True, slots=True)
class TextPart:
    """A text; ``rows`` are its chunks' places among the inputs."""

    content_hash: str
    inputs: TextInputs
    chunks: Sequence[Chunk]
    rows: list[int]

    def embedded(self) -> EmbeddedChunks:
        spans = [(chunk.start, chunk.end) for chunk in self.chunks]
        return EmbeddedChunks(self.inputs.vectors(self.rows), spans)


@dataclass(frozen=True, slots=True)
class FilePart:
    """A pointer to a file. The content of a chunk is the pointer, or its box where the file was cut."""

    content_hash: str
    file: FileInput
    normalize: bool

    def embedded(self) -> EmbeddedChunks:
        embedded = self.file.result()
        vectors = normalized(embedded.vectors) if self.normalize else embedded.vectors
        spans = [(0, len(self.file.pointer))] * len(vectors)
        boxes = [None if box is None else box_text(box) for box in embedded.boxes]
        return EmbeddedChunks(vectors, spans, boxes if any(boxes) else None)


@dataclass(frozen=True, slots=True)
class Member:
    """A sub-field of a combination: a text by its place among the texts, or a file; and its weight."""

    content: int | FileInput
    weight: float


@dataclass(frozen=True, slots=True)
class CombinationPart:
    """A combination: one chunk, which is no slice of anything; its content is the field's object."""

    field: str
    content_hash: str
    texts: TextInputs
    members: Sequence[Member]
    normalize: bool

    def embedded(self) -> EmbeddedChunks:
        vectors = np.stack([self._vector(member) for member in self.members])
        vector = combine(vectors, [member.weight for member in self.members], normalize=self.normalize)
        if not vector.any():
            raise InvalidArgument(
                f"field {self.field!r}, a multimodal_combination: its weighted vectors cancel each other out"
            )
        return EmbeddedChunks(vector[np.newaxis], [(0, 0)])

    def _vector(self, member: Member) -> Embeddings:
        if isinstance(member.content, FileInput):
            # A plug-in may make several parts of a file.
            return np.asarray(np.mean(member.content.result().vectors, axis=0), dtype=np.float32)
        row: Embeddings = self.texts.vectors([member.content])[0]
        return row


def as_stored(part: FieldPart, document_id: str, *, stores_bytes: bool) -> FieldEmbedding:
    """The part's chunks as they are stored in a document of that id. Raises: as `FieldPart.embedded`."""
    chunks = part.embedded()
    if stores_bytes:
        numbers = as_bytes(chunks.vectors).astype(np.int8)
        return FieldEmbedding(numbers, chunks.spans, part.content_hash, chunks.contents)
    return FieldEmbedding(distinct(chunks.vectors, document_id), chunks.spans, part.content_hash, chunks.contents)
