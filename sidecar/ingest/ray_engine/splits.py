"""Which rows of a source are still to be read, and by which task."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from sidecar.ingest.loading.row_ranges import Gap
from sidecar.ingest.sources.source import Part, Place

LARGE_BYTES = 64 * 1024 * 1024
"""A part of this size is read by several tasks, where it tells the number of its rows."""
ROWS_OF_A_PIECE = 50_000
BYTES_OF_A_TASK = 8 * 1024 * 1024
SPLITS_OF_A_TASK = 1000


@dataclass(frozen=True, slots=True)
class Split:
    """Rows of a part: behind ``start``, up to the row ``stop``, or to the end where that is None."""

    part: Part
    start: Place
    stop: int | None


def splits_of(part: Part, gaps: Iterable[Gap]) -> Iterator[Split]:
    """What is left to do of a part; a large one's rest in pieces."""
    for gap in gaps:
        split = Split(part, gap.start, gap.stop)
        yield from [split] if gap.stop is not None else _pieces(split)


def grouped(splits: Iterable[Split]) -> Iterator[tuple[Split, ...]]:
    """What one task reads, one split after the other: a large one, or small ones together, in their order."""
    group: list[Split] = []
    room = BYTES_OF_A_TASK
    for split in splits:
        size = BYTES_OF_A_TASK if split.part.size_bytes is None else split.part.size_bytes
        if group and (size > room or len(group) == SPLITS_OF_A_TASK):
            yield tuple(group)
            group, room = [], BYTES_OF_A_TASK
        group.append(split)
        room -= size
    if group:
        yield tuple(group)


def _pieces(rest: Split) -> Iterator[Split]:
    rows = rest.part.count() if (rest.part.size_bytes or 0) >= LARGE_BYTES else None
    while rows is not None and rest.start.row + ROWS_OF_A_PIECE < rows:
        stop = rest.start.row + ROWS_OF_A_PIECE
        yield replace(rest, stop=stop)
        rest = replace(rest, start=Place(stop))
    yield rest
