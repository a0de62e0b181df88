"""The bodies of requests that must be looked into: read whole, and decoded."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from sidecar.errors import BodyTooLarge
from sidecar.native.errors import ILLEGAL_ARGUMENT, Refused
from sidecar.native.request import NativeRequest
from sidecar.observation.kinds import Stage
from sidecar.observation.stages import stage

_PIECE_BYTES = 1024 * 1024
_GIVEN_BYTES = 4096
"""How much a decoder is given at a time: what is behind a member's end is copied, and a body may have many of these."""
_GZIP, _ZLIB, _BARE = 31, zlib.MAX_WBITS, -zlib.MAX_WBITS  # what zlib calls them, as window bits
_ENCODINGS = {"gzip": _GZIP, "x-gzip": _GZIP, "deflate": _ZLIB, "x-deflate": _ZLIB}
"""The encodings that OpenSearch undoes wherever it runs (Netty's `HttpContentDecompressor`)."""
_ANALYSED = ("application/json", "application/x-ndjson")


@dataclass(frozen=True, slots=True)
class Body:
    """``raw`` as the client sent it; ``text`` without its content encoding."""

    raw: bytes
    text: bytes


def is_analysed(request: NativeRequest) -> bool:
    """True where the body is JSON or NDJSON, in an encoding that can be undone."""
    if request.source is not None:
        return _media_type(request.parameters.get("source_content_type")) in _ANALYSED
    return _media_type(request.header("content-type")) in _ANALYSED and _encoding(request) in {"identity", *_ENCODINGS}


def read_body(request: NativeRequest) -> Body:
    """The request's body, to its end; or that of its parameter ``source``, which then has no ``raw``.

    Raises: BodyTooLarge; Refused where it is not of the encoding it claims; CallerGone.
    """
    if request.source is not None:
        return Body(b"", request.source.encode("utf-8", "surrogatepass"))
    with stage(Stage.PARSE):
        raw = b"".join(_pieces(request))
        encoding = _encoding(request)
        return Body(raw, raw if encoding == "identity" else _undone(raw, encoding, request.max_body_bytes))


def _media_type(content_type: str | None) -> str:
    return (content_type or "").partition(";")[0].strip().lower()


def _encoding(request: NativeRequest) -> str:
    return (request.header("content-encoding") or "identity").strip().lower()


def _pieces(request: NativeRequest) -> Iterator[bytes]:
    size = 0
    while piece := request.stream.read(_PIECE_BYTES):
        size += len(piece)
        if size > request.max_body_bytes:
            raise BodyTooLarge(f"the body is larger than {request.max_body_bytes:,} bytes")
        yield piece


def _undone(raw: bytes, encoding: str, max_bytes: int) -> bytes:
    pieces = [b""]
    size = place = 0
    window = _window(raw, encoding)
    decoder = zlib.decompressobj(window)
    try:
        # After a full piece there may be more, even where all is given.
        while place < len(raw) or (not decoder.eof and len(pieces[-1]) == _PIECE_BYTES):
            if decoder.eof:
                # Several gzip members after one another are one text.
                decoder = zlib.decompressobj(window)
            given = raw[place : place + _GIVEN_BYTES]
            pieces.append(decoder.decompress(given, _PIECE_BYTES))
            place += len(given) - len(decoder.unconsumed_tail) - len(decoder.unused_data)
            size += len(pieces[-1])
            if size > max_bytes:
                raise BodyTooLarge(f"the decoded body is larger than {max_bytes:,} bytes")
    except zlib.error as error:
        raise Refused(ILLEGAL_ARGUMENT, f"the body is not {encoding}, as content-encoding says: {error}") from error
    if raw and not decoder.eof:
        raise Refused(ILLEGAL_ARGUMENT, f"the body ends too soon for {encoding}, as content-encoding says")
    return b"".join(pieces)


def _window(raw: bytes, encoding: str) -> int:
    """What zlib must expect: many clients send ``deflate`` without its two bytes of header, and Netty takes both."""
    window = _ENCODINGS[encoding]
    if window == _ZLIB and not _has_zlib_header(raw):
        return _BARE
    return window


def _has_zlib_header(raw: bytes) -> bool:
    # RFC 1950: method 8 with a window of 32 KiB at most, and a check that makes the two bytes a multiple of 31.
    return len(raw) > 1 and raw[0] & 0x0F == 8 and raw[0] >> 4 <= 7 and (raw[0] << 8 | raw[1]) % 31 == 0
