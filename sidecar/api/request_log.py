"""Gives each request an id, times and counts it, and logs it in one line."""

from __future__ import annotations

import logging
import re
import time
import uuid

from flask import Flask, Response, g, request
from werkzeug.exceptions import MethodNotAllowed

from sidecar.logs import FIELDS, request_id
from sidecar.metrics import Metrics

logger = logging.getLogger(__name__)

HEADER = "X-Request-Id"
_QUIET_PATHS = frozenset({"/health", "/ready", "/metrics"})
"""Asked for all the time, by machines: logged at the level debug."""
_FIT_ID = re.compile(r"[\x21-\x7e]{1,128}")


def log_requests(app: Flask, metrics: Metrics) -> None:
    """Number, time, count and log all requests of the app."""

    def begin() -> None:
        g.started = time.perf_counter()
        given = request.headers.get(HEADER, "")
        request_id.set(given if _FIT_ID.fullmatch(given) else uuid.uuid4().hex)
        # Flask serves HEAD wherever it serves GET; the contract does not.
        if request.method == "HEAD" and request.routing_exception is None:
            raise MethodNotAllowed

    def end(response: Response) -> Response:
        seconds = time.perf_counter() - g.started
        response.headers[HEADER] = request_id.get()
        route = request.url_rule.rule if request.url_rule is not None else "unknown"
        metrics.requests.labels(route, request.method, response.status_code).observe(seconds)
        level = logging.DEBUG if request.path in _QUIET_PATHS else logging.INFO
        if logger.isEnabledFor(level):
            # Not the query: a legacy parameter may hold credentials.
            fields = {
                "method": request.method,
                "path": request.path,
                "status": response.status_code,
                "ms": round(seconds * 1000, 2),
            }
            logger.log(level, "answered", extra={FIELDS: fields})
        return response

    def forget(error: BaseException | None) -> None:
        # The thread goes on with other work, which must not log under this id.
        request_id.set("")

    app.before_request(begin)
    app.after_request(end)
    app.teardown_request(forget)
