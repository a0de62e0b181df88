"""The route that searches one index."""

from __future__ import annotations

import time
from dataclasses import replace

from flask import Blueprint, Response

from sidecar.api.answers import json_answer
from sidecar.api.bodies import require_json
from sidecar.api.parameters import read_device
from sidecar.api.schemas.search import parse_search
from sidecar.api.services import services
from sidecar.errors import InvalidArgument

search = Blueprint("search", __name__)


@search.post("/indexes/bulk/search")
def search_indexes() -> Response:
    """Several searches at once: not there yet. An index can't have the name."""
    raise InvalidArgument("POST /indexes/bulk/search is not supported by this version. Send the searches one by one.")


@search.post("/indexes/<index>/search")
def search_index(index: str) -> Response:
    """Search an index by meaning (TENSOR) or by words (LEXICAL)."""
    started = time.perf_counter()
    body = require_json()
    device = read_device()
    parts = services()
    asked = replace(parse_search(body, max_documents=parts.settings.max_retrievable_documents), device=device)
    hits = parts.searcher.search(index, asked)
    return json_answer(
        {
            "hits": hits,
            "query": asked.q,
            "limit": asked.limit,
            "offset": asked.offset,
            "processingTimeMs": round((time.perf_counter() - started) * 1000),
        }
    )
