"""Reading a body line by line."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.api.lines import Line, LineReader
from sidecar.errors import BadRequest


class Endless:
    """A body of one line that has no end, of which so many bytes are read."""

    def __init__(self, size: int) -> None:
        self.left = size
        self.most = 0

    def read(self, size: int, /) -> bytes:
        self.most = max(self.most, size)
        given = min(size, self.left)
        self.left -= given
        return b"x" * given


class Broken:
    """A body whose reading fails after its first bytes."""

    def __init__(self) -> None:
        self.parts = [b'{"a":1}\n{"b"']

    def read(self, size: int, /) -> bytes:
        if self.parts:
            return self.parts.pop()
        raise ConnectionResetError("gone")


def lines(body: bytes, *, max_line_bytes: int = 10) -> list[Line]:
    return list(LineReader(io.BytesIO(body), length=len(body), max_line_bytes=max_line_bytes))


@pytest.mark.parametrize(
    ("body", "texts"),
    [
        (b"", []),
        (b"\n", [b""]),
        (b"a", [b"a"]),
        (b"a\n", [b"a"]),
        (b"a\n\nb", [b"a", b"", b"b"]),
        (b"a\r\nb", [b"a\r", b"b"]),
        (b"0123456789\n01234567890\nb", [b"0123456789", None, b"b"]),
        (b"01234567890", [None]),
    ],
)
def test_lines_have_their_numbers_and_long_ones_no_text(body: bytes, texts: list[bytes | None]) -> None:
    assert lines(body) == [Line(number, text) for number, text in enumerate(texts, 1)]


@given(st.lists(st.binary(max_size=3000).map(lambda text: text.replace(b"\n", b"x")), min_size=1, max_size=40))
def test_lines_are_the_same_wherever_reads_end(texts: list[bytes]) -> None:
    found = lines(b"\n".join(texts) + b"\n", max_line_bytes=2000)
    assert [line.text for line in found] == [text if len(text) <= 2000 else None for text in texts]


def test_line_without_an_end_is_passed_over_in_small_reads() -> None:
    body = Endless(50_000_000)
    assert list(LineReader(body, length=None, max_line_bytes=1000)) == [Line(1, None)]
    assert body.most <= 256 * 1024


def test_body_that_breaks_off_is_told_after_the_lines_before() -> None:
    reader = LineReader(Broken(), length=None, max_line_bytes=100)
    found = iter(reader)
    assert next(found) == Line(1, b'{"a":1}')
    with pytest.raises(BadRequest, match="broke off: gone"):
        next(found)
    reader.drain()


def test_body_shorter_than_its_length_is_told() -> None:
    with pytest.raises(BadRequest, match="3 bytes of it did not come"):
        list(LineReader(io.BytesIO(b"a\nb"), length=6, max_line_bytes=10))
