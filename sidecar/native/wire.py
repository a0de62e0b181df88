"""The native port's HTTP under gunicorn: targets as OpenSearch takes them, answers as OpenSearch gives them."""

from __future__ import annotations

import re
import ssl
from http import HTTPStatus
from typing import Any

import orjson
from gunicorn.http.errors import ExpectationFailed, LimitRequestHeaders, LimitRequestLine, ParseException
from gunicorn.http.message import Request
from gunicorn.http.wsgi import Response

from sidecar.errors import SidecarError
from sidecar.native.errors import ILLEGAL_ARGUMENT, JSON_TYPE, Refused, error_body

LONGEST_LINE = 64 * 1024
"""Bytes of a request line that is sent on. The cluster refuses above `http.max_initial_line_length`, 4 KiB unless set;
gunicorn itself would above 8 KiB, in words of its own."""
LONGEST_HEAD = 128 * 1024
"""Bytes of all headers of a request that is sent on; the cluster refuses above `http.max_header_size`, 16 KiB."""
_LAST_CHUNK = b"0\r\n\r\n"
_JOINED_BYTES = 256 * 1024
"""A body up to this size goes out together with its head."""
_BEYOND_ASCII = re.compile(rb"[\x80-\xff]")


class LenientRequest(Request):  # type: ignore[misc]
    """A request whose target may have bytes beyond ASCII, and be long: the cluster decides on both."""

    def read_line(self, unreader: Any, buf: bytearray, limit: int = 0) -> tuple[bytes, bytearray]:
        """The request line, and what was read behind it."""
        line: tuple[bytes, bytearray] = super().read_line(unreader, buf, LONGEST_LINE)
        return line

    def read_into(self, unreader: Any, buf: bytearray, stop: bool = False) -> None:
        """Read on. Raises: LimitRequestHeaders where there is no end of the head to be seen."""
        super().read_into(unreader, buf, stop)
        if len(buf) > LONGEST_HEAD:
            raise LimitRequestHeaders(f"more than {LONGEST_HEAD} bytes")

    def parse_request_line(self, line_bytes: bytes) -> None:
        """Read the line with those bytes escaped, which gunicorn refuses; the target stays as it came."""
        super().parse_request_line(_BEYOND_ASCII.sub(lambda found: b"%%%02X" % ord(found[0]), line_bytes))
        self.uri = line_bytes.split(b" ", 2)[1].decode("latin-1")


class Answer(Response):  # type: ignore[misc]
    """An answer without headers of the server's own, whose head goes out with the first piece of its body."""

    headers_sent: bool

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._pending = b""

    def default_headers(self) -> list[str]:
        """The status line, and what holds for this connection only."""
        major, minor = self.req.version
        lines = [f"HTTP/{major}.{minor} {self.status}\r\n"]
        if self.should_close():
            lines.append("connection: close\r\n")
        elif self.req.version < (1, 1):
            lines.append("connection: keep-alive\r\n")
        if self.chunked:
            lines.append("transfer-encoding: chunked\r\n")
        return lines

    def send_headers(self) -> None:
        """Make the head, which waits for the body."""
        if self.headers_sent:
            return
        lines = [*self.default_headers(), *(f"{name}: {value}\r\n" for name, value in self.headers), "\r\n"]
        self._pending = "".join(lines).encode("latin-1")
        self.headers_sent = True

    def close(self) -> None:
        """Send what still waits, and the end of a body in chunks."""
        self.send_headers()
        if last := self._pending + (_LAST_CHUNK if self.chunked else b""):
            self._pending = b""
            self.sock.sendall(last)

    def _emit_body(self, data: bytes) -> None:
        pending, self._pending = self._pending, b""
        if self.chunked:
            self.sock.sendall(b"%b%x\r\n%b\r\n" % (pending, len(data), data))
        elif len(data) <= _JOINED_BYTES:
            self.sock.sendall(pending + data if pending else data)
        else:
            self.sock.sendall(pending)
            self.sock.sendall(data)


def refusal(error: Exception) -> bytes:
    """The whole answer to a request that can't be read, after which the connection ends; empty where none is owed."""
    if isinstance(error, ssl.SSLError):
        return b""
    if isinstance(error, ExpectationFailed):
        return _answer(HTTPStatus.EXPECTATION_FAILED, b"")
    if isinstance(error, LimitRequestLine):
        told: SidecarError = Refused(
            "too_long_http_line_exception", f"An HTTP line is larger than {LONGEST_LINE} bytes."
        )
    elif isinstance(error, LimitRequestHeaders):
        told = Refused("too_long_http_header_exception", f"The HTTP header is too large: {error}.")
    elif isinstance(error, (ParseException, OSError)):
        told = Refused(ILLEGAL_ARGUMENT, str(error))
    else:
        return _answer(HTTPStatus.INTERNAL_SERVER_ERROR, orjson.dumps(error_body(SidecarError("The sidecar failed."))))
    return _answer(HTTPStatus.BAD_REQUEST, orjson.dumps(error_body(told)))


def _answer(status: HTTPStatus, body: bytes) -> bytes:
    lines = [f"HTTP/1.1 {status.value} {status.phrase}", "connection: close", f"content-length: {len(body)}"]
    if body:
        lines.append(f"content-type: {JSON_TYPE}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body
