"""Lines of streams of any length, as bytes, with where each ends."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

LONGEST_LINE_BYTES = 100_000_000
"""A longer line is read over, and told as one that can't be read."""
SHOWN_CHARACTERS = 1000
"""So much is shown of what can't be read."""
_READ_BYTES = 256 * 1024
_KEPT_BYTES = 4 * SHOWN_CHARACTERS

Line = tuple[bytes, int, bool]
"""A line without its break, the offset behind it, and whether it is whole: of one that is too long there is only the
beginning."""


def byte_lines(stream: BinaryIO, *, offset: int = 0, longest: int = LONGEST_LINE_BYTES) -> Iterator[Line]:
    """The lines of a stream that stands at ``offset``, which is the beginning of a line; what ends them is b"\\n".

    Memory holds one line at most, and as much as is read at once.
    """
    read = getattr(stream, "read1", stream.read)  # a pipe's lines come as they are written
    pieces: list[bytes] = []  # of the line that goes on in the next read
    size = 0
    while block := read(_READ_BYTES):
        lines = block.split(b"\n")
        rest = lines.pop()
        if lines and size:
            pieces.append(lines[0])
            size += len(lines[0])
            offset += size + 1
            yield b"".join(pieces), offset, size <= longest
            del lines[0]
            pieces, size = [], 0
        for line in lines:
            offset += len(line) + 1
            yield line, offset, True
        if rest:
            size += len(rest)
            pieces.append(rest)
            if size > longest:
                pieces = [b"".join(pieces)[:_KEPT_BYTES]]
    if size:
        yield b"".join(pieces), offset + size, size <= longest


def shown(raw: bytes) -> str:
    """The beginning of bytes that should be text."""
    text = raw[:_KEPT_BYTES].decode("utf-8", "replace")
    return text if len(raw) <= SHOWN_CHARACTERS else text[:SHOWN_CHARACTERS] + "…"


def too_long() -> str:
    """Why a line that is not whole can't be read."""
    return f"longer than {LONGEST_LINE_BYTES:,} bytes, the limit of a line"
