"""Routes that add, read and delete documents."""

from __future__ import annotations

import time
from datetime import datetime, timezone
from typing import Any

from flask import Blueprint, Response, request

from sidecar.api.answers import json_answer
from sidecar.api.bodies import require_json
from sidecar.api.parameters import check_unsupported_flags, read_device, read_flag
from sidecar.api.schemas.documents import (
    LEGACY_PARAMETERS,
    AddParameters,
    parse_add_documents,
    parse_ids_to_delete,
    parse_ids_to_read,
)
from sidecar.api.services import services
from sidecar.opensearch.bulk_actions import ItemResult

documents = Blueprint("documents", __name__, url_prefix="/indexes/<index>/documents")


@documents.post("")
def add_documents(index: str) -> Response:
    """Add or replace documents; each has its own outcome in the answer."""
    started = time.perf_counter()
    body = require_json()
    parameters = AddParameters(
        refresh=read_flag("refresh"),
        device=read_device(),
        use_existing_tensors=read_flag("use_existing_tensors"),
        legacy={name: request.args.getlist(name) for name in LEGACY_PARAMETERS if name in request.args},
    )
    parts = services()
    addition = parse_add_documents(body, parameters, max_documents=parts.settings.max_add_documents)
    items = parts.writer.add(index, addition)
    return json_answer(
        {
            "errors": any("error" in item for item in items),
            "processingTimeMs": (time.perf_counter() - started) * 1000,
            "index_name": index,
            "items": items,
        }
    )


@documents.get("/<document_id>")
def get_document(index: str, document_id: str) -> Response:
    """One document, as it was sent."""
    check_unsupported_flags("expose_facets")
    return json_answer(services().reader.get(index, document_id))


@documents.get("")
def get_documents(index: str) -> Response:
    """Several documents, in the order of the ids in the body."""
    ids = require_json()
    check_unsupported_flags("expose_facets")
    parts = services()
    ids = parse_ids_to_read(ids, max_ids=parts.settings.max_retrievable_documents)
    found = parts.reader.get_many(index, ids)
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
    refresh = read_flag("refresh")
    parts = services()
    ids = parse_ids_to_delete(body, max_ids=parts.settings.max_delete_documents)
    results = parts.writer.delete(index, ids, refresh=refresh)
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


def _deleted_item(result: ItemResult) -> dict[str, Any]:
    item: dict[str, Any] = {"_id": result.document_id, "status": result.status}
    if result.error is not None:
        return item | {"error": result.error}
    return item | {"_shards": result.shards, "result": result.result}


def _utc(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
