"""The write path's unit of work: some documents, the texts of theirs that a model must run on, and their embeddings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

from sidecar.embedding.engine import normalized
from sidecar.embedding.loader import Embeddings
from sidecar.errors import InvalidArgument
from sidecar.indexing.chunking import Chunk
from sidecar.indexing.content import ContentRules
from sidecar.indexing.distinct import distinct
from sidecar.indexing.validation import ValidDocument
from sidecar.opensearch.bulk_actions import BulkAction, FieldEmbedding, encode_source

MAX_TEXTS = 256
MAX_DOCUMENTS = 512
"""A window is full with either. Batches are formed across the windows that wait, so that a small one costs little
padding (the demo's corpus: 9.5 % of the tokens with 192 texts to choose from, 2.8 % with 800, 0.9 % with 3,000)."""
MAX_CHUNKS = 10_000
"""Chunks of a document: OpenSearch takes no more nested entries (``index.mapping.nested_objects.limit``)."""


@dataclass(slots=True)
class _Part:
    """One field of one document that is to be embedded; ``rows`` are the places of its chunks in the window's texts."""

    document_id: str
    position: int
    field: str
    content_hash: str
    chunks: Sequence[Chunk]
    rows: list[int]


@dataclass(slots=True)
class Window:
    """Documents on their way from validation to the bulk body, in the order of their request."""

    rules: ContentRules
    documents: list[ValidDocument] = field(default_factory=list)
    _rows: dict[str, int] = field(default_factory=dict)
    embedded: Future[Embeddings] | None = None
    _parts: list[_Part] = field(default_factory=list)
    _kept: dict[int, dict[str, FieldEmbedding]] = field(default_factory=dict)

    def add(self, document: ValidDocument, hashes: Mapping[str, str], kept: Mapping[str, FieldEmbedding]) -> None:
        """Take a document in; fields that are not in ``kept`` are split, to be embedded.

        Raises: InvalidArgument for too many chunks; the document is then not taken.
        """
        split = {name: self.rules.chunks(text) for name, text in document.texts.items() if name not in kept}
        counts = {name: len(chunks) for name, chunks in split.items()}
        _check_chunks(counts | {name: len(embedding.spans) for name, embedding in kept.items()})
        self.documents.append(document)
        self._kept[document.position] = dict(kept)
        for name, chunks in split.items():
            texts = [self.rules.prefix + chunk.text for chunk in chunks]
            # A text that stands in the window more than once is embedded once.
            rows = [self._rows.setdefault(text, len(self._rows)) for text in texts]
            self._parts.append(_Part(document.document_id, document.position, name, hashes[name], chunks, rows))

    @property
    def texts(self) -> list[str]:
        """The different texts that a model must run on, in the order of their first appearance."""
        return list(self._rows)

    @property
    def is_full(self) -> bool:
        return len(self._rows) >= MAX_TEXTS or len(self.documents) >= MAX_DOCUMENTS

    def actions(self) -> Iterator[BulkAction]:
        """The bulk actions, once the texts are embedded; waits for that. Raises what the model raised."""
        fields = self._kept
        if self.embedded is not None:
            vectors = self.embedded.result()
            vectors = normalized(vectors) if self.rules.normalize else vectors
            for part in self._parts:
                spans = [(chunk.start, chunk.end) for chunk in part.chunks]
                rows = distinct(vectors[part.rows], part.document_id)
                fields[part.position][part.field] = FieldEmbedding(rows, spans, part.content_hash)
        for document in self.documents:
            yield BulkAction(document.document_id, encode_source(document.source, fields[document.position]))


def _check_chunks(counts: Mapping[str, int]) -> None:
    if sum(counts.values()) > MAX_CHUNKS:
        field = max(counts, key=lambda name: counts[name])
        raise InvalidArgument(
            f"the document has {sum(counts.values()):,} chunks, most of them ({counts[field]:,}) of field {field!r}; "
            f"the limit is {MAX_CHUNKS:,}. Embed fewer fields, or raise split_length of a new index"
        )
