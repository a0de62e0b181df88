"""Adds documents: validating and splitting, embedding, and writing to the cluster go on at the same time."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from sidecar.embedding.engine import EmbeddingEngine
from sidecar.embedding.kinds import NO_MODEL
from sidecar.embedding.model_spec import ModelSpec
from sidecar.embedding.model_table import ModelTable
from sidecar.errors import BadRequest, InvalidArgument, SidecarError
from sidecar.indexing.content import ContentRules
from sidecar.indexing.kept_embeddings import MAX_READABLE_CHUNKS, find_kept_embeddings
from sidecar.indexing.requests import AddDocuments
from sidecar.indexing.validation import ValidDocument, has_faulty_identity, validate_document
from sidecar.indexing.windows import MAX_TEXTS, Window
from sidecar.metrics import Metrics
from sidecar.opensearch.bulk_actions import BulkAction, FieldEmbedding, ItemResult
from sidecar.opensearch.bulk_writer import BulkStream, BulkWriter
from sidecar.opensearch.client import Cluster
from sidecar.opensearch.index_state import IndexState
from sidecar.opensearch.index_states import IndexStates

_WINDOWS_IN_FLIGHT = 6
_LOOK_AHEAD = MAX_TEXTS // 2
"""Documents whose stored form is looked up together, about a window's worth."""


@dataclass(frozen=True, slots=True)
class WriterParts:
    """What a `DocumentWriter` works with."""

    cluster: Cluster
    states: IndexStates
    bulk: BulkWriter
    engine: EmbeddingEngine
    table: ModelTable
    metrics: Metrics


class DocumentWriter:
    """Adds, replaces and deletes documents; safe to use from any thread."""

    def __init__(self, parts: WriterParts, *, max_document_bytes: int) -> None:
        self._parts = parts
        self._max_document_bytes = max_document_bytes

    def add(self, index: str, request: AddDocuments) -> list[dict[str, Any]]:
        """Add or replace documents; returns the wire's items, one for each document, in order.

        A document that breaks a rule, or that the cluster refuses, fails alone, in its item. Memory does not grow with
        the number of documents: seven windows at most wait for the model, three bulk bodies for the cluster.
        Raises: IndexNotFound, ModelLoadError, TooManyRequests and others before anything is written;
        OpenSearchUnreachable where nothing could be written. When the model fails midway, part is written: sending
        the same documents again completes it, and embeds only what was not written.
        """
        # Read anew: a bulk request to an index that another sidecar has deleted would make it again, without a model.
        state = self._parts.states.get(index, is_fresh=True)
        spec = self._parts.table.resolve(state.settings.model, state.settings.model_properties)
        _check_model_embeds(spec, request)
        self._parts.engine.check_room()
        addition = _Addition(self._parts, state, spec, request, self._max_document_bytes)
        with self._parts.bulk.open(index, refresh=request.refresh) as stream:
            addition.submit_to(stream)
            items = addition.items(stream.finish())
        if addition.has_new_fields:
            self._parts.states.invalidate(index)
        return items

    def delete(self, index: str, document_ids: Sequence[str], *, refresh: bool) -> list[ItemResult]:
        """Delete documents; an id that is not there has ``not_found`` as its result."""
        self._parts.states.get(index)
        actions = [BulkAction(document_id) for document_id in document_ids]
        return self._parts.bulk.write(index, actions, refresh=refresh)


class _Addition:
    """One add request on its way."""

    def __init__(
        self,
        parts: WriterParts,
        state: IndexState,
        spec: ModelSpec,
        request: AddDocuments,
        max_document_bytes: int,
    ) -> None:
        self._parts = parts
        self._state = state
        self._spec = spec
        self._request = request
        self._max_document_bytes = max_document_bytes
        self._rules = ContentRules.of_index(state.settings, spec, request.text_chunk_prefix)
        self._errors: dict[int, dict[str, Any]] = {}
        self._submitted: list[int] = []
        self.has_new_fields = False

    def submit_to(self, stream: BulkStream) -> None:
        """Send all valid documents into the stream, in order."""
        in_flight: deque[Window] = deque()
        try:
            for window in self._windows():
                # What the stream has lost hope for is not written, with or without vectors.
                if (texts := window.texts) and not stream.is_lost:
                    window.embedded = self._parts.engine.submit(self._spec, texts)
                in_flight.append(window)
                if len(in_flight) > _WINDOWS_IN_FLIGHT or stream.is_lost:
                    self._write(in_flight.popleft(), stream)
            while in_flight:
                self._write(in_flight.popleft(), stream)
        finally:
            for window in in_flight:
                if window.embedded is not None:
                    window.embedded.cancel()

    def items(self, results: Sequence[ItemResult]) -> list[dict[str, Any]]:
        """The wire's items from the cluster's results and the documents that never got there."""
        items = dict(self._errors)
        for position, result in zip(self._submitted, results, strict=True):
            items[position] = _item(result, refreshed=self._request.refresh)
        return [items[position] for position in range(len(self._request.documents))]

    def _write(self, window: Window, stream: BulkStream) -> None:
        for document, action in zip(window.documents, window.actions(), strict=True):
            self._submitted.append(document.position)
            stream.submit(action)

    def _windows(self) -> Iterator[Window]:
        window = Window(self._rules)
        valid = self._valid_documents()
        while group := list(islice(valid, _LOOK_AHEAD)):
            self._declare_fields(group)
            self._note_new_fields(group)
            hashes = {d.position: {f: self._rules.content_hash(t) for f, t in d.texts.items()} for d in group}
            kept = self._kept(group, hashes)
            for document in group:
                try:
                    window.add(document, hashes[document.position], kept.get(document.position, {}))
                except InvalidArgument as error:
                    self._errors[document.position] = error.as_item(document.document_id)
                if window.is_full:
                    yield window
                    window = Window(self._rules)
        if window.documents:
            yield window

    def _valid_documents(self) -> Iterator[ValidDocument]:
        for position, document in enumerate(self._request.documents):
            try:
                yield validate_document(position, document, self._request, self._max_document_bytes)
            except SidecarError as error:
                document_id = document.get("_id", "") if isinstance(document, dict) else ""
                is_known = isinstance(document_id, str) and not has_faulty_identity(error)
                self._errors[position] = error.as_item(document_id if is_known else "")

    def _declare_fields(self, group: Sequence[ValidDocument]) -> None:
        fields = list(dict.fromkeys(field for document in group for field in document.texts))
        if any(field not in self._state.embedded_fields for field in fields):
            self._state = self._parts.states.ensure_embedded_fields(self._state.name, fields)

    def _note_new_fields(self, group: Sequence[ValidDocument]) -> None:
        for document in group:
            if not self.has_new_fields:
                source = self._request.documents[document.position]
                assert isinstance(source, dict)
                self.has_new_fields = any(f != "_id" and f not in self._state.field_types for f in source)

    def _kept(
        self, group: Sequence[ValidDocument], hashes: dict[int, dict[str, str]]
    ) -> dict[int, dict[str, FieldEmbedding]]:
        # Documents that got their id here can't be stored yet.
        lookups = [document for document in group if document.has_own_id and document.texts]
        if not lookups:
            return {}
        # Of documents with one id, the last one's hashes are looked up; the others are embedded.
        wanted = {document.document_id: document for document in lookups}
        found = find_kept_embeddings(
            self._parts.cluster,
            self._state.name,
            {document_id: hashes[document.position] for document_id, document in wanted.items()},
            max_chunks=None if self._state.stores_vectors else MAX_READABLE_CHUNKS,
        )
        self._parts.metrics.unchanged.inc(sum(len(fields) for fields in found.values()))
        return {wanted[document_id].position: fields for document_id, fields in found.items()}


def _check_model_embeds(spec: ModelSpec, request: AddDocuments) -> None:
    if spec.loader != NO_MODEL:
        return
    for document in request.documents:
        if isinstance(document, dict) and any(
            isinstance(value, str) and request.embeds(field) for field, value in document.items()
        ):
            raise BadRequest(
                f"the index has no model (model {NO_MODEL!r}), so that text can't be vectorised; "
                "send the documents with an empty tensorFields"
            )


def _item(result: ItemResult, *, refreshed: bool) -> dict[str, Any]:
    if result.error is not None:
        return {"_id": result.document_id, "status": result.status, "error": dict(result.error)}
    item = {"_id": result.document_id, "result": result.result, "status": result.status}
    return item | {"forced_refresh": True} if refreshed else item
