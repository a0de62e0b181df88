"""A folder of text and Markdown: each file is a document."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import BinaryIO

from sidecar.ingest.sources.byte_lines import LONGEST_LINE_BYTES, shown
from sidecar.ingest.sources.files import FoundFiles, SourceFile
from sidecar.ingest.sources.folders import folder
from sidecar.ingest.sources.options import SourceOptions
from sidecar.ingest.sources.row_files import PartsSource
from sidecar.ingest.sources.source import Record
from sidecar.ingest.sources.text_streams import TextEncoding

_PART = "texts"
_MARKDOWN = (".md", ".markdown")
_HEADING = re.compile(r"(?m)^(?P<fence>```|~~~)|^ {0,3}#{1,6}[ \t]+(?P<title>.*)$")


def open_files(options: SourceOptions, files: FoundFiles) -> PartsSource:
    """The source of these files: documents of ``title`` (the first heading of Markdown, else the file's name without
    its end), ``text`` and ``path``, relative to the folder."""
    return folder(_PART, files, TextReader(TextEncoding.named(options.encoding).name))


@dataclass(frozen=True)
class TextReader:
    """Makes records of files."""

    encoding: str

    def __call__(self, file: SourceFile, row: int) -> Record:
        with file.open() as stream:
            content = _read(stream, LONGEST_LINE_BYTES + 1)
        if len(content) > LONGEST_LINE_BYTES:
            fault = f"longer than {LONGEST_LINE_BYTES:,} bytes, the limit of a text"
            return Record(_PART, row, None, file.size_bytes or 0, file.name, fault, shown(content))
        try:
            text = content.decode("utf-8-sig" if self.encoding == "utf-8" else self.encoding)
        except UnicodeDecodeError as error:
            fault = f"not {self.encoding}: byte {content[error.start]:#04x} at {error.start}. Name its encoding"
            return Record(_PART, row, None, len(content), file.name, fault, shown(content))
        document = {"title": _title(file.name, text), "text": text, "path": file.name}
        return Record(_PART, row, document, len(content), file.name)


def _read(stream: BinaryIO, longest: int) -> bytes:
    """The stream to its end, or to so many bytes; a read of a remote file may give fewer than it is asked for."""
    pieces, size = [], 0
    while size < longest and (piece := stream.read(longest - size)):
        pieces.append(piece)
        size += len(piece)
    return b"".join(pieces)


def _title(name: str, text: str) -> str:
    if name.lower().endswith(_MARKDOWN):
        is_code = False
        for found in _HEADING.finditer(text):
            if found["fence"]:
                is_code = not is_code
            elif not is_code and (title := found["title"].rstrip(" \t").rstrip("#").rstrip(" \t")):
                return title
    return name.rpartition("/")[2].rpartition(".")[0] or name
