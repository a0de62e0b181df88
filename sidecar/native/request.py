"""A request and an answer of the native face, as they are on the wire."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, unquote

from sidecar.opensearch.passthrough import Header, RawRequest, Readable

_UNTRUSTED = ("x-proxy-", "opendistro_security_", "_opendistro_security_")
"""Starts of headers by which the Security plugin may take the sidecar's word for who the caller is."""


@dataclass(frozen=True)
class NativeRequest:
    """One request. ``target`` is the request line's, undecoded, as latin-1; ``headers`` are the client's, in order, by
    their names in lower case. A body of unknown length has a ``length`` of None."""

    method: str
    target: str
    headers: Sequence[Header]
    stream: Readable
    length: int | None

    @classmethod
    def from_environ(cls, environ: Mapping[str, Any]) -> NativeRequest:
        """The request of a WSGI server that keeps the raw target (gunicorn and werkzeug do)."""
        headers = [
            (key[5:].replace("_", "-").lower(), value) for key, value in environ.items() if key.startswith("HTTP_")
        ]
        if content_type := environ.get("CONTENT_TYPE"):
            headers.append(("content-type", content_type))
        is_chunked = any(name == "transfer-encoding" for name, _ in headers)
        given = environ.get("CONTENT_LENGTH") or ""
        return cls(
            method=environ["REQUEST_METHOD"],
            target=environ["RAW_URI"],
            headers=[header for header in headers if not _is_untrusted(header[0])],
            stream=environ["wsgi.input"],
            length=None if is_chunked else int(given or 0),
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
        query = self.target.partition("?")[2].encode("latin-1").decode("utf-8", "replace")
        return dict(parse_qsl(query, keep_blank_values=True))

    def header(self, name: str) -> str | None:
        """The value of a header; ``name`` in lower case."""
        return next((value for key, value in self.headers if key == name), None)

    def as_raw(self) -> RawRequest:
        """The same request to the cluster, its body streamed."""
        body = self.stream if self.has_body else None
        return RawRequest(self.method, self.target, self.headers, body, self.length)

    def with_body(self, body: bytes, *, target: str | None = None) -> RawRequest:
        """The same request to the cluster with another body, sent as it is, and perhaps at another target."""
        headers = [(name, value) for name, value in self.headers if name != "content-encoding"]
        return RawRequest(self.method, self.target if target is None else target, headers, body)


@dataclass(frozen=True, slots=True)
class NativeAnswer:
    """One answer. A ``body`` that has a ``close`` is closed when it was sent, or its client went away."""

    status: int
    headers: Sequence[Header]
    body: Iterable[bytes]
    reason: str = ""

    @property
    def status_line(self) -> str:
        """As WSGI wants it: ``200 OK``."""
        return f"{self.status} {self.reason or HTTPStatus(self.status).phrase}"


def decoded(segment: str) -> str:
    """A segment of a raw path, decoded once; a plus is a plus."""
    return unquote(segment.encode("latin-1").decode("utf-8", "replace"))


def _is_untrusted(name: str) -> bool:
    return name == "x-forwarded-for" or name.replace("-", "_").startswith(
        tuple(start.replace("-", "_") for start in _UNTRUSTED)
    )
