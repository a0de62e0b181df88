"""The sidecar's own errors in the words and the shape that clients of OpenSearch know."""

from __future__ import annotations

from typing import Any

from sidecar.errors import (
    BodyTooLarge,
    EndpointUnavailable,
    InvalidRequest,
    ModelLoadError,
    OpenSearchError,
    OpenSearchTimeout,
    SidecarError,
    TooManyRequests,
    UnknownModel,
)
from sidecar.native.json.writing import json_text
from sidecar.native.request import NativeAnswer

ILLEGAL_ARGUMENT = "illegal_argument_exception"
MAPPER_PARSING = "mapper_parsing_exception"
PARSING = "parsing_exception"
STATUS = "status_exception"
REJECTED = "rejected_execution_exception"
JSON_TYPE = "application/json; charset=UTF-8"


class Refused(InvalidRequest):
    """A request that the sidecar answers in the cluster's place, as the cluster would: type, reason and status."""

    def __init__(self, opensearch_type: str, reason: str, *, status: int = 400) -> None:
        super().__init__(reason)
        self.opensearch_type = opensearch_type
        self.status = status


def native_status(error: SidecarError) -> int:
    """The HTTP status by which an error is told."""
    if isinstance(error, OpenSearchTimeout):
        return 504
    if isinstance(error, OpenSearchError):
        return 502
    if isinstance(error, (ModelLoadError, EndpointUnavailable)) and not isinstance(error, UnknownModel):
        return 503
    return error.status


def native_type(error: SidecarError) -> str:
    """The type by which OpenSearch would tell an error."""
    if isinstance(error, Refused):
        return error.opensearch_type
    if isinstance(error, TooManyRequests):
        return REJECTED
    if isinstance(error, InvalidRequest) and native_status(error) < 500:
        return ILLEGAL_ARGUMENT
    return STATUS


def error_object(error: SidecarError) -> dict[str, Any]:
    """What tells of a failure inside an answer to several: an item of a bulk, a line of a multi-search."""
    return {"type": native_type(error), "reason": error.message}


def error_body(error: SidecarError) -> dict[str, Any]:
    """The body of an answer that is the error."""
    cause = error_object(error)
    return {"error": {"root_cause": [cause], **cause}, "status": native_status(error)}


def error_answer(error: SidecarError) -> NativeAnswer:
    """The answer that is the error; 413 has no body, as from the cluster."""
    body = b"" if isinstance(error, BodyTooLarge) else json_text(error_body(error))
    headers = [("content-type", JSON_TYPE)] if body else []
    headers += [*error.headers().items(), ("content-length", str(len(body)))]
    return NativeAnswer(native_status(error), headers, [body])


def json_answer(status: int, value: Any) -> NativeAnswer:
    """An answer of the sidecar's own making; ``value`` is JSON text already where it is bytes."""
    body = value if isinstance(value, bytes) else json_text(value)
    return NativeAnswer(status, [("content-type", JSON_TYPE), ("content-length", str(len(body)))], [body])
