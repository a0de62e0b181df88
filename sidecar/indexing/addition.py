"""One request's documents on their way: validating and splitting, embedding, and writing go on at the same time."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from sidecar import telemetry
from sidecar.embedding.media_embedder import MediaEmbedder
from sidecar.embedding.model_table import ModelTable
from sidecar.embedding.text_embedder import TextEmbedder
from sidecar.errors import InvalidArgument, SidecarError
from sidecar.indexing.custom_vectors import VectorRules
from sidecar.indexing.field_rules import FieldRules
from sidecar.indexing.files import RequestFiles
from sidecar.indexing.hashes import ContentHashes, content_hashes
from sidecar.indexing.kept_embeddings import find_kept_embeddings
from sidecar.indexing.reader import document_not_found
from sidecar.indexing.repeats import Written, places_turned_away
from sidecar.indexing.requests import AddDocuments
from sidecar.indexing.validation import DocumentRules, ValidDocument, has_faulty_identity, validate_document
from sidecar.indexing.windows import MAX_FILE_PARTS, MAX_TEXTS, Window
from sidecar.metrics import Metrics
from sidecar.opensearch.bulk_actions import KEPT, BulkAction, FieldEmbedding, ItemResult
from sidecar.opensearch.bulk_writer import BulkStream, BulkWriter
from sidecar.opensearch.client import Cluster
from sidecar.opensearch.document_ids import find_ids
from sidecar.opensearch.index_state import IndexState
from sidecar.opensearch.index_states import IndexStates
from sidecar.opensearch.mapping_builder import COMBINATION, CUSTOM_VECTOR
from sidecar.opensearch.stored_chunks import readable_chunks
from sidecar.opensearch.switching import Switches

_WINDOWS_IN_FLIGHT = 6
_FILE_PARTS_IN_FLIGHT = 2 * MAX_FILE_PARTS
"""While the next window is filled: enough for twenty files to be fetched while others are decoded and embedded."""
_LOOK_AHEAD = MAX_TEXTS // 2
"""Documents whose stored form is looked up together, about a window's worth."""


@dataclass(frozen=True, slots=True)
class WriterParts:
    """What a `DocumentWriter` works with."""

    cluster: Cluster
    states: IndexStates
    bulk: BulkWriter
    engine: TextEmbedder
    media: MediaEmbedder
    table: ModelTable
    metrics: Metrics
    switches: Switches


class Addition:
    """One add request on its way."""

    def __init__(
        self,
        parts: WriterParts,
        state: IndexState,
        rules: FieldRules,
        request: AddDocuments,
        *,
        max_document_bytes: int,
    ) -> None:
        self._parts = parts
        self._state = state
        self._rules = rules.of
        self._request = request
        self._document_rules = DocumentRules(request, max_document_bytes, self._vectors_of)
        settings = state.settings
        self._files = RequestFiles(parts.media, request.media_headers, settings.image_preprocessing.patch_method)
        self._items: dict[int, dict[str, Any]] = {}
        """By position, of the documents that never get to the cluster."""
        self._submitted: list[int] = []
        self.has_new_fields = False

    def submit_to(self, stream: BulkStream) -> None:
        """Send all valid documents into the stream, in order."""
        in_flight: deque[Window] = deque()
        try:
            for window in self._windows():
                in_flight.append(window)
                # What the stream has lost hope for is not written, with or without vectors.
                if not stream.is_lost:
                    window.submit(self._parts.engine)
                while _are_too_many(in_flight) or (stream.is_lost and in_flight):
                    self._write(in_flight.popleft(), stream)
            while in_flight:
                self._write(in_flight.popleft(), stream)
        finally:
            for window in in_flight:
                window.cancel()

    def written(self, results: Sequence[ItemResult]) -> Written[dict[str, Any]]:
        """The wire's items from the cluster's results and the documents that never got there."""
        items = dict(self._items)
        for position, result in zip(self._submitted, results, strict=True):
            items[position] = self._item(result)
        turned_away = [self._submitted[place] for place in places_turned_away(results)]
        return Written([items[position] for position in range(len(self._request.documents))], turned_away)

    def _item(self, result: ItemResult) -> dict[str, Any]:
        if result.is_of_missing_document:
            return document_not_found(self._state.name, result.document_id).as_item(result.document_id)
        if result.error is not None:
            return {"_id": result.document_id, "status": result.status, "error": dict(result.error)}
        if result.result == KEPT:
            return _kept_item(result.document_id)
        item = {"_id": result.document_id, "result": result.result, "status": result.status}
        return item | {"forced_refresh": True} if self._request.refresh else item

    def _write(self, window: Window, stream: BulkStream) -> None:
        with telemetry.timed("add_documents.create_vectors"):
            window.wait()
        for document, outcome in zip(window.documents, window.outcomes(), strict=True):
            if isinstance(outcome, BulkAction):
                self._submitted.append(document.position)
                stream.submit(outcome)
            else:
                self._items[document.position] = outcome.as_item(document.document_id)

    def _windows(self) -> Iterator[Window]:
        window = self._new_window()
        valid = self._valid_documents()
        while group := list(islice(valid, _LOOK_AHEAD)):
            if self._request.is_only_new:
                group = self._new_ones(group)
            self._declare_fields(group)
            self._note_new_fields(group)
            files_last = self._request.use_existing_tensors
            hashes = {d.position: content_hashes(d, self._rules, files_last=files_last) for d in group}
            kept = self._kept(group, hashes)
            for document in group:
                position = document.position
                try:
                    window.add(document, hashes[position].stored, kept.get(position, {}))
                except InvalidArgument as error:
                    self._items[position] = error.as_item(document.document_id)
                if window.is_full:
                    yield window
                    window = self._new_window()
        if window.documents:
            yield window

    def _new_ones(self, group: Sequence[ValidDocument]) -> list[ValidDocument]:
        """The documents that the index has not; the others have their items then."""
        own = [document.document_id for document in group if document.has_own_id]
        there = find_ids(self._parts.cluster, self._state.name, own, routing=self._request.routing)
        for document in group:
            if document.document_id in there:
                self._items[document.position] = _kept_item(document.document_id)
        return [document for document in group if document.document_id not in there]

    def _new_window(self) -> Window:
        stores_bytes = self._state.settings.ann_parameters.stores_bytes
        return Window(self._rules, self._files, stores_bytes, creates=self._request.is_only_new)

    def _vectors_of(self, field: str) -> VectorRules:
        return VectorRules(self._state.dimensions_of(field), self._state.settings.ann_parameters.space_type)

    def _valid_documents(self) -> Iterator[ValidDocument]:
        for position, document in enumerate(self._request.documents):
            try:
                yield validate_document(position, document, self._document_rules)
            except SidecarError as error:
                document_id = document.get("_id", "") if isinstance(document, dict) else ""
                is_known = isinstance(document_id, str) and not has_faulty_identity(error)
                self._items[position] = error.as_item(document_id if is_known else "")

    def _declare_fields(self, group: Sequence[ValidDocument]) -> None:
        fields = list(dict.fromkeys(field for document in group for field in document.embedded_fields))
        if any(field not in self._state.embedded_fields for field in fields):
            kinds = {field: COMBINATION for document in group for field in document.combinations}
            kinds |= {field: CUSTOM_VECTOR for document in group for field in document.vectors}
            self._state = self._parts.states.ensure_embedded_fields(self._state.name, fields, kinds=kinds)

    def _note_new_fields(self, group: Sequence[ValidDocument]) -> None:
        for document in group:
            if not self.has_new_fields:
                source = self._request.documents[document.position]
                assert isinstance(source, dict)
                self.has_new_fields = any(
                    name not in self._state.field_types for name in _mapped_names(source, document)
                )

    def _kept(
        self, group: Sequence[ValidDocument], hashes: Mapping[int, ContentHashes]
    ) -> dict[int, dict[str, FieldEmbedding]]:
        if self._request.is_only_new:
            return {}
        # Documents that got their id here can't be stored yet.
        lookups = [document for document in group if document.has_own_id and hashes[document.position].lasting]
        if not lookups:
            return {}
        # Of documents with one id, the last one's hashes are looked up; the others are embedded.
        wanted = {document.document_id: document for document in lookups}
        found = find_kept_embeddings(
            self._parts.cluster,
            self._state.name,
            {document_id: hashes[document.position].lasting for document_id, document in wanted.items()},
            max_chunks=readable_chunks(self._state),
            routing=self._request.routing,
        )
        self._parts.metrics.unchanged.inc(sum(len(fields) for fields in found.values()))
        return {wanted[document_id].position: fields for document_id, fields in found.items()}


def _kept_item(document_id: str) -> dict[str, Any]:
    return {"_id": document_id, "result": KEPT, "status": 200}


def _mapped_names(source: Mapping[str, object], document: ValidDocument) -> Iterator[str]:
    """The names that the document's fields have in the index's mapping, where an object has its sub-fields only."""
    for field, value in source.items():
        if value is None:
            continue
        if field in document.combinations:
            yield from (f"{field}.{sub}" for sub, _, _ in document.combinations[field].members)
        elif field != "_id":
            yield field


def _are_too_many(windows: Sequence[Window]) -> bool:
    file_parts = sum(window.file_parts for window in windows)
    return len(windows) > _WINDOWS_IN_FLIGHT or file_parts > _FILE_PARTS_IN_FLIGHT
