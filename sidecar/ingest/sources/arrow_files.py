"""Opens files for pyarrow, and makes records of its batches; loaded only where Parquet or Arrow is read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow as pa

from sidecar.errors import InvalidArgument
from sidecar.ingest.sources.byte_lines import shown
from sidecar.ingest.sources.columns import batch_rows
from sidecar.ingest.sources.files import SourceFile
from sidecar.ingest.sources.local_files import LocalFile
from sidecar.ingest.sources.source import Record

_SLICE_BYTES = 1024 * 1024
"""So much of a batch is Python values at once, as Arrow counts: as objects it is some times that."""


@contextmanager
def native_file(file: SourceFile) -> Iterator[pa.NativeFile]:
    """The file, readable at any place. Raises: InvalidArgument where its host gives it from the beginning only."""
    if not file.is_seekable:
        raise InvalidArgument(
            f"{file.shown} must be read at several places, which a pipe, and a host that tells no size, don't allow. "
            "Store it in a file first."
        )
    if isinstance(file, LocalFile):
        with pa.OSFile(file.address) as native:
            yield native
        return
    with file.open() as stream:
        if not stream.seekable():
            raise InvalidArgument(f"The host of {file.shown} gives no ranges of it. Store it in a file first.")
        yield pa.PythonFile(stream, mode="r")


def batch_records(part: str, batch: pa.RecordBatch, first: int, start: int, stop: int | None) -> Iterator[Record]:
    """The records of a batch, whose rows are counted from ``first`` on; those from the row ``start`` to before
    ``stop``."""
    size = batch.nbytes // max(1, batch.num_rows)
    step = max(1, _SLICE_BYTES // max(1, size))
    end = batch.num_rows if stop is None else min(batch.num_rows, stop - first)
    for begin in range(max(0, start - first), end, step):
        row = first + begin
        piece = batch.slice(begin, min(step, end - begin))
        try:
            documents = batch_rows(piece)
        except UnicodeDecodeError:
            # Writers may leave anything in a column of strings.
            yield from (_record(part, piece.slice(number, 1), row + number, size) for number in range(piece.num_rows))
        else:
            yield from (Record(part, row + number, document, size) for number, document in enumerate(documents))


def _record(part: str, batch: pa.RecordBatch, row: int, size: int) -> Record:
    try:
        return Record(part, row, batch_rows(batch)[0], size)
    except UnicodeDecodeError as error:
        return Record(part, row, None, size, None, f"a string is not UTF-8: {error}", shown(bytes(error.object)))
