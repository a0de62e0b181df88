"""Opens files of text: unpacked, from any of their places on, in any encoding."""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import BinaryIO, cast

from sidecar.errors import InvalidArgument
from sidecar.ingest.sources.byte_lines import Line, byte_lines
from sidecar.ingest.sources.compression import is_packed, unpacked
from sidecar.ingest.sources.files import SourceFile
from sidecar.ingest.sources.source import Place

BYTE_ORDER_MARK = codecs.BOM_UTF8


@dataclass(frozen=True)
class TextEncoding:
    """``name`` is Python's name of it. Where ``breaks_lines`` a line's end is the byte 10 and nothing else, so that
    bytes can be split into lines; others, as UTF-16, are made UTF-8 first."""

    name: str
    breaks_lines: bool

    @classmethod
    def named(cls, name: str) -> TextEncoding:
        """Raises: InvalidArgument where there is none of that name."""
        try:
            line_end = "\n".encode(name)
            known = codecs.lookup(name).name
        except (LookupError, UnicodeError) as error:
            raise InvalidArgument(
                f"{name!r} is no encoding of text; known are utf-8, latin-1, cp1252, utf-16, shift_jis and others."
            ) from error
        return cls("utf-8" if known == "utf-8-sig" else known, line_end == b"\n" or known == "utf-8-sig")


@dataclass(frozen=True)
class TextFile:
    """A file and how its text is written."""

    file: SourceFile
    encoding: TextEncoding

    @property
    def has_offsets(self) -> bool:
        """True where a line's offset is a place to begin at."""
        return self.file.is_seekable and self.encoding.breaks_lines and not is_packed(self.file.name)

    @property
    def line_encoding(self) -> str:
        """What the bytes of `lines` are encoded in."""
        return self.encoding.name if self.encoding.breaks_lines else "utf-8"

    @contextmanager
    def lines(self, offset: int = 0) -> Iterator[Iterator[Line]]:
        """The lines behind an offset, which must be 0 unless the file `has_offsets`. A byte order mark is left out."""
        stream = self.file.open(offset)
        try:
            text = unpacked(self.file, stream)
            if not self.encoding.breaks_lines:
                text = cast(BinaryIO, io.BufferedReader(_Transcoded(text, self.encoding.name)))
            lines = byte_lines(text, offset=offset)
            yield lines if offset else _without_mark(lines)
        finally:
            stream.close()

    def from_place(self, place: Place) -> int:
        """The offset at which to begin for that place; the rows before it must be counted where it is 0."""
        return place.resume if place.resume is not None and self.has_offsets else 0


def skip(lines: Iterator[Line], count: int) -> int:
    """Read over so many lines from a file's beginning on, fewer where there are no more; returns the offset behind
    them."""
    offset = 0
    for _, end, _ in islice(lines, count):
        offset = end
    return offset


def _without_mark(lines: Iterator[Line]) -> Iterator[Line]:
    for line, end, is_whole in islice(lines, 1):
        yield line.removeprefix(BYTE_ORDER_MARK), end, is_whole
    yield from lines


class _Transcoded(io.RawIOBase):
    """A stream of text in another encoding, as UTF-8. Reading raises OSError where the text is not in that encoding."""

    def __init__(self, stream: BinaryIO, encoding: str) -> None:
        self._stream = stream
        self._encoding = encoding
        self._decoder = codecs.getincrementaldecoder(encoding)()
        self._ready = b""
        self._is_ended = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        target = memoryview(buffer).cast("B")  # type: ignore[arg-type]  # any writable buffer
        while not self._ready and not self._is_ended:
            block = self._stream.read(io.DEFAULT_BUFFER_SIZE)
            self._is_ended = not block
            try:
                self._ready = self._decoder.decode(block, final=self._is_ended).encode()
            except UnicodeError as error:
                raise OSError(f"it is not {self._encoding}: {error}") from error
        count = min(len(target), len(self._ready))
        target[:count] = self._ready[:count]
        self._ready = self._ready[count:]
        return count
