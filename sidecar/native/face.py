"""The native face as a WSGI application: finds who answers a request, and tells of it in one log line."""

from __future__ import annotations

import logging
import re
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from sidecar.errors import SidecarError
from sidecar.logs import FIELDS, request_id
from sidecar.native.changes import changes_metadata
from sidecar.native.errors import error_answer
from sidecar.native.forwarding import forward
from sidecar.native.parts import NativeCall, NativeParts
from sidecar.native.registry import ROUTES
from sidecar.native.request import NativeAnswer, NativeRequest
from sidecar.native.routes import Router

logger = logging.getLogger(__name__)

RAW = "raw"
_FIT_ID = re.compile(r"[\x21-\x7e]{1,128}")
StartResponse = Callable[[str, list[tuple[str, str]]], Any]


class NativeFace:
    """Answers all that comes to the native port."""

    def __init__(self, parts: NativeParts) -> None:
        self._parts = parts
        self._router = Router(ROUTES)

    def __call__(self, environ: Mapping[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Serve one request."""
        started = time.perf_counter()
        request = NativeRequest.from_environ(environ)
        given = request.header("x-request-id") or ""
        number = given if _FIT_ID.fullmatch(given) else uuid.uuid4().hex
        request_id.set(number)
        route, answer = self._answer(request)
        if answer.status < 300 and changes_metadata(request):
            self._parts.metadata.forget()
            self._parts.pipelines.forget()
        start_response(answer.status_line, list(answer.headers))

        def end() -> None:
            request_id.set(number)
            self._tell(route, request, answer.status, started)
            request_id.set("")

        return _Sent(answer.body, end)

    def _answer(self, request: NativeRequest) -> tuple[str, NativeAnswer]:
        template = RAW
        try:
            found = self._router.find(request)
            if found is None:
                return template, forward(self._parts, request)
            route, variables = found
            template = route.template
            return template, route.handle(NativeCall(self._parts, request, variables))
        except SidecarError as error:
            return template, error_answer(error, opaque_id=request.header("x-opaque-id"))
        except Exception:
            logger.exception("a request failed")
            internal = SidecarError("The sidecar failed; its log has the reason under this request's id.")
            return template, error_answer(internal, opaque_id=request.header("x-opaque-id"))

    def _tell(self, route: str, request: NativeRequest, status: int, started: float) -> None:
        seconds = time.perf_counter() - started
        self._parts.metrics.requests.labels(f"native {route}", request.method, status).observe(seconds)
        if logger.isEnabledFor(logging.INFO):
            fields = {"method": request.method, "path": request.path, "status": status, "ms": round(seconds * 1000, 2)}
            logger.info("answered", extra={FIELDS: fields})


class _Sent:
    """An answer's body on its way, which tells when it ends; where it breaks off, the client must see that it did."""

    def __init__(self, body: Iterable[bytes], end: Callable[[], None]) -> None:
        self._body = body
        self._end = end

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._body)

    def close(self) -> None:
        """Let go of what the body holds; called by the server, whatever happened."""
        try:
            close = getattr(self._body, "close", None)
            if close is not None:
                close()
        finally:
            self._end()
