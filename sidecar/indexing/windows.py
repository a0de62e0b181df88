"""The write path's unit of work: some documents, the texts of theirs that a model must run on, and their embeddings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

from sidecar.embedding.engine import normalized
from sidecar.embedding.loader import Embeddings
from sidecar.indexing.chunking import Chunk
from sidecar.indexing.content import ContentRules
from sidecar.indexing.validation import ValidDocument
from sidecar.opensearch.bulk_actions import BulkAction, FieldEmbedding, encode_source

MAX_TEXTS = 192
MAX_DOCUMENTS = 512
"""A window is full with either. Batches are formed across windows, so that a small one costs no padding."""


@dataclass(slots=True)
class _Part:
    """One field of one document that is to be embedded; its texts stand from ``first`` on in the window's."""

    document_id: str
    position: int
    field: str
    content_hash: str
    chunks: Sequence[Chunk]
    first: int


@dataclass(slots=True)
class Window:
    """Documents on their way from validation to the bulk body, in the order of their request."""

    rules: ContentRules
    documents: list[ValidDocument] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    embedded: Future[Embeddings] | None = None
    _parts: list[_Part] = field(default_factory=list)
    _kept: dict[int, dict[str, FieldEmbedding]] = field(default_factory=dict)

    def add(self, document: ValidDocument, hashes: Mapping[str, str], kept: Mapping[str, FieldEmbedding]) -> None:
        """Take a document in; fields that are not in ``kept`` are split, to be embedded."""
        self.documents.append(document)
        self._kept[document.position] = dict(kept)
        for name, text in document.texts.items():
            if name in kept:
                continue
            chunks = self.rules.chunks(text)
            self._parts.append(
                _Part(document.document_id, document.position, name, hashes[name], chunks, len(self.texts))
            )
            self.texts.extend(self.rules.prefix + chunk.text for chunk in chunks)

    @property
    def is_full(self) -> bool:
        return len(self.texts) >= MAX_TEXTS or len(self.documents) >= MAX_DOCUMENTS

    def actions(self) -> Iterator[BulkAction]:
        """The bulk actions, once the texts are embedded; waits for that. Raises what the model raised."""
        fields = self._kept
        if self.embedded is not None:
            vectors = self.embedded.result()
            vectors = normalized(vectors) if self.rules.normalize else vectors
            for part in self._parts:
                rows = vectors[part.first : part.first + len(part.chunks)]
                spans = [(chunk.start, chunk.end) for chunk in part.chunks]
                fields[part.position][part.field] = FieldEmbedding(rows, spans, part.content_hash)
        for document in self.documents:
            yield BulkAction(document.document_id, encode_source(document.source, fields[document.position]))
