"""Comma- and tab-separated values, with a header."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass

from sidecar.errors import InvalidArgument
from sidecar.ingest.sources.byte_lines import LONGEST_LINE_BYTES, Line, shown, too_long
from sidecar.ingest.sources.files import FoundFiles, SourceFile
from sidecar.ingest.sources.options import Format, SourceOptions
from sidecar.ingest.sources.row_files import PartsSource, RowReader, row_files
from sidecar.ingest.sources.source import Place, Record
from sidecar.ingest.sources.text_streams import TextEncoding, TextFile

# The library's own limit, 128 KB, is one of the whole process; longer texts are usual.
csv.field_size_limit(LONGEST_LINE_BYTES)


def open_files(options: SourceOptions, files: FoundFiles) -> PartsSource:
    """The source of these files."""
    return row_files(files, delimited_rows(options))


def delimited_rows(options: SourceOptions) -> RowReader:
    """What reads values between commas, or between tabs where that is the format."""
    return DelimitedRows(TextEncoding.named(options.encoding), "\t" if options.format is Format.TSV else ",")


@dataclass(frozen=True)
class DelimitedRows:
    """Reads rows below a header; as `row_files.RowReader`. Each value is a string, and an empty one is left out. The
    first row below the header is row 0; empty ones are rows without a record."""

    encoding: TextEncoding
    delimiter: str

    def records(self, file: SourceFile, start: Place, stop: int | None) -> Iterator[Record]:
        text = TextFile(file, self.encoding)
        offset = text.from_place(start)
        with text.lines() as lines:
            table = _Table(lines, text.line_encoding, self.delimiter)
            names = table.read_header(file)
            if not offset:
                table.skip(start.row)
                yield from _records(table, names, text, start.row, stop)
                return
        with text.lines(offset) as lines:
            table = _Table(lines, text.line_encoding, table.delimiter, end=offset)
            yield from _records(table, names, text, start.row, stop)

    def count(self, file: SourceFile) -> int | None:
        return None


class _Table:
    """The rows of lines, which may go over several. After each row, ``end`` is the offset behind it, ``fault`` why it
    can't be read, and ``raw`` its first line."""

    def __init__(self, lines: Iterator[Line], encoding: str, delimiter: str, *, end: int = 0) -> None:
        self.end = end
        self.fault: str | None = None
        self.raw = b""
        self.delimiter = delimiter
        self._texts = self._decoded(lines, encoding)
        self._rows = csv.reader(self._texts, delimiter=delimiter, strict=True)

    def read_header(self, file: SourceFile) -> list[str]:
        """The names of the columns, none where there is no row at all. Where one "column" has semicolons and no comma,
        they are what delimits, as in the exports of many countries' spreadsheets.

        Raises: InvalidArgument where it can't be a header.
        """
        values = self.next_row() or []
        if self.fault is None and self.delimiter == "," and len(values) == 1 and ";" in values[0]:
            self.delimiter = ";"
            values = values[0].split(";")
            self._rows = csv.reader(self._texts, delimiter=";", strict=True)
        names = [value.strip() or f"column_{number}" for number, value in enumerate(values, 1)]
        twice = {name for name in names if names.count(name) > 1}
        if self.fault is not None or twice:
            fault = self.fault or f"it has the column {min(twice)!r} twice"
            raise InvalidArgument(f"The header of {file.shown} can't be read: {fault}.")
        return names

    def skip(self, count: int) -> None:
        """Read over so many rows; fewer where there are no more."""
        for _ in range(count):
            if self.next_row() is None:
                return

    def next_row(self) -> list[str] | None:
        """The values of the next row: none where it is empty or has a fault; None behind the last row."""
        self.fault, self.raw = None, b""
        try:
            return next(self._rows)
        except StopIteration:
            return None
        except csv.Error as error:
            self.fault = f"not delimited as it should be: {error}"
            return []

    def _decoded(self, lines: Iterator[Line], encoding: str) -> Iterator[str]:
        for line, self.end, is_whole in lines:
            self.raw = self.raw or line
            if not is_whole:
                self.fault = too_long()
                yield ""
                continue
            try:
                yield line.decode(encoding) + "\n"
            except UnicodeDecodeError as error:
                self.fault = f"not {encoding}: byte {line[error.start]:#04x} ({error.reason}). Name its encoding"
                yield line.decode(encoding, "replace") + "\n"


def _records(table: _Table, names: list[str], text: TextFile, row: int, stop: int | None) -> Iterator[Record]:
    part, width, has_offsets = text.file.name, len(names), text.has_offsets
    begin = table.end
    while stop is None or row < stop:
        values = table.next_row()
        if values is None:
            return
        size, begin = table.end - begin, table.end
        resume = begin if has_offsets else None
        fault = table.fault
        if fault is None and len(values) > width:
            fault = f"{len(values)} columns; the header names {width}"
        if fault is not None:
            yield Record(part, row, None, size, None, fault, shown(table.raw), resume)
        elif values:
            document = {name: value for name, value in zip(names, values, strict=False) if value}
            yield Record(part, row, document, size, None, None, None, resume)
        row += 1
