"""HTTP exchanges byte by byte, without the help of a client library that would tidy them up."""

from __future__ import annotations

import re
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from http.client import HTTPResponse
from urllib.parse import urlsplit

Header = tuple[str, str]
PATIENCE_SECONDS = 60.0
JSON: Header = ("Content-Type", "application/json")
NDJSON: Header = ("Content-Type", "application/x-ndjson")
_VOLATILE = re.compile(rb'"(took|ingest_took|took_in_millis)"( ?: ?)\d+')
_UNTOLD = {"connection", "keep-alive", "task_resource_usage"}
"""Headers that hold between neighbours, and one that tells how long a search took."""


@dataclass(frozen=True)
class Answered:
    """An answer: its headers sorted, by lower-case names; times in its body are 0."""

    status: int
    reason: str
    headers: tuple[Header, ...]
    body: bytes

    def values(self, name: str) -> list[str]:
        """All values of a header."""
        return [value for key, value in self.headers if key == name]

    def without(self, *names: str) -> Answered:
        """The same answer without some headers."""
        return Answered(self.status, self.reason, tuple(h for h in self.headers if h[0] not in names), self.body)


def connect(url: str) -> socket.socket:
    """A connection to the server of a URL."""
    parts = urlsplit(url)
    return socket.create_connection((parts.hostname, parts.port), timeout=PATIENCE_SECONDS)


def exchange(
    url: str, method: str, target: str, body: bytes | None = None, headers: Sequence[Header] = (JSON,)
) -> Answered:
    """One exchange over a connection of its own. ``target`` is sent as latin-1, whatever stands in it."""
    with connect(url) as connection:
        return converse(connection, method, target, body, headers)


def converse(
    connection: socket.socket,
    method: str,
    target: str,
    body: bytes | None = None,
    headers: Sequence[Header] = (JSON,),
) -> Answered:
    """One exchange over an open connection."""
    connection.sendall(request_bytes(method, target, body, headers))
    return answer_on(connection, method)


def request_bytes(method: str, target: str, body: bytes | None = None, headers: Sequence[Header] = (JSON,)) -> bytes:
    """A request as it goes over the wire; with ``body`` of None it says nothing of one."""
    lines = [f"{method} {target} HTTP/1.1", "Host: localhost", *(f"{name}: {value}" for name, value in headers)]
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + (body or b"")


def answer_on(connection: socket.socket, method: str = "GET") -> Answered:
    """The next answer on a connection. Raises: http.client.HTTPException where it is not whole."""
    response = HTTPResponse(connection, method=method)
    response.begin()
    headers = [(name.lower(), value) for name, value in response.getheaders() if name.lower() not in _UNTOLD]
    body = response.read()
    masked, count = _VOLATILE.subn(lambda found: b'"%b"%b0' % (found[1], found[2]), body)
    if count:
        headers = [header for header in headers if header[0] != "content-length"]
    return Answered(response.status, response.reason, tuple(sorted(headers)), masked)


def chunked(pieces: Sequence[bytes]) -> bytes:
    """A body in chunks."""
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
