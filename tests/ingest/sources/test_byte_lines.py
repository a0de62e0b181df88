"""Lines of bytes, however they come in."""

from __future__ import annotations

import io

from hypothesis import given
from hypothesis import strategies as st

from sidecar.ingest.sources.byte_lines import byte_lines


class Pieces(io.RawIOBase):
    """A stream that gives its content in these pieces, as a pipe does."""

    def __init__(self, pieces: list[bytes]) -> None:
        self._pieces = [piece for piece in pieces if piece]

    def read(self, size: int = -1) -> bytes:
        return self._pieces.pop(0) if self._pieces else b""


PIECES = st.lists(st.binary(max_size=12) | st.sampled_from([b"\n", b"a\nb", b"\r\n"]), max_size=12)


@given(PIECES, st.integers(0, 1000))
def test_lines_and_offsets_are_those_of_the_whole_content(pieces: list[bytes], offset: int) -> None:
    content = b"".join(pieces)
    lines = list(byte_lines(Pieces(pieces), offset=offset))  # type: ignore[arg-type]
    expected = content.split(b"\n")
    if not expected[-1]:
        expected.pop()
    assert [line for line, _, _ in lines] == expected
    assert all(is_whole for _, _, is_whole in lines)
    begins = [offset, *(end for _, end, _ in lines)]
    for line, begin in zip(expected, begins, strict=False):
        assert content[begin - offset :].startswith(line)
    assert begins[-1] == offset + len(content)


@given(PIECES, st.integers(1, 10))
def test_lines_over_the_limit_are_told_and_the_others_are_whole(pieces: list[bytes], longest: int) -> None:
    # Only a line that goes over several reads is measured: one read is less than any limit in use.
    lines = list(byte_lines(Pieces([bytes([byte]) for byte in b"".join(pieces)]), longest=longest))  # type: ignore[arg-type]
    expected = b"".join(pieces).split(b"\n")
    if not expected[-1]:
        expected.pop()
    assert [is_whole for _, _, is_whole in lines] == [len(line) <= longest for line in expected]
    assert [line for line, _, is_whole in lines if is_whole] == [line for line in expected if len(line) <= longest]
    assert (lines[-1][1] if lines else 0) == len(b"".join(pieces))


def test_a_long_line_is_not_kept_in_memory() -> None:
    [(line, end, is_whole), after] = byte_lines(
        Pieces([b"x" * 100_000] * 50 + [b"\nshort"]),
        longest=1_000_000,  # type: ignore[arg-type]
    )
    assert (len(line) < 1_000_000, end, is_whole) == (True, 5_000_001, False)
    assert after == (b"short", 5_000_006, True)
