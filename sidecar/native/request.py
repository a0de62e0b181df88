"""A request and an answer of the native face, as they are on the wire."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from functools import cached_property
from http import HTTPStatus
from typing import Any

from sidecar.native.raw_target import read_parameters, without_parameters
from sidecar.opensearch.passthrough import HasDescriptor, Header, RawRequest, Readable

HEADERS = "sidecar.headers"
"""Of a WSGI environment: the headers as they came, each by itself, for servers that can tell."""
SOURCE_PARAMETERS = frozenset({"source", "source_content_type"})
"""By which a request may carry a body in its target."""
MAX_BODY_BYTES = 100 * 1024 * 1024
"""OpenSearch's own limit of a decoded body, where `http.max_content_length` is not set."""
MERGED_WITHOUT = frozenset({"accept", "accept-encoding"})
"""Headers that would have the cluster answer in a form that can't be put together with others."""
_UNTRUSTED = ("x-proxy-", "opendistro_security_", "_opendistro_security_")
"""Starts of headers by which the Security plugin may take the sidecar's word for who the caller is."""


@dataclass(frozen=True)
class NativeRequest:
    """One request. ``target`` is the request line's, undecoded, as latin-1; ``headers`` are the client's, in order, by
    their names in lower case. A body of unknown length has a ``length`` of None. ``caller`` is the client's
    connection; ``max_body_bytes`` the most that is read of a body that is looked into."""

    method: str
    target: str
    headers: Sequence[Header]
    stream: Readable
    length: int | None
    caller: HasDescriptor | None = None
    max_body_bytes: int = MAX_BODY_BYTES

    @classmethod
    def from_environ(
        cls, environ: Mapping[str, Any], *, stream: Readable | None = None, max_body_bytes: int = MAX_BODY_BYTES
    ) -> NativeRequest:
        """The request of a WSGI server that keeps the raw target (gunicorn and werkzeug do)."""
        headers = _headers(environ)
        return cls(
            method=environ["REQUEST_METHOD"],
            target=environ["RAW_URI"],
            headers=[header for header in headers if not _is_untrusted(header[0])],
            stream=stream or environ["wsgi.input"],
            length=body_length(environ),
            caller=environ.get("gunicorn.socket"),
            max_body_bytes=max_body_bytes,
        )

    @property
    def has_body(self) -> bool:
        """True where a body may follow the head."""
        return self.length is None or self.length > 0

    @cached_property
    def path(self) -> str:
        """The target without its parameters, undecoded."""
        return self.target.partition("?")[0]

    @cached_property
    def parameters(self) -> Mapping[str, str]:
        """The target's parameters, decoded; of one given twice, the last."""
        return read_parameters(self.target)

    def header(self, name: str) -> str | None:
        """The value of a header, of one given twice the first; ``name`` in lower case."""
        return next((value for key, value in self.headers if key == name), None)

    @property
    def is_pretty(self) -> bool:
        """True where the answer is to be laid out for people."""
        return self.parameters.get("pretty", "false") != "false"

    @cached_property
    def source(self) -> str | None:
        """The body that the target carries, in its parameter ``source``; None where a body follows, or there is none.

        As in OpenSearch, a body that follows counts, and the parameter then does not.
        """
        return None if self.has_body else self.parameters.get("source")

    def as_raw(self) -> RawRequest:
        """The same request to the cluster, its body streamed."""
        body = self.stream if self.has_body else None
        if body is None and self.header("content-length") is not None:
            return RawRequest(self.method, self.target, self.headers, b"", caller=self.caller)
        return RawRequest(self.method, self.target, self.headers, body, self.length, self.caller)

    def as_read(self, raw: bytes) -> RawRequest:
        """The same request to the cluster, whose body was read meanwhile: ``raw``, as it came."""
        if not self.has_body:
            return self.as_raw()
        return RawRequest(self.method, self.target, self.headers, raw, caller=self.caller)

    def with_body(self, body: bytes, *, target: str | None = None) -> RawRequest:
        """The same request to the cluster with another body, sent as it is, and perhaps at another target.

        A body that came in the target becomes one that follows it.
        """
        changed = self.carrying(body, target=target)
        return RawRequest(self.method, changed.target, changed.headers, body, caller=self.caller)

    def carrying(self, body: bytes, *, target: str | None = None) -> NativeRequest:
        """The same request as one that came with another body, which is not to be read from ``stream``."""
        headers = [(name, value) for name, value in self.headers if name != "content-encoding"]
        sent_to = self.target if target is None else target
        if self.source is not None:
            content_type = self.parameters.get("source_content_type", "application/json")
            headers = [*(header for header in headers if header[0] != "content-type"), ("content-type", content_type)]
            sent_to = without_parameters(sent_to, SOURCE_PARAMETERS)
        return replace(self, target=sent_to, headers=headers, length=len(body))

    def without_parameters(self, names: Set[str]) -> NativeRequest:
        """The same request without some parameters of its target; the others keep their bytes."""
        return replace(self, target=without_parameters(self.target, names))

    def without_headers(self, names: Set[str]) -> NativeRequest:
        """The same request without some headers, by their names in lower case."""
        return replace(self, headers=[header for header in self.headers if header[0] not in names])


@dataclass(frozen=True, slots=True)
class NativeAnswer:
    """One answer. A ``body`` that has a ``close`` is closed when it was sent, or its client went away.

    One that ``is_forwarded`` goes out as it is; to all others the face adds what the cluster says in each of its own.
    """

    status: int
    headers: Sequence[Header]
    body: Iterable[bytes]
    reason: str = ""
    is_forwarded: bool = False

    @property
    def status_line(self) -> str:
        """As WSGI wants it: ``200 OK``."""
        return f"{self.status} {self.reason or _phrase(self.status)}"


def body_length(environ: Mapping[str, Any]) -> int | None:
    """The bytes of the body that follows; None where it comes in chunks."""
    if "HTTP_TRANSFER_ENCODING" in environ:
        return None
    return int(environ.get("CONTENT_LENGTH") or 0)


def _headers(environ: Mapping[str, Any]) -> list[Header]:
    given: Sequence[Header] | None = environ.get(HEADERS)
    if given is not None:
        return [(name.lower(), value) for name, value in given]
    headers = [(key[5:].replace("_", "-").lower(), value) for key, value in environ.items() if key.startswith("HTTP_")]
    for key in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        if value := environ.get(key):
            headers.append((key.replace("_", "-").lower(), value))
    return headers


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def _is_untrusted(name: str) -> bool:
    return name == "x-forwarded-for" or name.replace("-", "_").startswith(
        tuple(start.replace("-", "_") for start in _UNTRUSTED)
    )
