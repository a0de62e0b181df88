"""What a client's call can end with, if not with its result.

SidecarClientError
+- ApiError              the sidecar answered with an error; has its code, type, message and status
|  +- InvalidRequest     4xx: the call must be changed
|     +- Unauthorized    401: no valid API key
|     +- NotFound        404: no such index, document or alias
|     +- TooManyRequests 429: the sidecar is busy, and the tries are used up
+- NoAnswer              no connection, none in time, or it broke off; the fate of a write is unknown
+- StreamBroken          a stream of documents ended early; tells what was acknowledged before
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sidecar.client.outcomes import Progress

_SHOWN_CHARACTERS = 500


class SidecarClientError(Exception):
    """A call did not end with its result. ``request_id`` finds it in the sidecar's log."""

    def __init__(self, message: str, *, request_id: str) -> None:
        super().__init__(f"{message} (request id {request_id})")
        self.message = message
        self.request_id = request_id


class ApiError(SidecarClientError):
    """The sidecar answered with an error.

    ``code`` and ``type`` are the wire's, as ``index_not_found`` and ``invalid_request``; empty where the answer has
    none, as that of a proxy. ``status`` is the HTTP status; 0 of an error that stands within an answer.
    """

    def __init__(self, message: str, *, code: str, type: str, status: int, request_id: str) -> None:
        super().__init__(message, request_id=request_id)
        self.code = code
        self.type = type
        self.status = status


class InvalidRequest(ApiError):
    """The call can't be served as it is; it must be changed."""


class Unauthorized(InvalidRequest):
    """The call carries no valid API key; give the client ``api_key``."""


class NotFound(InvalidRequest):
    """There is no such index, document or alias."""


class TooManyRequests(InvalidRequest):
    """The sidecar is busy, and was so at each try; ``retry_after_seconds`` is the wait that it asked for, or None."""

    retry_after_seconds: float | None = None


class NoAnswer(SidecarClientError):
    """No whole answer came. ``is_timeout`` tells that it did not come in time.

    ``received`` is the part of the answer's body that did come. What the call was to change may be changed.
    """

    def __init__(self, message: str, *, is_timeout: bool, received: bytes, request_id: str) -> None:
        super().__init__(message, request_id=request_id)
        self.is_timeout = is_timeout
        self.received = received


class StreamBroken(SidecarClientError):
    """A stream of documents ended early, for the reason that is its ``__cause__``.

    The first ``progress.received`` documents are dealt with, and what became of them is told as ever. Whether those
    behind them were written is unknown: send the rest from there; to write one again does no harm.
    """

    def __init__(self, progress: Progress, reason: SidecarClientError) -> None:
        message = f"the stream broke off behind document {progress.received}: {reason.message}"
        super().__init__(message, request_id=reason.request_id)
        self.progress = progress


_OF_STATUS: Mapping[int, type[InvalidRequest]] = {401: Unauthorized, 404: NotFound, 429: TooManyRequests}


def api_error(body: bytes, *, status: int, request_id: str) -> ApiError:
    """The error that an answer tells of, in any of the API's forms; of what is no JSON, its text."""
    try:
        told = json.loads(body)
    except ValueError:
        told = body.decode("utf-8", "replace")[:_SHOWN_CHARACTERS] or "no reason was told"
    return error_of(told, status=status, request_id=request_id)


def error_of(told: Any, *, status: int, request_id: str) -> ApiError:
    """As `api_error`, of the parsed body."""
    kind: type[ApiError] = ApiError
    if 400 <= status < 500:
        kind = _OF_STATUS.get(status, InvalidRequest)
    fields = told if isinstance(told, Mapping) else {}
    code, type_ = str(fields.get("code", "")), str(fields.get("type", ""))
    if not code and isinstance(fields.get("detail"), list):
        code, type_ = "unprocessable", "invalid_request"
    message = f"{status}: {_message(told)}" if status else _message(told)
    return kind(message, code=code, type=type_, status=status, request_id=request_id)


def _message(told: Any) -> str:
    if not isinstance(told, Mapping):
        return str(told)
    detail = told.get("detail")
    if isinstance(detail, list):
        return "; ".join(map(_problem, detail))
    return str(told.get("message") or detail or json.dumps(told)[:_SHOWN_CHARACTERS])


def _problem(problem: Any) -> str:
    if not isinstance(problem, Mapping):
        return str(problem)
    place = ".".join(str(step) for step in problem.get("loc", ()))
    return f"{place}: {problem.get('msg', problem)}"
