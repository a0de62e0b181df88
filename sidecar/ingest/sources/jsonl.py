"""JSON objects, one a line."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from sidecar.errors import InvalidArgument
from sidecar.ingest.sources.byte_lines import shown, too_long
from sidecar.ingest.sources.files import FoundFiles, SourceFile
from sidecar.ingest.sources.options import SourceOptions
from sidecar.ingest.sources.row_files import PartsSource, row_files
from sidecar.ingest.sources.source import Place, Record
from sidecar.ingest.sources.text_streams import TextEncoding, TextFile, skip


def open_files(options: SourceOptions, files: FoundFiles) -> PartsSource:
    """The source of these files."""
    return row_files(files, JsonLines(TextEncoding.named(options.encoding)))


@dataclass(frozen=True)
class JsonLines:
    """Reads objects of lines; as `row_files.RowReader`. A row is a line; blank ones are rows without a record."""

    encoding: TextEncoding

    def records(self, file: SourceFile, start: Place, stop: int | None) -> Iterator[Record]:
        text = TextFile(file, self.encoding)
        offset = text.from_place(start)
        part, has_offsets = file.name, text.has_offsets
        parse = _parser(text.line_encoding)
        with text.lines(offset) as lines:
            row, last = start.row, sys.maxsize if stop is None else stop
            begin = offset or skip(lines, row)
            for line, end, is_whole in lines:
                if row >= last:
                    return
                size, begin = end - begin, end
                document, error = None, None
                try:
                    if is_whole:
                        document = parse(line)
                        if type(document) is not dict:
                            document, error = None, 'not a JSON object: a line must be one, as {"title": "…"}'
                    else:
                        error = too_long()
                except ValueError as fault:
                    if line.isspace() or not line:
                        row += 1
                        continue
                    error = _reason(line, text.line_encoding, fault)
                if row == 0 and error is not None:
                    _check_form(file, line)
                resume = end if has_offsets else None
                raw = None if error is None else shown(line)
                yield Record(part, row, document, size, None, error, raw, resume)
                row += 1

    def count(self, file: SourceFile) -> int | None:
        return None


def _parser(encoding: str) -> Callable[[bytes], Any]:
    """JSON text to its value. It raises ValueError, of which both kinds of fault are."""
    if encoding == "utf-8":
        return orjson.loads
    return lambda line: orjson.loads(line.decode(encoding))


def _reason(line: bytes, encoding: str, fault: ValueError) -> str:
    try:
        line.decode(encoding)
    except UnicodeDecodeError as error:
        return f"not {encoding}: byte {line[error.start]:#04x} at {error.start} ({error.reason}). Name its encoding"
    return f"not JSON: {fault}"


def _check_form(file: SourceFile, line: bytes) -> None:
    """Raises: InvalidArgument for a ``.json`` file that is one value over many lines, of which each would fail."""
    begin, name = line.strip(), file.name.lower()
    if ".json" in name and ".jsonl" not in name and (begin == b"{" or begin.startswith(b"[")):
        raise InvalidArgument(
            f"{file.shown} is one JSON value, not one object a line. Make it so: jq -c '.[]' FILE > FILE.jsonl, or "
            "jq -c . where it is one object."
        )
