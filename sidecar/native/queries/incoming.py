"""The bodies of requests that search, whether they came as a body or as the parameter ``source``."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import unquote_plus

from sidecar.native.bodies import Body, is_analysed, read_body
from sidecar.native.forwarding import forward, send
from sidecar.native.json.spans import NotJson, Object, read
from sidecar.native.parts import NativeCall
from sidecar.native.queries.grammar import Clause, find_clauses
from sidecar.native.request import NativeAnswer, NativeRequest
from sidecar.opensearch.passthrough import RawRequest

_SOURCE: Final = ("source", "source_content_type")
_JSON: Final = ("application/json", "application/x-ndjson")
# The letters of a key may be escaped, each beginning so.
_SIGNS: Final = (b"neural", b"hybrid", b"\\u006", b"\\u007")


@dataclass(frozen=True, slots=True)
class Incoming:
    """A request that may have queries by meaning, and its body, read to its end.

    ``is_parameter`` is True where the body came as the parameter ``source``.
    """

    call: NativeCall
    body: Body
    is_parameter: bool = False

    @property
    def text(self) -> bytes:
        """The body as it is looked into."""
        return self.body.text

    def as_it_came(self) -> NativeAnswer:
        """The cluster's answer to the request as the client sent it."""
        request = self.call.request
        if self.is_parameter:
            return forward(self.call.parts, request)
        return send(self.call.parts, RawRequest(request.method, request.target, request.headers, self.body.raw))

    def with_text(self, text: bytes) -> RawRequest:
        """The request with another body, which no longer is a parameter."""
        return self.as_body().call.request.with_body(text)

    def as_body(self) -> Incoming:
        """The same with the parameter's text as the body: a request line must not be as long as vectors are."""
        if not self.is_parameter:
            return self
        content_type = self.call.request.parameters.get("source_content_type", _JSON[0])
        request = without_parameters(self.call.request, _SOURCE)
        plain = Incoming(replace(self.call, request=request), self.body).without_headers({"content-type"})
        headers = [*plain.call.request.headers, ("content-type", content_type)]
        return replace(plain, call=replace(plain.call, request=replace(plain.call.request, headers=headers)))

    def instead(self, target: str, text: bytes) -> Incoming:
        """The same request at another target, with another body."""
        call = replace(self.call, request=replace(self.call.request, target=target))
        return Incoming(call, Body(text, text)).without_headers({"content-encoding"})

    def without_headers(self, names: Collection[str]) -> Incoming:
        """The same request without some headers."""
        headers = [header for header in self.call.request.headers if header[0] not in names]
        return replace(self, call=replace(self.call, request=replace(self.call.request, headers=headers)))


def read_incoming(call: NativeCall) -> Incoming | None:
    """A request's body; None where it has none that can be looked into, so that the request passes as it is.

    Raises: BodyTooLarge; Refused where the body is not of the encoding it claims.
    """
    request = call.request
    if request.has_body:
        return Incoming(call, read_body(request)) if is_analysed(request) else None
    source = request.parameters.get("source")
    content_type = request.parameters.get("source_content_type", "").partition(";")[0].strip().lower()
    if source is None or content_type not in _JSON:
        return None
    text = source.encode("utf-8", "surrogateescape")
    return Incoming(call, Body(text, text), is_parameter=True)


def without_parameters(request: NativeRequest, names: tuple[str, ...]) -> NativeRequest:
    """The request without some parameters of its target; the others keep their bytes."""
    path, mark, query = request.target.partition("?")
    kept = [part for part in query.split("&") if unquote_plus(part.partition("=")[0]) not in names]
    return replace(request, target=path + (mark if kept else "") + "&".join(kept))


def may_have_clauses(text: bytes) -> bool:
    """False where a text can't have a ``neural`` or ``hybrid`` query, at the price of a glance."""
    return any(sign in text for sign in _SIGNS)


def find_in(text: bytes, place: str, start: int = 0, end: int | None = None) -> tuple[Object, list[Clause]] | None:
    """The object of a text that is a body of that place, and the ``neural`` and ``hybrid`` queries in it.

    None where it has none of these, or is nothing that can be read.
    """
    if not may_have_clauses(text if end is None else text[start:end]):
        return None
    try:
        root = read(text, start, end)
    except NotJson:
        return None
    clauses = find_clauses(root, place, text)
    return (root, clauses) if isinstance(root, Object) and clauses else None
