"""Bodies that are looked into, whatever way they come."""

from __future__ import annotations

import gzip
import time
import zlib
from dataclasses import replace
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.errors import BodyTooLarge
from sidecar.native.bodies import is_analysed, read_body
from sidecar.native.client_body import ClientBody
from sidecar.native.errors import Refused
from sidecar.native.request import NativeRequest
from sidecar.opensearch.passthrough import CallerGone

LIMIT = 5000
JSON = ("content-type", "application/json")


def posted(
    body: bytes, *headers: tuple[str, str], target: str = "/i/_search", length: int | None = None
) -> NativeRequest:
    """A request with a body; ``length`` is what its head says."""
    stream = ClientBody(BytesIO(body), len(body) if length is None else length)
    return NativeRequest("POST", target, [JSON, *headers], stream, len(body), max_body_bytes=LIMIT)


def bare(data: bytes) -> bytes:
    """Deflate without header and check, as many clients send it."""
    return zlib.compress(data)[2:-4]


@given(st.binary(max_size=LIMIT), st.integers(0, 9))
def test_every_encoding_is_undone(data: bytes, level: int) -> None:
    encoded = {"gzip": gzip.compress(data, level), "deflate": zlib.compress(data, level), "identity": data}
    encoded |= {"x-gzip": encoded["gzip"], "X-Deflate": bare(data)}
    for name, raw in encoded.items():
        body = read_body(posted(raw, ("content-encoding", name)))
        assert (body.raw, body.text) == (raw, data)


def test_several_members_of_gzip_are_one_text() -> None:
    raw = gzip.compress(b"a\n") + gzip.compress(b"b\n")
    assert read_body(posted(raw, ("content-encoding", "gzip"))).text == b"a\nb\n"


def test_thousands_of_members_of_gzip_take_no_longer_than_one() -> None:
    raw = gzip.compress(b"", mtime=0) * 50_000
    began = time.process_time()
    request = posted(raw, ("content-encoding", "gzip"))
    assert read_body(replace(request, max_body_bytes=len(raw))).text == b""
    assert time.process_time() - began < 2.0


def test_what_a_full_piece_leaves_in_the_decoder_is_not_lost() -> None:
    for size in range(1024 * 1024 - 3, 1024 * 1024 + 4):
        for encode in (gzip.compress, zlib.compress, bare):
            raw = encode(b"x" * size)
            name = "gzip" if encode is gzip.compress else "deflate"
            request = replace(posted(raw, ("content-encoding", name)), max_body_bytes=2 * size)
            assert len(read_body(request).text) == size


@pytest.mark.parametrize("raw", [b"x" * (LIMIT + 1), gzip.compress(b"x" * (LIMIT + 1), mtime=0)])
def test_body_over_the_limit_is_refused(raw: bytes) -> None:
    encoding = "identity" if raw.startswith(b"x") else "gzip"
    with pytest.raises(BodyTooLarge):
        read_body(posted(raw, ("content-encoding", encoding)))


def test_bomb_is_refused_before_it_is_whole() -> None:
    bomb = gzip.compress(b"\0" * 20_000_000, 1)
    request = NativeRequest(
        "POST", "/", [("content-encoding", "gzip")], BytesIO(bomb), len(bomb), max_body_bytes=100_000
    )
    with pytest.raises(BodyTooLarge):
        read_body(request)


@pytest.mark.parametrize(
    ("encoding", "raw"),
    [
        ("gzip", b"not gzip"),
        ("gzip", gzip.compress(b"x" * 100, mtime=0)[:-5]),
        ("deflate", b"\xff\xff\xff"),
        ("deflate", zlib.compress(b"x" * 100)[:-5]),
        ("gzip", gzip.compress(b"x", mtime=0) + b"rest"),
    ],
)
def test_body_that_is_not_what_it_claims_is_refused(encoding: str, raw: bytes) -> None:
    with pytest.raises(Refused, match=f"{encoding}, as content-encoding says"):
        read_body(posted(raw, ("content-encoding", encoding)))


def test_body_that_ends_too_soon_is_a_client_that_is_gone() -> None:
    with pytest.raises(CallerGone):
        read_body(posted(b"{}", length=100))


@pytest.mark.parametrize(
    ("headers", "target", "expected"),
    [
        ([("content-type", "application/json")], "/", True),
        ([("content-type", "Application/X-NDJSON ; charset=utf-8")], "/", True),
        ([("content-type", "application/cbor")], "/", False),
        ([("content-type", "application/json"), ("content-encoding", "br")], "/", False),
        ([], "/", False),
        ([], "/?source=%7B%7D&source_content_type=application/json", True),
        ([("content-type", "application/json")], "/?source=%7B%7D", False),
    ],
)
def test_json_is_looked_into(headers: list[tuple[str, str]], target: str, expected: bool) -> None:
    assert is_analysed(NativeRequest("GET", target, headers, BytesIO(), 0)) is expected


def test_body_in_the_target_becomes_one_that_follows() -> None:
    target = "/i/_search?source=%7B%22a%22%3A+1%7D&size=1;source_content_type=application%2Fjson&q=x%20y"
    request = NativeRequest("GET", target, [("accept", "*/*")], BytesIO(), 0)
    assert read_body(request).text == b'{"a": 1}'
    sent = request.with_body(b"{}")
    assert sent.target == "/i/_search?size=1&q=x%20y"
    assert sent.headers == [("accept", "*/*"), ("content-type", "application/json")]


def test_body_that_follows_counts_before_one_in_the_target() -> None:
    request = posted(b"{}", target="/?source=1&source_content_type=application/json")
    assert read_body(request).text == b"{}"
    assert request.with_body(b"[]").target == request.target


def test_nobody_reads_beyond_the_end_of_a_body() -> None:
    stream = BytesIO(b"{}GET / HTTP/1.1")
    body = ClientBody(stream, 2)
    assert (body.read(2), body.read(100)) == (b"{}", b"")
    body.drain()
    assert stream.read(3) == b"GET"
