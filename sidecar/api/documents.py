"""Routes that add, read and delete documents."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timezone
from typing import Any

from flask import Blueprint, Response, request

from sidecar.api.answers import answer_that_reads_on, json_answer, streamed_answer
from sidecar.api.bodies import body_of_lines, require_json
from sidecar.api.document_stream import DocumentStream
from sidecar.api.errors import answer_error, as_own_error
from sidecar.api.parameters import read_device, read_flag, read_routing
from sidecar.api.schemas.deletion import parse_deletion
from sidecar.api.schemas.document_stream import StreamParameters, parse_stream
from sidecar.api.schemas.documents import (
    LEGACY_PARAMETERS,
    AddParameters,
    parse_add_documents,
    parse_ids_to_delete,
    parse_ids_to_read,
    parse_update_documents,
)
from sidecar.api.services import services
from sidecar.errors import OpenSearchError
from sidecar.indexing.reader import ReadOptions
from sidecar.observation.kinds import Stage, WriteNote
from sidecar.observation.request import tell
from sidecar.observation.stages import stage
from sidecar.opensearch.bulk_actions import ItemResult
from sidecar.opensearch.deletion import Deleter
from sidecar.searching.any_filter import filter_query, refused_filter

LINES = frozenset({"application/x-ndjson", "application/ndjson", "application/jsonl"})
"""The content types of a body that has one document a line."""
_LINE_ROOM = 2
"""A line may be so many times as long as a document's JSON text may be, for white space and long numbers."""

documents = Blueprint("documents", __name__, url_prefix="/indexes/<index>/documents")


@documents.post("")
def add_documents(index: str) -> Response:
    """Add or replace documents; each has its own outcome in the answer. Lines of JSON may be any number."""
    if request.mimetype in LINES:
        return _add_lines(index)
    started = time.perf_counter()
    parts = services()
    with stage(Stage.PARSE):
        addition = parse_add_documents(require_json(), _parameters(), max_documents=parts.settings.max_add_documents)
    tell(WriteNote(index, len(addition.documents)))
    return _outcome(index, parts.writer.add(index, addition), started)


@documents.patch("")
def update_documents(index: str) -> Response:
    """Change some fields of documents; only these are embedded again."""
    started = time.perf_counter()
    parts = services()
    with stage(Stage.PARSE):
        update = parse_update_documents(require_json(), _parameters(), max_documents=parts.settings.max_add_documents)
    tell(WriteNote(index, len(update.documents)))
    return _outcome(index, parts.writer.add(index, update), started)


@documents.get("/<document_id>")
def get_document(index: str, document_id: str) -> Response:
    """One document, as it was sent."""
    return json_answer(services().reader.get(index, document_id, _read_options()))


@documents.get("")
def get_documents(index: str) -> Response:
    """Several documents, in the order of the ids in the body."""
    body = require_json()
    options = _read_options()
    parts = services()
    ids = parse_ids_to_read(body, max_ids=parts.settings.max_retrievable_documents)
    found = parts.reader.get_many(index, ids, options)
    results = [
        {"_id": document_id, "_found": False} if document is None else {"_found": True, **document}
        for document_id, document in zip(ids, found, strict=True)
    ]
    return json_answer({"results": results})


@documents.post("/delete-batch")
def delete_documents(index: str) -> Response:
    """Delete documents by their ids."""
    started_at = datetime.now(timezone.utc)
    started = time.perf_counter()
    body = require_json()
    refresh, routing = read_flag("refresh"), read_routing()
    parts = services()
    ids = parse_ids_to_delete(body, max_ids=parts.settings.max_delete_documents)
    tell(WriteNote(index, len(ids)))
    results = parts.writer.delete(index, ids, refresh=refresh, routing=routing)
    return json_answer(
        {
            "index_name": index,
            "status": "succeeded",
            "type": "documentDeletion",
            "items": [_deleted_item(result) for result in results],
            "details": {
                "receivedDocumentIds": len(ids),
                "deletedDocuments": sum(result.result == "deleted" for result in results),
            },
            "duration": f"PT{time.perf_counter() - started:.6f}S",
            "startedAt": _utc(started_at),
            "finishedAt": _utc(datetime.now(timezone.utc)),
        }
    )


@documents.post("/delete-by-query")
def delete_found_documents(index: str) -> Response:
    """Delete the documents that a filter finds, however many."""
    started = time.perf_counter()
    parts = services()
    wanted = parse_deletion(require_json())
    refresh = read_flag("refresh")
    deleter = Deleter(parts.cluster, parts.states, parts.switches)
    try:
        deletion = deleter.delete(index, lambda state: filter_query(wanted, state.field_types), refresh=refresh)
    except OpenSearchError as error:
        if error.upstream_status != 400:
            raise
        raise refused_filter(wanted, error.message) from error
    return json_answer(
        {
            "index_name": index,
            "deleted": deletion.deleted,
            "total": deletion.total,
            "versionConflicts": deletion.version_conflicts,
            "failures": deletion.failures,
            "processingTimeMs": (time.perf_counter() - started) * 1000,
        }
    )


def _add_lines(index: str) -> Response:
    parts = services()
    limit = parts.settings.max_document_bytes
    lines = body_of_lines(max_line_bytes=_LINE_ROOM * limit)
    try:
        addition, refresh = parse_stream(_stream_parameters()), read_flag("refresh")
        parts.states.get(index, is_fresh=True)

        def write(batch: Sequence[object]) -> list[dict[str, Any]]:
            return parts.writer.add(index, replace(addition, documents=batch))

        def finish() -> None:
            if refresh:
                parts.cluster.refresh(index)

        return streamed_answer(DocumentStream(lines, write, finish, max_document_bytes=limit).answer())
    except Exception as error:
        return answer_that_reads_on(answer_error(as_own_error(error)), lines.drain)


def _parameters() -> AddParameters:
    return AddParameters(
        refresh=read_flag("refresh"),
        device=read_device(),
        use_existing_tensors=read_flag("use_existing_tensors"),
        legacy={name: request.args.getlist(name) for name in LEGACY_PARAMETERS if name in request.args},
        routing=read_routing(),
    )


def _stream_parameters() -> StreamParameters:
    return StreamParameters(
        texts=request.args.to_dict(flat=False),
        device=read_device(),
        use_existing_tensors=read_flag("useExistingTensors"),
        routing=read_routing(),
    )


def _read_options() -> ReadOptions:
    return ReadOptions(with_facets=read_flag("expose_facets"), routing=read_routing())


def _outcome(index: str, items: Sequence[dict[str, Any]], started: float) -> Response:
    return json_answer(
        {
            "errors": any("error" in item for item in items),
            "processingTimeMs": (time.perf_counter() - started) * 1000,
            "index_name": index,
            "items": items,
        }
    )


def _deleted_item(result: ItemResult) -> dict[str, Any]:
    item: dict[str, Any] = {"_id": result.document_id, "status": result.status}
    if result.error is not None:
        return item | {"error": result.error}
    return item | {"_shards": result.shards, "result": result.result}


def _utc(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
