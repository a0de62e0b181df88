"""Requests of others on their way to the cluster: sent as they came, streamed both ways, answers untouched."""

from __future__ import annotations

import re
import select
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from http.client import HTTPResponse
from typing import Protocol
from urllib.parse import unquote

from sidecar.errors import InvalidArgument
from sidecar.observation.kinds import Stage
from sidecar.observation.spans import with_trace
from sidecar.observation.stages import stage
from sidecar.opensearch.address import ClusterAddress, Endpoint
from sidecar.opensearch.connections import ConnectionPool, Lease, TransportOptions, translated_errors
from sidecar.opensearch.raw_answer import Header, RawAnswer, end_to_end

__all__ = ["CallerGone", "Header", "Passthrough", "RawAnswer", "RawRequest", "Readable"]

PIECE_BYTES = 1024 * 1024
"""How much of a streamed request is in memory at a time. gunicorn copies what it has read ahead, 1 MiB, for each piece
that is taken of it."""
_MADE_ANEW = frozenset({"host", "content-length", "expect"})
_READS = {"_cat", "_count", "_explain", "_mget", "_msearch", "_nodes", "_render", "_resolve", "_search", "_source"}
_WRITES = {"_bulk", "_create", "_delete_by_query", "_doc", "_reindex", "_update", "_update_by_query"}
_OPERATIONS = _READS | _WRITES | {"_cluster", "_ingest", "_mapping", "_settings", "_tasks"}
"""Endpoints by which a trace names requests; it calls all others raw."""
_HUNG_UP = getattr(select, "POLLRDHUP", 0)  # Linux alone tells of a peer that is gone while there is more to read


class CallerGone(Exception):
    """The client whose request it is went away; nobody is there to be answered."""


class Readable(Protocol):
    """A body that is read as it comes."""

    def read(self, size: int, /) -> bytes:
        """At most so many bytes; none at the end. Raises no OSError, which would be taken for the cluster's."""


class HasDescriptor(Protocol):
    """A socket."""

    def fileno(self) -> int:
        """Its number."""


@dataclass(frozen=True, slots=True)
class RawRequest:
    """What to send. ``target`` is the request line's, as latin-1; ``headers`` are sent as given, save that those
    between neighbours and the body's length are made anew. A streamed ``body`` has ``length`` bytes; None: unknown.
    ``caller`` is the connection of the client: where it ends, the request is given up."""

    method: str
    target: str
    headers: Sequence[Header] = ()
    body: bytes | Readable | None = None
    length: int | None = None
    caller: HasDescriptor | None = None


class Passthrough:
    """Sends the requests of others; safe to use from any thread. Adds no credentials of its own."""

    def __init__(self, address: ClusterAddress, options: TransportOptions) -> None:
        self._pool = ConnectionPool(address, options)
        self._version: str | None = None

    @property
    def version(self) -> str | None:
        """How the cluster names itself, as ``OpenSearch/3.5.0 (opensearch)``; None before its first answer."""
        return self._version

    def send(self, request: RawRequest) -> RawAnswer:
        """Send a request, once, and read the head of its answer, whatever its status.

        Nothing is sent a second time, not even a GET: only a connection that can be seen to have ended is replaced.
        Redirects and encodings are left to the client.
        Raises: InvalidArgument for a target that `leads_elsewhere`, before anything is sent; OpenSearchUnreachable,
        OpenSearchTimeout; CallerGone, and what reading a streamed body raises, after which the cluster has only a part
        of the request; what `ClusterAddress.endpoint` raises.
        """
        with stage(Stage.CLUSTER, operation_of(request.target)) as timed:
            if leads_elsewhere(request.target, self._pool.address.endpoint().path_prefix):
                raise InvalidArgument("the request's target names another server, or leads out of the cluster's path")
            lease = Lease.taken(self._pool)
            try:
                with translated_errors(lease.endpoint, lease.timeout_seconds):
                    answer = self._exchange(lease, replace(request, headers=with_trace(request.headers)))
            except BaseException:
                lease.end(is_reusable=False)
                raise
            timed.note("http.response.status_code", answer.status)
            return answer

    def close(self) -> None:
        """Close the kept connections; a later request opens new ones."""
        self._pool.close()

    def _exchange(self, lease: Lease, request: RawRequest) -> RawAnswer:
        is_whole = True
        try:
            _send(lease, request)
        except (BrokenPipeError, ConnectionResetError):
            # A server may answer (413) and hang up before it has read a long body: then the answer is there to be read.
            is_whole = False
        _wait_for_answer(lease, request.caller)
        response = HTTPResponse(lease.socket, method=request.method)
        response.begin()
        if not is_whole:
            response.will_close = True
        answer = RawAnswer.begun(response, lease)
        if version := answer.header("x-opensearch-version"):
            self._version = version
        return answer


def leads_elsewhere(target: str, path_prefix: str) -> bool:
    """True for a target that a proxy before the cluster would take for another server's, or for what lies outside of
    the path that `OPENSEARCH_URL` has, by steps up in any spelling."""
    if not target.startswith("/"):
        return target != "*"
    depth = 0
    for segment in re.split(r"[/\\]", unquote(target.partition("?")[0])):
        step = segment.partition(";")[0]
        if step == "..":
            depth -= 1
        elif step not in {"", "."}:
            depth += 1
        if depth < 0:
            return bool(path_prefix)
    return False


def operation_of(target: str) -> str:
    """The endpoint that a target leads to, without the underscore: ``search`` of ``/books/_search?size=1``."""
    for segment in target.partition("?")[0].split("/"):
        if segment in _OPERATIONS:
            return segment[1:]
    return "raw"


def _send(lease: Lease, request: RawRequest) -> None:
    body = request.body
    if body is None or isinstance(body, bytes):
        _send_whole(lease, request, body)
    elif request.length is not None:
        data = _head(lease.endpoint, request, f"Content-Length: {request.length}")
        for piece in _pieces(body):
            # The first piece goes with the head: one packet for a small request.
            lease.socket.sendall(data + piece)
            data = b""
        if data:
            lease.socket.sendall(data)
    else:
        data = _head(lease.endpoint, request, "Transfer-Encoding: chunked")
        for piece in _pieces(body):
            lease.socket.sendall(b"%b%x\r\n%b\r\n" % (data, len(piece), piece))
            data = b""
        lease.socket.sendall(data + b"0\r\n\r\n")


def _send_whole(lease: Lease, request: RawRequest, body: bytes | None) -> None:
    if body is None:
        lease.socket.sendall(_head(lease.endpoint, request, None))
        return
    head = _head(lease.endpoint, request, f"Content-Length: {len(body)}")
    if len(body) > PIECE_BYTES:
        lease.socket.sendall(head)
        lease.socket.sendall(body)
    else:
        lease.socket.sendall(head + body)


def _head(endpoint: Endpoint, request: RawRequest, framing: str | None) -> bytes:
    """The request's lines, up to the body. Raises: ValueError where a value would make lines of its own."""
    lines = [f"{request.method} {endpoint.path_prefix}{request.target} HTTP/1.1", f"Host: {_host_of(endpoint)}"]
    lines += [f"{name}: {value}" for name, value in end_to_end(request.headers) if name.lower() not in _MADE_ANEW]
    if framing is not None:
        lines.append(framing)
    text = "\r\n".join(lines)
    if text.count("\n") != len(lines) - 1 or text.count("\r") != len(lines) - 1 or lines[0].count(" ") != 2:
        raise ValueError("a target or a header has a line break or a space in it")
    return f"{text}\r\n\r\n".encode("latin-1")


def _wait_for_answer(lease: Lease, caller: HasDescriptor | None) -> None:
    """Return when the cluster begins to answer. A search is cancelled by the cluster where its connection ends."""
    poll = select.poll()
    poll.register(lease.socket, select.POLLIN)
    if caller is not None:
        poll.register(caller, _HUNG_UP)
    events = dict(poll.poll(lease.timeout_seconds * 1000))
    if not events:
        raise TimeoutError
    if lease.socket.fileno() not in events:
        raise CallerGone


def _pieces(body: Readable) -> Iterator[bytes]:
    while piece := body.read(PIECE_BYTES):
        yield piece


def _host_of(endpoint: Endpoint) -> str:
    host = f"[{endpoint.host}]" if ":" in endpoint.host else endpoint.host
    return host if endpoint.port == (443 if endpoint.is_tls else 80) else f"{host}:{endpoint.port}"
