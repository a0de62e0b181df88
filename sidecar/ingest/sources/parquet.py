"""Parquet files, row group by row group."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sidecar.ingest.sources.files import FoundFiles, SourceFile
from sidecar.ingest.sources.local_files import LocalFile
from sidecar.ingest.sources.options import SourceOptions
from sidecar.ingest.sources.row_files import PartsSource, row_files
from sidecar.ingest.sources.source import Place, Record
from sidecar.ingest.sources.unreadable import library

_PAGE_BUFFER_BYTES = 256 * 1024
_BATCH_BYTES = 4 * 1024 * 1024
_MOST_BATCH_ROWS = 8192


def open_files(options: SourceOptions, files: FoundFiles) -> PartsSource:
    """The source of these files."""
    library("pyarrow.parquet", files.shown)
    return row_files(files, ParquetRows())


@dataclass(frozen=True)
class ParquetRows:
    """Reads rows; as `row_files.RowReader`. Records need no ``resume``: a file's end tells the rows of its groups, of
    which only that of the first row is read over."""

    def records(self, file: SourceFile, start: Place, stop: int | None) -> Iterator[Record]:
        from pyarrow.parquet import ParquetFile

        from sidecar.ingest.sources.arrow_files import batch_records, native_file

        # Where a place costs a request, a group's columns are asked for together, and held together.
        is_local = isinstance(file, LocalFile)
        with native_file(file) as native:
            parquet = ParquetFile(native, buffer_size=_PAGE_BUFFER_BYTES if is_local else 0, pre_buffer=not is_local)
            groups = [parquet.metadata.row_group(number) for number in range(parquet.num_row_groups)]
            end = 0
            for number, group in enumerate(groups):
                row, end = end, end + group.num_rows
                if end <= start.row:
                    continue
                bytes_a_row = group.total_byte_size // max(1, group.num_rows)
                rows = max(1, min(_MOST_BATCH_ROWS, _BATCH_BYTES // max(1, bytes_a_row)))
                for batch in parquet.iter_batches(rows, row_groups=[number], use_threads=False):
                    first, row = row, row + batch.num_rows
                    yield from batch_records(file.name, batch, first, start.row, stop)
                    if stop is not None and row >= stop:
                        return

    def count(self, file: SourceFile) -> int | None:
        from pyarrow.parquet import read_metadata

        from sidecar.ingest.sources.arrow_files import native_file

        with native_file(file) as native:
            return int(read_metadata(native).num_rows)
