"""What a table beside a folder of images says of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sidecar.errors import InvalidArgument
from sidecar.ingest.sources.delimited import delimited_rows
from sidecar.ingest.sources.files import FoundFiles, SourceFile
from sidecar.ingest.sources.finding import find_files
from sidecar.ingest.sources.formats import format_of
from sidecar.ingest.sources.jsonl import JsonLines
from sidecar.ingest.sources.locations import scheme_of
from sidecar.ingest.sources.options import Format, SourceOptions
from sidecar.ingest.sources.row_files import FilePart
from sidecar.ingest.sources.text_streams import TextEncoding

NAME_COLUMNS = ("file_name", "filename", "file", "image", "path", "name")
"""Columns that may name the image; the first of these that the first row has does."""


@dataclass(frozen=True)
class Captions:
    """``by_name`` leads from an image's path in its folder to the other columns of its row."""

    shown: str
    fingerprint: str
    by_name: Mapping[str, Mapping[str, Any]]


def read_captions(location: str, images: FoundFiles, options: SourceOptions) -> Captions:
    """Read them all: they stay in memory. A row names its image by its path in the folder, or by its name alone where
    only one image has it.

    Raises: InvalidArgument where the table, or one of its rows, can't be read, or two rows name one image.
    """
    file = _find(location, images, options)
    format = format_of(file.name)
    if format not in {Format.JSONL, Format.CSV, Format.TSV}:
        raise InvalidArgument(f"Captions must be CSV, TSV or JSONL by their name; {file.shown} is none of them.")
    encoding = TextEncoding.named(options.encoding)
    reader = JsonLines(encoding) if format is Format.JSONL else delimited_rows(replace(options, format=format))
    paths = _paths_by_name(images)
    column: str | None = None
    by_name: dict[str, Mapping[str, Any]] = {}
    for record in FilePart(file, reader).records():
        where = f"Row {record.row} of {file.shown}"
        if record.document is None:
            raise InvalidArgument(f"{where} can't be read: {record.error}.")
        column = column or next((name for name in NAME_COLUMNS if name in record.document), None)
        named = record.document.get(column or "")
        if not isinstance(named, str) or column is None:
            known = column or " or ".join(NAME_COLUMNS)
            raise InvalidArgument(f"{where} names no image: its name must stand in {known}.")
        path = paths.get(named, named)
        if path in by_name:
            raise InvalidArgument(
                f"{where} names {path} again. A folder has a document for each image: leave one row of each, or load "
                "the table itself, with the column of images as an image field."
            )
        by_name[path] = {name: value for name, value in record.document.items() if name != column}
    return Captions(file.shown, file.fingerprint, by_name)


def _find(location: str, images: FoundFiles, options: SourceOptions) -> SourceFile:
    """The table; a path that leads nowhere is one in the images' folder."""
    if scheme_of(location) is None and not Path(location).expanduser().exists():
        inside = f"{images.shown.rstrip('/')}/{location}"
        location = inside if Path(inside).exists() or scheme_of(images.shown) else location
    found = find_files(replace(options, location=location))
    if not found.is_single:
        raise InvalidArgument(f"Captions must be one file; {found.shown} is {len(found.files)}.")
    return found.files[0]


def _paths_by_name(images: FoundFiles) -> dict[str, str]:
    """From names alone to paths; without names that several images have."""
    paths: dict[str, str] = {}
    twice = set()
    for file in images.files:
        name = file.name.rpartition("/")[2]
        if name in paths:
            twice.add(name)
        paths[name] = file.name
    return {name: path for name, path in paths.items() if name not in twice}
