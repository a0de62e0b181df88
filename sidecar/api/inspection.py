"""Routes that show what is in an index: how much of what, and where its embeddings lie."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, request

from sidecar.api.answers import json_answer
from sidecar.api.schemas.embedding_map import parse_map
from sidecar.api.services import services
from sidecar.opensearch.chunk_sample import SampledChunk
from sidecar.opensearch.index_details import EmbeddedFieldCounts, IndexDetails, read_details
from sidecar.opensearch.index_state import IndexState
from sidecar.searching.embedding_map import EmbeddingMap, draw_map

TEXT_CHARACTERS = 300
"""Of longer texts a point has the beginning."""
LISTED_VALUES = 20
"""Of an attribute that is a longer list a point has the first."""

inspection = Blueprint("inspection", __name__, url_prefix="/indexes/<index>")


@inspection.get("/details")
def show_details(index: str) -> Response:
    """What is in an index: documents, chunks and models of each embedded field, storage, aliases."""
    parts = services()
    state = parts.states.get(index, is_fresh=True)
    return json_answer(_details_body(state, read_details(parts.cluster, state)))


@inspection.get("/map")
def show_map(index: str) -> Response:
    """Chunks of an embedded field as points of a plane, near one another where their vectors are."""
    started = time.perf_counter()
    wanted = parse_map(request.args)
    parts = services()

    def draw(states: list[IndexState]) -> dict[str, Any]:
        return _map_body(states[0], draw_map(parts.cluster, states[0], wanted))

    answer = parts.states.use([index], draw)
    return json_answer({**answer, "processingTimeMs": (time.perf_counter() - started) * 1000})


def _details_body(state: IndexState, details: IndexDetails) -> dict[str, Any]:
    return {
        "index": state.index,
        "aliases": details.aliases,
        "createdAt": details.created_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "numberOfDocuments": details.documents,
        "numberOfVectors": sum(counts.chunks for counts in details.fields),
        "storage": {"totalBytes": details.total_bytes, "primaryBytes": details.primary_bytes},
        "embeddedFields": [_field_body(state, counts) for counts in details.fields],
    }


def _field_body(state: IndexState, counts: EmbeddedFieldCounts) -> dict[str, Any]:
    return {
        "field": counts.field,
        "model": state.settings.model_of(counts.field).model,
        "kind": state.kind_of(counts.field),
        "dimensions": state.dimensions_of(counts.field),
        "numberOfDocuments": counts.documents,
        "numberOfVectors": counts.chunks,
    }


def _map_body(state: IndexState, drawn: EmbeddingMap) -> dict[str, Any]:
    sample = drawn.sample
    points = zip(sample.chunks, drawn.projection.points.tolist(), strict=True)
    return {
        "index": state.index,
        "field": drawn.field,
        "model": state.settings.model_of(drawn.field).model,
        "dimensions": state.dimensions_of(drawn.field),
        "numberOfDocuments": sample.documents,
        "sampledDocuments": sample.sampled,
        "unreadableDocuments": sample.unreadable,
        "explainedVariance": list(drawn.projection.explained),
        "points": [_point_body(chunk, x, y) for chunk, (x, y) in points],
    }


def _point_body(chunk: SampledChunk, x: float, y: float) -> dict[str, Any]:
    text = None if chunk.content is None else _cut(chunk.content)
    point = {"_id": chunk.document_id, "x": x, "y": y, "start": chunk.start, "end": chunk.end, "text": text}
    if chunk.routing is not None:
        point["_routing"] = chunk.routing
    if chunk.attribute is not None:
        point["attribute"] = _plain(chunk.attribute)
    return point


def _plain(value: Any) -> Any:
    """What can be told of a value in a word: no objects, and no long texts or lists."""
    if isinstance(value, str):
        return _cut(value)
    if isinstance(value, list):
        return [_plain(entry) for entry in value[:LISTED_VALUES] if not isinstance(entry, (list, Mapping))]
    return None if isinstance(value, Mapping) else value


def _cut(text: str) -> str:
    return text if len(text) <= TEXT_CHARACTERS else f"{text[:TEXT_CHARACTERS]}…"
