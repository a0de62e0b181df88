"""Opens sources as a load does, and compares what their parts give."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from sidecar.ingest.sources.options import Format, SourceOptions
from sidecar.ingest.sources.registry import open_source
from sidecar.ingest.sources.source import Part, Place, Record


def parts(location: Path | str, format: Format | None = None, **options: Any) -> list[Part]:
    """The parts of a source."""
    return list(open_source(SourceOptions(str(location), format, **options)).parts())


def part(location: Path | str, format: Format | None = None, **options: Any) -> Part:
    """The one part of a source."""
    [only] = parts(location, format, **options)
    return only


def records(location: Path | str, format: Format | None = None, **options: Any) -> list[Record]:
    """All records of the one part of a source."""
    return list(part(location, format, **options).records())


def documents(location: Path | str, format: Format | None = None, **options: Any) -> list[Any]:
    """The documents of the one part, None for rows that can't be read."""
    return [record.document for record in records(location, format, **options)]


def check_every_place(of: Part, *, step: int = 1) -> list[Record]:
    """Reading on behind any record (or each ``step``-th), by its `resume` or by its row alone, gives the rest; stopping
    gives the beginning. Returns: all records."""
    whole = list(of.records())
    rows = _without_sizes(whole)
    for number, record in list(enumerate(whole, 1))[::step]:
        assert _without_sizes(of.records(Place.behind(record))) == rows[number:]
        assert _without_sizes(of.records(Place(record.row + 1))) == rows[number:]
        assert _without_sizes(of.records(stop=record.row + 1)) == rows[:number]
    if whole:
        middle = whole[len(whole) // 2]
        between = _without_sizes(of.records(Place.behind(whole[0]), stop=middle.row))
        assert between == rows[1 : len(whole) // 2]
        assert list(of.records(Place(whole[-1].row + 5))) == []
    return whole


def _without_sizes(found: Iterable[Record]) -> list[Record]:
    """Sizes are about those of the rows: of some sources, a share of what they were read with."""
    return [replace(record, size_bytes=0) for record in found]
