"""Arrow's own files: IPC files (Feather too) and streams, batch by batch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sidecar.errors import InvalidArgument
from sidecar.ingest.sources.files import FoundFiles, SourceFile
from sidecar.ingest.sources.options import SourceOptions
from sidecar.ingest.sources.row_files import PartsSource, row_files
from sidecar.ingest.sources.source import Place, Record
from sidecar.ingest.sources.unreadable import library

_FILE_MARK = b"ARROW1"
_OLD_FEATHER_MARK = b"FEA1"


def open_files(options: SourceOptions, files: FoundFiles) -> PartsSource:
    """The source of these files."""
    library("pyarrow", files.shown)
    return row_files(files, ArrowRows())


@dataclass(frozen=True)
class ArrowRows:
    """Reads rows; as `row_files.RowReader`. To begin at a row, the batches before it are read over."""

    def records(self, file: SourceFile, start: Place, stop: int | None) -> Iterator[Record]:
        from sidecar.ingest.sources.arrow_files import batch_records, native_file

        with native_file(file) as native:
            end = 0
            for batch in _batches(native, file.shown):
                first, end = end, end + batch.num_rows
                if end <= start.row:
                    continue
                yield from batch_records(file.name, batch, first, start.row, stop)
                if stop is not None and end >= stop:
                    return

    def count(self, file: SourceFile) -> int | None:
        import pyarrow as pa

        from sidecar.ingest.sources.arrow_files import native_file

        with native_file(file) as native:
            if native.read(len(_FILE_MARK)) != _FILE_MARK:
                return None
            native.seek(0)
            reader = pa.ipc.open_file(native)
            # pyarrow before 21 does not tell.
            return int(reader.count_rows()) if hasattr(reader, "count_rows") else None


def _batches(native: Any, shown: str) -> Iterator[Any]:
    import pyarrow as pa

    mark = native.read(len(_FILE_MARK))
    native.seek(0)
    if mark.startswith(_OLD_FEATHER_MARK):
        raise InvalidArgument(
            f"{shown} is Feather of version 1. Write it anew with pandas' or pyarrow's to_feather, or as Parquet."
        )
    if mark == _FILE_MARK:
        reader = pa.ipc.open_file(native)
        yield from (reader.get_batch(number) for number in range(reader.num_record_batches))
    else:
        yield from pa.ipc.open_stream(native)
