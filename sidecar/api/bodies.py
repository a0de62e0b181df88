"""The body of a request as JSON: its type, its size, its text."""

from __future__ import annotations

from typing import Any

import orjson
from flask import request
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.wsgi import get_input_stream

from sidecar.api.lines import LineReader
from sidecar.api.schemas.problems import missing, not_json, wrong_content_type
from sidecar.errors import BodyTooLarge, Unprocessable

NO_BODY = object()
"""What `read_json` returns where there is no body."""


def read_json() -> Any:
    """The body, parsed; `NO_BODY` where it is empty.

    Raises: Unprocessable for other content types (none counts as JSON) and for text that is not JSON; BodyTooLarge,
    having read no more than the limit.
    """
    text = _read_body()
    if not text:
        return NO_BODY
    content_type = request.mimetype
    if content_type and not _is_json(content_type):
        raise Unprocessable([wrong_content_type(content_type)])
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise Unprocessable([not_json(error)]) from error


def require_json() -> Any:
    """As `read_json`; raises Unprocessable where there is no body."""
    body = read_json()
    if body is NO_BODY:
        raise Unprocessable([missing("body")])
    return body


def body_of_lines(*, max_line_bytes: int) -> LineReader:
    """The body line by line, of any length, whether it comes in chunks or not. Nothing else may read it."""
    # Not `request.stream`, which takes no more than the limit for bodies that are read whole.
    stream = get_input_stream(request.environ)
    return LineReader(stream, length=request.content_length, max_line_bytes=max_line_bytes)


def _is_json(content_type: str) -> bool:
    kind, _, subtype = content_type.partition("/")
    return kind == "application" and (subtype == "json" or subtype.endswith("+json"))


def _read_body() -> bytes:
    limit = request.max_content_length
    try:
        text = request.get_data(cache=False)
    except RequestEntityTooLarge as error:
        raise _too_large(f"is {request.content_length} bytes long") from error
    # A chunked body has no length to look at; werkzeug reads up to the limit and tells nothing of a rest.
    if limit is not None and request.content_length is None and len(text) >= limit:
        raise _too_large("is too long")
    return text


def _too_large(given: str) -> BodyTooLarge:
    return BodyTooLarge(
        f"The body {given}; the limit is {request.max_content_length} bytes (SIDECAR_MAX_BODY_BYTES). "
        "Send fewer documents in one request."
    )
