"""Brings the documents of a collection into the index of a plan, and measures what that takes."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace

import orjson

from sidecar.errors import OpenSearchError
from sidecar.evaluation.data.collection import Collection, EvaluatedDocument, Kind
from sidecar.evaluation.memory import PeakMemory
from sidecar.evaluation.parts import EvaluationParts, OpenIndex
from sidecar.evaluation.results import Indexing
from sidecar.evaluation.stored_vectors import read_embeddings
from sidecar.opensearch.bulk_actions import BulkAction, FieldEmbedding, encode_source
from sidecar.opensearch.merging import merge_segments, primary_bytes

BATCH_DOCUMENTS = 200
"""Documents of one request, which come one after another."""


class Filling:
    """Fills one index; goes on where an earlier process ended."""

    def __init__(
        self, parts: EvaluationParts, collection: Collection, index: OpenIndex, *, is_fresh: bool = False
    ) -> None:
        self._parts = parts
        self._collection = collection
        self._plan = index.plan
        self._index = index.name
        self._http = index.http
        self._record = index.record
        self._is_resumed = index.is_resumed
        # A fresh evaluation embeds anew, and lets later ones have what it embedded.
        self._cache = None if index.plan.spec is None else parts.cache_of(index.plan)
        self._usable = None if is_fresh else self._cache

    def run(self, memory: PeakMemory) -> Indexing:
        """Fill the index, merge it, keep its embeddings; returns what the whole of it took."""
        documents = self._collection.documents
        record = self._record.record
        assert record is not None
        self._declare()
        self._parts.progress.stage("Indexing", len(documents))
        self._parts.progress.done(record.documents)
        # A part of the batch in which an earlier process ended may be embedded already: its time says nothing.
        is_counted = not self._is_resumed
        for first in range(record.documents, len(documents), BATCH_DOCUMENTS):
            batch = documents[first : first + BATCH_DOCUMENTS]
            self._add(batch, memory, is_counted=is_counted)
            is_counted = True
            self._parts.progress.done(len(batch))
        return self._finish(memory)

    def _declare(self) -> None:
        """The embedded field must be there before vectors are written to it directly."""
        if self._plan.spec is not None:
            self._parts.states.ensure_embedded_fields(self._index, [self._plan.field])

    def _add(self, batch: Sequence[EvaluatedDocument], memory: PeakMemory, *, is_counted: bool) -> None:
        record = self._record.record
        assert record is not None
        found = {one.document_id: self._usable.find(one.digest) for one in batch} if self._usable else {}
        cached = {document_id: embedding for document_id, embedding in found.items() if embedding is not None}
        missing = [document for document in batch if document.document_id not in cached]
        began = time.perf_counter()
        if missing:
            sent = [{"_id": one.document_id, self._plan.field: one.content} for one in missing]
            self._http.add(self._index, sent, [] if self._plan.spec is None else [self._plan.field])
        passed = time.perf_counter() - began
        self._write([document for document in batch if document.document_id in cached], cached)
        self._record.save(
            replace(
                record,
                documents=record.documents + len(batch),
                counted_documents=record.counted_documents + (len(missing) if is_counted else 0),
                counted_seconds=record.counted_seconds + (passed if is_counted else 0.0),
                cached_documents=record.cached_documents + len(cached),
                seconds=record.seconds + time.perf_counter() - began,
                memory_bytes=max(record.memory_bytes, memory.peak_bytes),
            )
        )

    def _write(self, documents: Sequence[EvaluatedDocument], embeddings: Mapping[str, FieldEmbedding]) -> None:
        """Write documents with vectors that are there already, as the sidecar would have written them."""
        field = self._plan.field
        actions = [
            BulkAction(
                one.document_id,
                encode_source(orjson.dumps({field: one.content}), {field: embeddings[one.document_id]}),
            )
            for one in documents
        ]
        failed = next((one for one in self._parts.bulk.write(self._index, actions) if one.error is not None), None)
        if failed is not None:
            raise OpenSearchError(f"The document {failed.document_id!r} can't be written: {failed.error}.")

    def _finish(self, memory: PeakMemory) -> Indexing:
        self._http.refresh(self._index)
        self._parts.progress.stage("Merging the index")
        merge_segments(self._parts.cluster, self._index)
        self._http.refresh(self._index)
        self._keep_embeddings()
        record = self._record.record
        assert record is not None
        self._record.save(replace(record, memory_bytes=max(record.memory_bytes, memory.peak_bytes)))
        documents, chunks = self._http.stats(self._index)
        return Indexing(
            documents=documents,
            chunks=chunks,
            seconds=record.seconds,
            documents_per_second=record.documents_per_second,
            storage_bytes=primary_bytes(self._parts.cluster, self._index),
            memory_bytes=max(record.memory_bytes, memory.peak_bytes),
            dimensions=None if self._plan.spec is None else self._plan.spec.dimensions,
        )

    def _keep_embeddings(self) -> None:
        if self._cache is None:
            return
        kept = self._usable
        documents = self._collection.documents
        wanted = {one.document_id: one.digest for one in documents if kept is None or one.digest not in kept}
        if wanted:
            self._parts.progress.stage("Keeping the embeddings")
            # A picture's place is no part of what it shows.
            has_hashes = self._plan.kind is Kind.TEXT
            state = self._parts.states.get(self._index, is_fresh=True)
            self._cache.add(
                read_embeddings(self._parts.cluster, state, self._plan.field, wanted, has_hashes=has_hashes)
            )
