"""Gives each request an id, and has it observed from its beginning to its end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from flask import Flask, Response, g, request
from werkzeug.exceptions import MethodNotAllowed

from sidecar.logs import new_request_id, request_id
from sidecar.observation.kinds import INDEXES, Asked, Work
from sidecar.observation.request import Observation, Observer

HEADER = "X-Request-Id"
_QUIET_PATHS = frozenset({"/health", "/ready", "/metrics"})
"""Asked for all the time, by machines: logged at the level debug."""
_WORK = {
    "search.search_index": Work.SEARCH,
    "search.search_indexes": Work.SEARCH,
    "recommend.recommend_documents": Work.SEARCH,
    "documents.add_documents": Work.DOCUMENTS,
    "documents.update_documents": Work.DOCUMENTS,
    "documents.delete_documents": Work.DOCUMENTS,
}
"""What the routes are for; all others are for something else."""


def log_requests(app: Flask, observer: Observer) -> None:
    """Number, time, count, trace and log all requests of the app."""

    def begin() -> None:
        number = new_request_id(request.headers.get(HEADER))
        g.observation = observer.begin(_asked(), number, request.headers.get)
        # Flask serves HEAD wherever it serves GET; the contract does not.
        if request.method == "HEAD" and request.routing_exception is None:
            raise MethodNotAllowed

    def end(response: Response) -> Response:
        response.headers[HEADER] = request_id.get()
        observation: Observation = g.observation
        if response.is_streamed:
            _end_with(response, observation)
        else:
            observation.end(response.status_code)
        return response

    def forget(error: BaseException | None) -> None:
        # The thread goes on with other work, which must not log under this id.
        observation: Observation | None = g.get("observation")
        if observation is not None:
            observation.leave()

    app.before_request(begin)
    app.after_request(end)
    app.teardown_request(forget)


def _asked() -> Asked:
    return Asked(
        INDEXES,
        request.url_rule.rule if request.url_rule is not None else "unknown",
        request.method,
        request.path,
        _WORK.get(request.endpoint or "", Work.OTHER),
        is_quiet=request.path in _QUIET_PATHS,
    )


def _end_with(response: Response, observation: Observation) -> None:
    """Tell of a streamed answer when it was sent, or its client went away. Until then its thread works for the request,
    though the framework has forgotten it."""
    observation.is_streamed = True

    def within(pieces: Iterable[Any]) -> Iterator[Any]:
        observation.enter()
        yield from pieces

    def end() -> None:
        observation.enter()
        observation.end(response.status_code)
        observation.leave()

    response.response = within(response.response)
    response.call_on_close(end)
