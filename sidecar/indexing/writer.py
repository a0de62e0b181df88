"""Adds and deletes documents, and does again what met an index that is being switched to another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sidecar.errors import IndexNotFound, InvalidArgument, SidecarError
from sidecar.indexing.addition import Addition, WriterParts
from sidecar.indexing.field_rules import FieldRules
from sidecar.indexing.repeats import LATE, Repeats, Written, places_turned_away
from sidecar.indexing.requests import AddDocuments
from sidecar.opensearch.bulk_actions import BulkAction, ItemResult
from sidecar.opensearch.index_state import IndexState


class DocumentWriter:
    """Adds, replaces and deletes documents; safe to use from any thread."""

    def __init__(self, parts: WriterParts, *, max_document_bytes: int) -> None:
        self._parts = parts
        self._max_document_bytes = max_document_bytes
        self._repeats = Repeats(parts.cluster, parts.switches)

    def add(self, index: str, request: AddDocuments) -> list[dict[str, Any]]:
        """Add, replace or, where the request is partial, update documents; returns the wire's items, one for each
        document, in order.

        A document that breaks a rule, names a bad file, or is refused by the cluster, fails alone, in its item. Memory
        does not grow with the number of documents: seven windows at most wait for the model, fewer where they have
        files, and three bulk bodies for the cluster. Documents that meet the write block of an index that is being
        switched to another wait, and are embedded and written anew where the name leads then.
        Raises: IndexNotFound, ModelLoadError, TooManyRequests and others before anything is written;
        InvalidArgument for a partial request to an index that can't have any; OpenSearchUnreachable where nothing could
        be written. When the model fails midway, part is written: sending the same documents again completes it, and
        embeds only what was not written.
        """

        def write(places: Sequence[int]) -> Written[dict[str, Any]]:
            documents = [request.documents[place] for place in places]
            try:
                return self._add(index, replace(request, documents=documents, is_patient=True))
            except SidecarError as error:
                return Written([error.as_item(first.items[place]["_id"]) for place in places])

        try:
            first = self._add(index, request)
        except IndexNotFound:
            # Its name may have become an alias in between.
            first = self._add(index, request)
        return self._repeats.finish(index, first, write, late=_late_item)

    def delete(
        self, index: str, document_ids: Sequence[str], *, refresh: bool, routing: str | None = None
    ) -> list[ItemResult]:
        """Delete documents; an id that is not there has ``not_found`` as its result. Waits as `add` does."""
        self._parts.states.get(index)

        def write(places: Sequence[int]) -> Written[ItemResult]:
            actions = [BulkAction(document_ids[place]) for place in places]
            results = self._parts.bulk.write(index, actions, refresh=refresh, routing=routing)
            return Written(results, places_turned_away(results))

        first = write(range(len(document_ids)))
        return self._repeats.finish(index, first, write, late=lambda one, error: replace(one, status=LATE, error=error))

    def _add(self, index: str, request: AddDocuments) -> Written[dict[str, Any]]:
        # Read anew: a bulk request to an index that another sidecar has deleted would make it again, without a model.
        state = self._parts.states.get(index, is_fresh=True)
        if request.is_partial:
            request = _completed(request, state)
        rules = FieldRules(state.settings, self._parts.table, request)
        if request.is_patient:
            self._parts.engine.wait_for_room()
        else:
            self._parts.engine.check_room()
        rules.prepare(self._parts.engine.models.get)
        addition = Addition(self._parts, state, rules, request, max_document_bytes=self._max_document_bytes)
        # Not by an alias, which may move to an index of another model meanwhile.
        with self._parts.bulk.open(
            state.name,
            refresh=request.refresh,
            routing=request.routing,
            is_current=lambda: self._parts.states.get(index).uuid == state.uuid,
        ) as stream:
            addition.submit_to(stream)
            written = addition.written(stream.finish())
        if addition.has_new_fields:
            self._parts.states.invalidate(index)
        return written


def _late_item(item: Mapping[str, Any], error: Mapping[str, Any]) -> dict[str, Any]:
    return {"_id": item["_id"], "status": LATE, "error": dict(error)}


def _completed(request: AddDocuments, state: IndexState) -> AddDocuments:
    """A partial request with its field list. Raises: InvalidArgument where there can't be partial updates."""
    if request.is_only_new:
        raise InvalidArgument("A partial update changes documents that are there: it can't be for new ones only")
    if not state.stores_vectors:
        raise InvalidArgument(
            f"Index {state.name!r} does not store its vectors as they are (k-NN's derived source), so that a partial "
            "update could spoil them. Send whole documents, or make the index anew with this version"
        )
    if request.tensor_fields is None and request.non_tensor_fields is None:
        return replace(request, tensor_fields=state.embedded_fields)
    return request
