"""Adds what a request spent its time on to its answer, where the client asks for it (``telemetry=true``)."""

from __future__ import annotations

import time

import orjson
from flask import Flask, Response, g, request

from sidecar import telemetry
from sidecar.api.answers import JSON
from sidecar.api.parameters import is_true
from sidecar.telemetry import Telemetry

_WITHOUT_STAGES = frozenset({"documents.get_document", "models.list_models", "models.eject_model"})
"""Routes of which clients expect an empty object."""
_TOTALS = {
    "search.search_index": "POST /indexes/{index}/search",
    "search.search_indexes": "POST /indexes/bulk/search",
    "recommend.recommend_documents": "POST /indexes/{index}/recommend",
    "documents.add_documents": "POST /indexes/{index}/documents",
    "documents.update_documents": "PATCH /indexes/{index}/documents",
}
"""Routes whose whole time is told, under the name that clients know."""


def tell_telemetry(app: Flask) -> None:
    """Let every JSON object that the app answers with have the key ``telemetry``, where the request asks for it."""

    def begin() -> None:
        wanted = bool(request.query_string) and is_true(request.args.get("telemetry", ""))
        g.telemetry = Telemetry() if wanted else None
        g.telemetry_started = time.perf_counter()
        telemetry.begin(g.telemetry)

    def end(response: Response) -> Response:
        taken: Telemetry | None = g.get("telemetry")
        if taken is None or response.content_type != JSON or response.is_streamed:
            return response
        body = orjson.loads(response.get_data())
        if not isinstance(body, dict):
            return response
        if (name := _TOTALS.get(request.endpoint or "")) is not None:
            index = (request.view_args or {}).get("index", "")
            taken.add_ms(name.format(index=index), (time.perf_counter() - g.telemetry_started) * 1000)
        body["telemetry"] = {} if request.endpoint in _WITHOUT_STAGES else taken.to_wire()
        response.set_data(orjson.dumps(body))
        return response

    def forget(error: BaseException | None) -> None:
        telemetry.begin(None)

    app.before_request(begin)
    app.after_request(end)
    app.teardown_request(forget)
