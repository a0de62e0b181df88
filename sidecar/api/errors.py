"""Every failure of a request as one answer."""

from __future__ import annotations

import logging
from urllib.parse import quote

from flask import Flask, Response, current_app, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound

from sidecar.api.answers import json_answer
from sidecar.errors import SidecarError
from sidecar.logs import request_id
from sidecar.observation.request import failed

logger = logging.getLogger(__name__)


def register_error_handlers(app: Flask) -> None:
    """Let all errors of all routes be answered here."""
    app.register_error_handler(SidecarError, answer_error)
    app.register_error_handler(HTTPException, _answer_framework)
    app.register_error_handler(Exception, _answer_unforeseen)


def answer_error(error: SidecarError) -> Response:
    """The answer that tells of one of our errors."""
    failed(error)
    if error.status >= 500:
        logger.warning("failed: %s", error.message)
    answer = json_answer(error.as_body(), error.status)
    answer.headers.extend(error.headers())
    return answer


def _answer_framework(error: HTTPException) -> Response:
    """Unknown routes and methods, and requests that end too early, in the framework's shape."""
    if isinstance(error, NotFound) and (target := _without_slash()) is not None:
        return Response(status=307, headers={"Location": target})
    answer = json_answer({"detail": error.name}, error.code or 500)
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        answer.headers["Allow"] = ", ".join(sorted(set(error.valid_methods) - {"HEAD"}))
    return answer


def as_own_error(error: Exception) -> SidecarError:
    """The error itself where it is ours; one that nobody foresaw is logged, and told without its details."""
    if isinstance(error, SidecarError):
        return error
    failed(error)
    logger.error("an error that nobody foresaw", exc_info=error)
    return SidecarError(
        "An error that nobody foresaw; the sidecar's log tells more of it, under request id "
        f"{request_id.get()}. Please file an issue with it."
    )


def _answer_unforeseen(error: Exception) -> Response:
    unforeseen = as_own_error(error)
    return json_answer(unforeseen.as_body(), unforeseen.status)


def _without_slash() -> str | None:
    """Where the request should go, if only the slash at its end makes it unknown."""
    path = request.path.rstrip("/")
    if path == request.path or not path or request.routing_exception is None:
        return None
    adapter = current_app.create_url_adapter(request)
    if adapter is None or not adapter.allowed_methods(path):
        return None
    query = request.query_string.decode("latin-1")
    return quote(path, safe="/") + (f"?{query}" if query else "")
