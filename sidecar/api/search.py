"""Routes that search."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from flask import Blueprint, Response

from sidecar.api.answers import json_answer
from sidecar.api.bodies import require_json
from sidecar.api.parameters import read_device
from sidecar.api.schemas.search import SearchLimits, parse_bulk_search, parse_search
from sidecar.api.services import services
from sidecar.config import Settings
from sidecar.observation.kinds import QueryNote, Stage
from sidecar.observation.request import tell
from sidecar.observation.stages import stage
from sidecar.searching.request import SearchRequest
from sidecar.searching.search_plan import SearchResult

search = Blueprint("search", __name__)


@search.post("/indexes/bulk/search")
def search_indexes() -> Response:
    """Several searches at once, of one or more indexes; one that is wrong fails them all."""
    started = time.perf_counter()
    parts = services()
    with stage(Stage.PARSE):
        body = require_json()
        device = read_device()
        asked = [
            (index, replace(request, device=device))
            for index, request in parse_bulk_search(body, limits_of(parts.settings))
        ]
    tell(_note_of_many(asked))
    found = parts.searcher.search_many(asked)
    results = [result_body(request, result) for (_, request), result in zip(asked, found, strict=True)]
    return json_answer({"result": results, "processingTimeMs": round((time.perf_counter() - started) * 1000)})


@search.post("/indexes/<index>/search")
def search_index(index: str) -> Response:
    """Search an index by meaning (TENSOR), by words (LEXICAL), or by both (HYBRID)."""
    started = time.perf_counter()
    parts = services()
    with stage(Stage.PARSE):
        body = require_json()
        device = read_device()
        asked = replace(parse_search(body, limits_of(parts.settings)), device=device)
    tell(note_of(index, asked))
    result = result_body(asked, parts.searcher.search(index, asked))
    return json_answer({**result, "processingTimeMs": round((time.perf_counter() - started) * 1000)})


def note_of(index: str, asked: SearchRequest) -> QueryNote:
    """What the log may tell of a search."""
    return QueryNote(index, asked.method.value, asked.limit, asked.filter is not None)


def _note_of_many(asked: Sequence[tuple[str, SearchRequest]]) -> QueryNote:
    return QueryNote(
        ",".join(dict.fromkeys(index for index, _ in asked)),
        ",".join(dict.fromkeys(request.method.value for _, request in asked)),
        max((request.limit for _, request in asked), default=None),
        any(request.filter is not None for _, request in asked),
        len(asked),
    )


def limits_of(settings: Settings) -> SearchLimits:
    """The operator's limits of a search."""
    return SearchLimits(settings.max_retrievable_documents, settings.max_searchable_tensor_attributes)


def result_body(request: SearchRequest, result: SearchResult) -> dict[str, Any]:
    """One search's part of an answer."""
    others: Mapping[str, Any] = result.others
    return {"hits": result.hits, "query": request.q, "limit": request.limit, "offset": request.offset, **others}
