"""The bodies of requests that must be looked into: read whole, and decoded."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from sidecar.errors import BodyTooLarge
from sidecar.native.errors import ILLEGAL_ARGUMENT, Refused
from sidecar.native.request import NativeRequest

MAX_BYTES = 100 * 1024 * 1024
"""Of a decoded body: OpenSearch's own limit (`http.max_content_length`)."""
_PIECE_BYTES = 256 * 1024
# Of zlib: 31 reads gzip, 15 the deflate of HTTP.
_WINDOWS = {"gzip": 31, "x-gzip": 31, "deflate": 15}
_ANALYSED = ("application/json", "application/x-ndjson")


@dataclass(frozen=True, slots=True)
class Body:
    """``raw`` as the client sent it; ``text`` without its content encoding."""

    raw: bytes
    text: bytes


def is_analysed(request: NativeRequest) -> bool:
    """True where the body is JSON or NDJSON, in an encoding that can be undone."""
    content_type = (request.header("content-type") or "").partition(";")[0].strip().lower()
    encoding = (request.header("content-encoding") or "identity").strip().lower()
    return content_type in _ANALYSED and (encoding == "identity" or encoding in _WINDOWS)


def read_body(request: NativeRequest) -> Body:
    """The request's body, to its end. Raises: BodyTooLarge; Refused where it is not of the encoding it claims."""
    raw = b"".join(_pieces(request))
    encoding = (request.header("content-encoding") or "identity").strip().lower()
    return Body(raw, raw if encoding == "identity" else _undone(raw, encoding))


def _pieces(request: NativeRequest) -> Iterator[bytes]:
    size = 0
    while piece := request.stream.read(_PIECE_BYTES):
        size += len(piece)
        if size > MAX_BYTES:
            raise BodyTooLarge(f"the body is larger than {MAX_BYTES} bytes")
        yield piece


def _undone(raw: bytes, encoding: str) -> bytes:
    pieces, size = [], 0
    decoder = zlib.decompressobj(_WINDOWS[encoding])
    try:
        pending = raw
        while pending:
            pieces.append(decoder.decompress(pending, _PIECE_BYTES))
            size += len(pieces[-1])
            if size > MAX_BYTES:
                raise BodyTooLarge(f"the decoded body is larger than {MAX_BYTES} bytes")
            pending = decoder.unconsumed_tail
            if decoder.eof and (pending := pending or decoder.unused_data):
                # Several gzip members after one another are one text.
                decoder = zlib.decompressobj(_WINDOWS[encoding])
    except zlib.error as error:
        raise Refused(ILLEGAL_ARGUMENT, f"the body is not {encoding}, as content-encoding says: {error}") from error
    if raw and not decoder.eof:
        raise Refused(ILLEGAL_ARGUMENT, f"the body ends too soon for {encoding}, as content-encoding says")
    return b"".join(pieces)
