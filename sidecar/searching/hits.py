"""The cluster's hits as the API answers them: fields, id, highlights, score."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sidecar.opensearch.embedded_paths import EXCLUDED_FROM_SOURCE, content_path, end_path, start_path
from sidecar.searching.request import SearchRequest
from sidecar.searching.tensor import inner_hits_name


def source_filter(request: SearchRequest, highlighted: Sequence[str]) -> dict[str, Any] | bool:
    """The request's ``_source``: what the answer shows, and the texts that highlights are cut from, never vectors."""
    if request.attributes_to_retrieve is None:
        return {"excludes": [EXCLUDED_FROM_SOURCE]}
    includes = sorted({*request.attributes_to_retrieve, *highlighted})
    return {"includes": includes, "excludes": [EXCLUDED_FROM_SOURCE]} if includes else False


def tensor_hit(hit: Mapping[str, Any], fields: Sequence[str], request: SearchRequest) -> dict[str, Any]:
    """One hit of a tensor search; ``fields`` are those of the query, in its order."""
    source = hit.get("_source", {})
    wire = _shown(source, request) | {"_id": hit["_id"]}
    if request.show_highlights:
        wire["_highlights"] = _highlights(hit.get("inner_hits", {}), source, fields)
    wire["_score"] = hit["_score"]
    return wire


def lexical_hit(hit: Mapping[str, Any], request: SearchRequest) -> dict[str, Any]:
    """One hit of a lexical search, which has no highlights."""
    wire = _shown(hit.get("_source", {}), request) | {"_id": hit["_id"], "_score": hit["_score"]}
    return wire | {"_highlights": []} if request.show_highlights else wire


def _shown(source: Mapping[str, Any], request: SearchRequest) -> dict[str, Any]:
    wanted = request.attributes_to_retrieve
    if wanted is None:
        return dict(source)
    return {field: source[field] for field in wanted if field in source}


def _highlights(inner_hits: Mapping[str, Any], source: Mapping[str, Any], fields: Sequence[str]) -> dict[str, str]:
    """The best chunk over all fields, as the user wrote it."""
    best_field, best_chunk, best_score = None, None, float("-inf")
    for number, field in enumerate(fields):
        chunks = inner_hits.get(inner_hits_name(number), {}).get("hits", {}).get("hits", [])
        if chunks and chunks[0]["_score"] > best_score:
            best_field, best_chunk, best_score = field, chunks[0], chunks[0]["_score"]
    if best_field is None or best_chunk is None:
        return {}
    content = _content(best_field, source.get(best_field), best_chunk.get("fields", {}))
    return {} if content is None else {best_field: content}


def _content(field: str, stored: object, chunk: Mapping[str, Any]) -> str | None:
    """What was embedded: a slice of the text, a box of the image, or the JSON text of a combination."""
    own, start, end = (chunk.get(path(field)) for path in (content_path, start_path, end_path))
    if own:
        return str(own[0])
    if isinstance(stored, dict):
        return json.dumps(stored)
    if not isinstance(stored, str) or not start or not end:
        return None
    return stored[start[0] : end[0]]
