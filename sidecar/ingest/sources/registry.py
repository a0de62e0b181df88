"""Opens a source by its location and format."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from importlib import import_module

from sidecar.errors import InvalidArgument
from sidecar.ingest.sources.files import FoundFiles
from sidecar.ingest.sources.finding import find_files
from sidecar.ingest.sources.formats import FORMATS, format_of, known_names
from sidecar.ingest.sources.locations import INDEX_SCHEMES, STANDARD_INPUT, scheme_of
from sidecar.ingest.sources.options import Format, SourceOptions
from sidecar.ingest.sources.source import Source
from sidecar.ingest.sources.standard_input import StandardInput

_PIPED = (Format.JSONL, Format.CSV, Format.TSV)


def open_source(options: SourceOptions) -> Source:
    """The source: its files are found, or its cluster asked; no row is read yet.

    Raises: InvalidArgument, saying what to do, where there is nothing at the location, it can't be read, its format
    can't be told, or a library for it is not installed.
    """
    if scheme_of(options.location) in INDEX_SCHEMES:
        from sidecar.ingest.sources.index import open_index

        return open_index(options)
    if options.format is Format.INDEX:
        raise InvalidArgument(
            f"{options.location} is no index: name one as opensearch+https://HOST:9200/INDEX, or with one of the "
            f"schemes {', '.join(sorted(INDEX_SCHEMES))}."
        )
    found = _piped(options) if options.location == STANDARD_INPUT else find_files(options)
    format = options.format or _told_format(options, found)
    if options.captions is not None and format is not Format.IMAGES:
        raise InvalidArgument(f"Captions go with a folder of images; {found.shown} is read as {format.value}.")
    source: Source = import_module(f"sidecar.ingest.sources.{FORMATS[format].module}").open_files(
        replace(options, format=format), _of_format(found, format, is_given=options.format is not None)
    )
    return source


def _piped(options: SourceOptions) -> FoundFiles:
    if options.format not in _PIPED:
        raise InvalidArgument(
            f"Say what comes in on the standard input: --format {', '.join(format.value for format in _PIPED)}."
        )
    file = StandardInput()
    return FoundFiles(file.shown, (file,), is_single=True)


def _told_format(options: SourceOptions, found: FoundFiles) -> Format:
    """The one format that the names of the files tell."""
    counts = Counter(format_of(file.name) for file in found.files)
    del counts[None]
    if options.captions is not None and Format.IMAGES in counts:
        return Format.IMAGES
    if not counts:
        raise InvalidArgument(
            f"The format of {found.shown} can't be told by its name (known are {known_names()}; rows of text also "
            "compressed, with .gz, .zst, .bz2 or .xz behind it). Give it: --format NAME."
        )
    if len(counts) > 1:
        told = ", ".join(f"{count} of {format.value}" for format, count in counts.most_common() if format)
        raise InvalidArgument(f"{found.shown} has files of several formats: {told}. Say which: --format NAME.")
    format = next(iter(counts))
    assert format is not None
    return format


def _of_format(found: FoundFiles, format: Format, *, is_given: bool) -> FoundFiles:
    """The files of the format; where it was given, and no name tells it, those whose names tell none."""
    if found.is_single and is_given:
        return found
    files = [file for file in found.files if format_of(file.name) is format]
    files = files or [file for file in found.files if format_of(file.name) is None]
    if not files:
        raise InvalidArgument(f"There is no file of the format {format.value} in {found.shown}.")
    return replace(found, files=files)
