"""Requests of others on their way to the cluster: sent as they came, streamed both ways, answers untouched."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPResponse, RemoteDisconnected
from typing import Protocol

from sidecar.opensearch.address import ClusterAddress, Endpoint
from sidecar.opensearch.connections import ConnectionPool, TransportOptions, translated_errors

Header = tuple[str, str]
PIECE_BYTES = 64 * 1024
"""How much of a streamed body is in memory at a time, each way."""
_HOP_BY_HOP = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
"""Headers that hold between two neighbours only (RFC 9110, 7.6.1)."""


class Readable(Protocol):
    """A body that is read as it comes."""

    def read(self, size: int, /) -> bytes:
        """At most so many bytes; none at the end."""


@dataclass(frozen=True, slots=True)
class RawRequest:
    """What to send. ``target`` is the request line's, as latin-1; ``headers`` are sent as given, save that those
    between neighbours and the body's length are made anew. A streamed ``body`` has ``length`` bytes; None: unknown."""

    method: str
    target: str
    headers: Sequence[Header] = ()
    body: bytes | Readable | None = None
    length: int | None = None

    @property
    def is_repeatable(self) -> bool:
        """True where it may be sent twice, and can be."""
        return self.method in {"GET", "HEAD"} and not hasattr(self.body, "read")


@dataclass(slots=True)
class RawAnswer:
    """The cluster's answer; the body comes in pieces, once. `close` is to be called, whether it was read or not."""

    status: int
    reason: str
    headers: list[Header]
    _answer: HTTPResponse = field(repr=False)
    _connection: HTTPConnection = field(repr=False)
    _endpoint: Endpoint = field(repr=False)
    _pool: ConnectionPool = field(repr=False)
    _timeout_seconds: float = field(repr=False)

    def header(self, name: str) -> str | None:
        """The first value of a header, whatever its case."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    def pieces(self) -> Iterator[bytes]:
        """The body's bytes as they come. Raises: OpenSearchUnreachable, OpenSearchTimeout where they end too soon."""
        with translated_errors(self._endpoint, self._timeout_seconds):
            while piece := self._answer.read1(PIECE_BYTES):
                yield piece
            if self._answer.length:
                raise ConnectionError(f"the answer ended {self._answer.length} bytes too soon")

    def read(self) -> bytes:
        """The whole body; closes the answer."""
        try:
            return b"".join(self.pieces())
        finally:
            self.close()

    def close(self) -> None:
        """Let go of the connection, which is kept where the answer was read to its end."""
        if self._answer.isclosed() and not self._answer.will_close:
            self._pool.give_back(self._endpoint, self._connection)
        else:
            self._answer.close()
            self._connection.close()


class Passthrough:
    """Sends the requests of others; safe to use from any thread. Adds no credentials of its own."""

    def __init__(self, address: ClusterAddress, options: TransportOptions) -> None:
        self._pool = ConnectionPool(address, options)

    def send(self, request: RawRequest) -> RawAnswer:
        """Send a request, and read the head of its answer, whatever its status.

        Only a request without effect is sent a second time, where a kept connection ended in the moment of its reuse.
        Redirects and encodings are left to the client.
        Raises: OpenSearchUnreachable, OpenSearchTimeout; what `ClusterAddress.endpoint` raises.
        """
        timeout = self._pool.options.timeout_seconds
        endpoint = self._pool.address.endpoint()
        with translated_errors(endpoint, timeout):
            connection = self._pool.take_idle(endpoint)
            if connection is not None:
                try:
                    return self._exchange(endpoint, connection, request)
                except (RemoteDisconnected, ConnectionResetError):
                    if not request.is_repeatable:
                        raise
            return self._exchange(endpoint, self._pool.connect(endpoint), request)

    def close(self) -> None:
        """Close the kept connections; a later request opens new ones."""
        self._pool.close()

    def _exchange(self, endpoint: Endpoint, connection: HTTPConnection, request: RawRequest) -> RawAnswer:
        timeout = self._pool.options.timeout_seconds
        try:
            connection.sock.settimeout(timeout)
            # A server may answer (413) and hang up before it has read a long body: then the answer is there to be read.
            with suppress(BrokenPipeError):
                _send(connection, endpoint, request)
            answer = connection.getresponse()
        except BaseException:
            connection.close()
            raise
        headers = end_to_end(answer.getheaders())
        return RawAnswer(answer.status, answer.reason, headers, answer, connection, endpoint, self._pool, timeout)


def end_to_end(headers: Sequence[Header]) -> list[Header]:
    """The headers without those that hold between two neighbours only."""
    named = {name.strip().lower() for key, value in headers if key.lower() == "connection" for name in value.split(",")}
    return [(key, value) for key, value in headers if key.lower() not in _HOP_BY_HOP and key.lower() not in named]


def _send(connection: HTTPConnection, endpoint: Endpoint, request: RawRequest) -> None:
    connection.putrequest(
        request.method, endpoint.path_prefix + request.target, skip_host=True, skip_accept_encoding=True
    )
    connection.putheader("Host", _host_of(endpoint))
    for name, value in end_to_end(request.headers):
        if name.lower() not in {"host", "content-length", "expect"}:
            connection.putheader(name, value.encode("latin-1"))
    body = request.body
    if body is None:
        connection.endheaders()
    elif isinstance(body, bytes):
        connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
    elif request.length is not None:
        connection.putheader("Content-Length", str(request.length))
        connection.endheaders()
        for piece in _pieces(body):
            connection.send(piece)
    else:
        connection.putheader("Transfer-Encoding", "chunked")
        connection.endheaders()
        for piece in _pieces(body):
            connection.send(b"%x\r\n%b\r\n" % (len(piece), piece))
        connection.send(b"0\r\n\r\n")


def _pieces(body: Readable) -> Iterator[bytes]:
    while piece := body.read(PIECE_BYTES):
        yield piece


def _host_of(endpoint: Endpoint) -> str:
    host = f"[{endpoint.host}]" if ":" in endpoint.host else endpoint.host
    return host if endpoint.port == (443 if endpoint.is_tls else 80) else f"{host}:{endpoint.port}"
