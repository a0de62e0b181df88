"""The native face as a WSGI application: finds who answers a request, and tells of it in one log line."""

from __future__ import annotations

import errno
import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from sidecar.errors import SidecarError
from sidecar.logs import new_request_id
from sidecar.native.changes import changes_metadata
from sidecar.native.client_body import ClientBody
from sidecar.native.errors import error_answer
from sidecar.native.forwarding import forward
from sidecar.native.parts import Handler, NativeCall, NativeParts
from sidecar.native.registry import ROUTES
from sidecar.native.request import MAX_BODY_BYTES, NativeAnswer, NativeRequest, body_length
from sidecar.native.routes import Router
from sidecar.native.sent_body import SentBody
from sidecar.native.work import WORK
from sidecar.observation.kinds import NATIVE, Asked, Work
from sidecar.observation.request import CALLER_GONE, failed
from sidecar.opensearch.passthrough import CallerGone, Header

logger = logging.getLogger(__name__)

RAW = "raw"
StartResponse = Callable[[str, list[tuple[str, str]]], Any]


class NativeFace:
    """Answers all that comes to the native port. ``max_body_bytes`` is as in `NativeRequest`."""

    def __init__(self, parts: NativeParts, *, max_body_bytes: int = MAX_BODY_BYTES) -> None:
        self._parts = parts
        self._max_body_bytes = max_body_bytes
        self._router = Router(ROUTES)

    def __call__(self, environ: Mapping[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Serve one request. Raises: ConnectionResetError where its client went away before there was an answer."""
        stream = ClientBody(environ["wsgi.input"], body_length(environ))
        request = NativeRequest.from_environ(environ, stream=stream, max_body_bytes=self._max_body_bytes)
        route, handle, variables = self._route(request)
        number = new_request_id(request.header("x-request-id"))
        asked = Asked(NATIVE, f"{NATIVE} {route}", request.method, request.path, WORK.get(handle, Work.OTHER))
        observation = self._parts.observer.begin(asked, number, request.header)

        def tell(status: int) -> None:
            observation.enter()
            observation.end(status)
            observation.leave()

        try:
            answer, body = self._answer(handle, NativeCall(self._parts, request, variables))
            _drain(stream, body)
        except CallerGone as error:
            tell(CALLER_GONE)
            raise ConnectionResetError(errno.ECONNRESET, "the client went away") from error
        body.on_end(lambda: tell(answer.status))
        try:
            start_response(answer.status_line, list(answer.headers))
        except BaseException:
            # A header that the server refuses to send.
            body.close()
            raise
        return body

    def _route(self, request: NativeRequest) -> tuple[str, Handler, Mapping[str, str]]:
        found = self._router.find(request)
        if found is None:
            return RAW, _forward, {}
        route, variables = found
        return route.template, route.handle, variables

    def _is_served(self, handle: Handler, request: NativeRequest) -> bool:
        # Nothing is done here for those whom the cluster lets not in: it refuses them itself.
        return handle is not _forward and self._parts.callers.are_known(request)

    def _answer(self, handle: Handler, call: NativeCall) -> tuple[NativeAnswer, SentBody]:
        """The answer, whose first piece is there. Raises: CallerGone."""
        try:
            answer = handle(call) if self._is_served(handle, call.request) else _forward(call)
            body = SentBody(answer.body)
        except CallerGone:
            raise
        except SidecarError as error:
            failed(error)
            answer = error_answer(error)
            body = SentBody(answer.body)
        except Exception as error:
            failed(error)
            logger.exception("a request failed")
            answer = error_answer(SidecarError("The sidecar failed; its log has the reason under this request's id."))
            body = SentBody(answer.body)
        if answer.status < 300 and changes_metadata(call.request):
            self._parts.metadata.forget()
            self._parts.pipelines.forget()
        return self._completed(answer, call.request), body

    def _completed(self, answer: NativeAnswer, request: NativeRequest) -> NativeAnswer:
        """The answer with what the cluster says in each of its own: its version, and the client's own id."""
        if answer.is_forwarded:
            return answer
        names = {name.lower() for name, _ in answer.headers}
        told: list[Header] = []
        if (version := self._parts.upstream.version) and "x-opensearch-version" not in names:
            told.append(("X-OpenSearch-Version", version))
        if (opaque_id := request.header("x-opaque-id")) is not None and "x-opaque-id" not in names:
            told.append(("X-Opaque-Id", opaque_id))
        return NativeAnswer(answer.status, [*told, *answer.headers], answer.body, answer.reason)


def _forward(call: NativeCall) -> NativeAnswer:
    return forward(call.parts, call.request)


def _drain(stream: ClientBody, body: SentBody) -> None:
    """Take the rest of a body that the answer did not wait for: its client reads no answer while it sends."""
    try:
        stream.drain()
    except CallerGone:
        body.close()
        raise
    except SidecarError:
        # Broken chunks, of which the answer tells already, or need not tell.
        return
