"""Files of an export while they are written."""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from typing import Any, BinaryIO, Protocol, cast

from sidecar.errors import InvalidArgument
from sidecar.ingest.exporting.lines import DocumentMembers, line_of
from sidecar.ingest.exporting.options import ExportFormat
from sidecar.ingest.stored_documents import StoredDocument


class Sink(Protocol):
    """One file, for one thread."""

    def write(self, documents: Sequence[StoredDocument], members: DocumentMembers) -> None:
        """Add documents; ``members`` are those of their index."""

    def close(self) -> None:
        """Write what is left, and close the file."""


class JsonlSink:
    """A document a line, compressed where the format says so."""

    def __init__(self, file: BinaryIO, chosen: ExportFormat) -> None:
        self._file = file
        self._stream = _compressed(file, chosen)

    def write(self, documents: Sequence[StoredDocument], members: DocumentMembers) -> None:
        """As `Sink.write`."""
        self._stream.write(b"".join(line_of(members.of(one), members.chunks_of(one)) for one in documents))

    def close(self) -> None:
        """As `Sink.close`."""
        if self._stream is not self._file:
            self._stream.close()
        self._file.close()


def _compressed(file: BinaryIO, chosen: ExportFormat) -> BinaryIO:
    if chosen is ExportFormat.JSONL_GZ:
        # Without a time in it, equal documents give equal files.
        return cast(BinaryIO, gzip.GzipFile(filename="", fileobj=file, mode="wb", compresslevel=6, mtime=0))
    if chosen is ExportFormat.JSONL_ZST:
        return cast(BinaryIO, _zstandard().ZstdCompressor(level=3).stream_writer(file, closefd=False))
    return file


def _zstandard() -> Any:
    try:
        import zstandard
    except ImportError as error:
        raise InvalidArgument("a .zst file needs zstandard: install vector-sidecar[ingest]") from error
    return zstandard
