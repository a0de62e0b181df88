"""Gives each request an id, times and counts it, and logs it in one line."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from flask import Flask, Response, g, request
from werkzeug.exceptions import MethodNotAllowed

from sidecar.logs import FIELDS, new_request_id, request_id
from sidecar.metrics import Metrics

logger = logging.getLogger(__name__)

HEADER = "X-Request-Id"
_QUIET_PATHS = frozenset({"/health", "/ready", "/metrics"})
"""Asked for all the time, by machines: logged at the level debug."""


@dataclass(frozen=True, slots=True)
class _Answered:
    """What is told of a request; `started` is a reading of `time.perf_counter`."""

    route: str
    method: str
    path: str
    status: int
    started: float

    def tell(self, metrics: Metrics) -> None:
        """Count and log the request, which has ended now."""
        seconds = time.perf_counter() - self.started
        metrics.requests.labels(self.route, self.method, self.status).observe(seconds)
        level = logging.DEBUG if self.path in _QUIET_PATHS else logging.INFO
        if logger.isEnabledFor(level):
            # Not the query: a legacy parameter may hold credentials.
            fields = {"method": self.method, "path": self.path, "status": self.status, "ms": round(seconds * 1000, 2)}
            logger.log(level, "answered", extra={FIELDS: fields})


def _tell_at_end(response: Response, answered: _Answered, metrics: Metrics) -> None:
    """Tell of a streamed answer when it was sent, or its client went away. Until then its thread works under its id,
    though the framework has forgotten the request."""
    number = request_id.get()

    def under_id(pieces: Iterable[Any]) -> Iterator[Any]:
        request_id.set(number)
        yield from pieces

    def end() -> None:
        request_id.set(number)
        answered.tell(metrics)
        request_id.set("")

    response.response = under_id(response.response)
    response.call_on_close(end)


def log_requests(app: Flask, metrics: Metrics) -> None:
    """Number, time, count and log all requests of the app."""

    def begin() -> None:
        g.started = time.perf_counter()
        request_id.set(new_request_id(request.headers.get(HEADER)))
        # Flask serves HEAD wherever it serves GET; the contract does not.
        if request.method == "HEAD" and request.routing_exception is None:
            raise MethodNotAllowed

    def end(response: Response) -> Response:
        response.headers[HEADER] = request_id.get()
        route = request.url_rule.rule if request.url_rule is not None else "unknown"
        answered = _Answered(route, request.method, request.path, response.status_code, g.started)
        if response.is_streamed:
            _tell_at_end(response, answered, metrics)
        else:
            answered.tell(metrics)
        return response

    def forget(error: BaseException | None) -> None:
        # The thread goes on with other work, which must not log under this id.
        request_id.set("")

    app.before_request(begin)
    app.after_request(end)
    app.teardown_request(forget)
