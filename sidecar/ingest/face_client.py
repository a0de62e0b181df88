"""The native face of this very process, called as a client calls it, without a server."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import orjson

from sidecar.errors import OpenSearchError

JSON = "application/json"
NDJSON = "application/x-ndjson"

WsgiApp = Callable[[dict[str, Any], Callable[[str, list[tuple[str, str]]], Any]], Iterable[bytes]]


class FaceClient:
    """Sends requests to a WSGI application; safe to use from any thread. ``authorization`` is the header's value."""

    def __init__(self, face: WsgiApp, *, authorization: str | None = None) -> None:
        self._face = face
        self._authorization = authorization

    def request(self, method: str, target: str, body: bytes, *, content_type: str = JSON) -> tuple[int, bytes]:
        """The status and the body of the answer, whatever the status."""
        environ: dict[str, Any] = {
            "REQUEST_METHOD": method,
            "RAW_URI": target,
            "CONTENT_TYPE": content_type,
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.input": io.BytesIO(body),
        }
        if self._authorization is not None:
            environ["HTTP_AUTHORIZATION"] = self._authorization
        status = ""

        def start(line: str, headers: list[tuple[str, str]]) -> None:
            nonlocal status
            status = line

        answer = self._face(environ, start)
        try:
            text = b"".join(answer)
        finally:
            close = getattr(answer, "close", None)
            if close is not None:
                close()
        return int(status[:3]), text


def reason_of(answer: bytes) -> str:
    """What the body of an error says, for a person."""
    try:
        error = orjson.loads(answer)["error"]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return answer.decode("utf-8", "replace")[:500]
    return told(error)


def told(error: Mapping[str, Any] | str) -> str:
    """An error object's type and reason, with that of its cause, which often has the point."""
    if isinstance(error, str):
        return error
    cause = error.get("caused_by")
    inner = f": {told(cause)}" if isinstance(cause, dict) else ""
    return f"{error.get('type')}: {error.get('reason')}{inner}"


def failed(what: str, status: int, answer: bytes) -> OpenSearchError:
    """An answer that ends a job."""
    return OpenSearchError(f"{what} ({status}): {reason_of(answer)}", upstream_status=status)
