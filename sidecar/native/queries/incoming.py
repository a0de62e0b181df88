"""The bodies of requests that search, whether they came as a body or as the parameter ``source``."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass, replace
from typing import Final

from sidecar.native.bodies import Body, is_analysed, read_body
from sidecar.native.forwarding import send
from sidecar.native.json.spans import NotJson, Object, read_object
from sidecar.native.parts import NativeCall
from sidecar.native.queries.grammar import Clause, find_clauses
from sidecar.native.request import NativeAnswer
from sidecar.opensearch.passthrough import RawRequest

# The letters of a key may be escaped, each beginning so.
_SIGNS: Final = (b"neural", b"hybrid", b"\\u006", b"\\u007")


@dataclass(frozen=True, slots=True)
class Incoming:
    """A request that may have queries by meaning, and its body, read to its end."""

    call: NativeCall
    body: Body

    @property
    def text(self) -> bytes:
        """The body as it is looked into."""
        return self.body.text

    def as_it_came(self) -> NativeAnswer:
        """The cluster's answer to the request as the client sent it."""
        return send(self.call.parts, self.call.request.as_read(self.body.raw))

    def with_text(self, text: bytes) -> RawRequest:
        """The request with another body, which no longer is a parameter: a request line must not be as long as vectors
        are."""
        return self.call.request.with_body(text)

    def instead(self, target: str, text: bytes) -> Incoming:
        """The same request at another target, with another body."""
        return Incoming(replace(self.call, request=self.call.request.carrying(text, target=target)), Body(text, text))

    def without_headers(self, names: Set[str]) -> Incoming:
        """The same request without some headers."""
        return replace(self, call=replace(self.call, request=self.call.request.without_headers(names)))

    def without_parameters(self, names: Set[str]) -> Incoming:
        """The same request without some parameters of its target."""
        return replace(self, call=replace(self.call, request=self.call.request.without_parameters(names)))


def read_incoming(call: NativeCall) -> Incoming | None:
    """A request's body; None where it has none that can be looked into, so that the request passes as it is.

    Raises: BodyTooLarge; Refused where the body is not of the encoding it claims.
    """
    request = call.request
    has_any = request.has_body or request.source is not None
    return Incoming(call, read_body(request)) if has_any and is_analysed(request) else None


def may_have_clauses(text: bytes) -> bool:
    """False where a text can't have a ``neural`` or ``hybrid`` query, at the price of a glance."""
    return any(sign in text for sign in _SIGNS)


def find_in(text: bytes, place: str, start: int = 0, end: int | None = None) -> tuple[Object, list[Clause]] | None:
    """The object of a text that is a body of that place, and the ``neural`` and ``hybrid`` queries in it.

    None where it has none of these, or is nothing that can be read.
    """
    if not may_have_clauses(text if end is None else text[start:end]):
        return None
    root = read_object(text, start, end)
    if root is None:
        return None
    try:
        clauses = find_clauses(root, place, text)
    except NotJson:
        return None
    return (root, clauses) if clauses else None
