"""Unpacks streams while they are read."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
from typing import Any, BinaryIO, cast

from sidecar.ingest.sources.files import SourceFile
from sidecar.ingest.sources.formats import COMPRESSIONS
from sidecar.ingest.sources.unreadable import library

_PACKED_BYTES = 64 * 1024
"""Packed bytes that are unpacked at once: those of zstd's fullest frames become some 100 MB."""


def is_packed(name: str) -> bool:
    """True for a file that `unpacked` unpacks, by its name."""
    return name.lower().endswith(COMPRESSIONS)


def unpacked(file: SourceFile, stream: BinaryIO) -> BinaryIO:
    """The stream of what is packed in a file, by its name; several packed streams behind each other are one.

    Reading it raises what the library raises for broken content, an end in the middle included.
    """
    match file.name.lower().rpartition(".")[2]:
        case "gz":
            return cast(BinaryIO, gzip.GzipFile(fileobj=stream))
        case "bz2":
            return cast(BinaryIO, bz2.BZ2File(stream))
        case "xz":
            return cast(BinaryIO, lzma.LZMAFile(stream))
        case "zst":
            return cast(BinaryIO, io.BufferedReader(_ZstdStream(stream, file.shown)))
        case _:
            return stream


class _ZstdStream(io.RawIOBase):
    """The frames of a zstd file; the library's own reader takes a file that was cut off for a whole one."""

    def __init__(self, stream: BinaryIO, shown: str) -> None:
        self._library = library("zstandard", shown)
        self._stream = stream
        self._frame = self._new_frame()
        self._is_inside = False
        self._packed = b""
        self._ready = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        target = memoryview(buffer).cast("B")  # type: ignore[arg-type]  # any writable buffer
        while not self._ready:
            packed = self._packed or self._stream.read(_PACKED_BYTES)
            if not packed:
                if self._is_inside:
                    raise EOFError("the file ends in the middle of a zstd frame")
                return 0
            self._ready = memoryview(self._frame.decompress(packed))
            self._packed, self._is_inside = b"", not self._frame.eof
            if self._frame.eof:
                self._packed = self._frame.unused_data
                self._frame = self._new_frame()
        count = min(len(target), len(self._ready))
        target[:count] = self._ready[:count]
        self._ready = self._ready[count:]
        return count

    def close(self) -> None:
        self._stream.close()
        super().close()

    def _new_frame(self) -> Any:
        # Frames of `zstd --long=31` look back so far.
        return self._library.ZstdDecompressor(max_window_size=2**31).decompressobj()
