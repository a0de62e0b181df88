"""Which rows of a source are still to be read, and by which task."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from sidecar.ingest.loading.row_ranges import Gap, PartProgress
from sidecar.ingest.sources.source import Part, Place

LARGE_BYTES = 64 * 1024 * 1024
"""A part of this size is read by several tasks, where it tells the number of its rows."""
ROWS_OF_A_PIECE = 50_000
BYTES_OF_A_TASK = 8 * 1024 * 1024
SPLITS_OF_A_TASK = 1000


@dataclass(frozen=True, slots=True)
class Split:
    """Rows of a part that are to be loaded."""

    part: Part
    gap: Gap


def splits_of(parts: Iterable[Part], progress_of: Callable[[str], PartProgress]) -> Iterator[Split]:
    """What is left to do of the parts, in order; a large part's rest in pieces."""
    for part in parts:
        for gap in progress_of(part.name).gaps():
            yield from (Split(part, piece) for piece in _pieces(part, gap))


def tasks_of(splits: Iterable[Split]) -> Iterator[Sequence[Split]]:
    """What one task reads, one split after the other: a large one, or small ones together."""
    task: list[Split] = []
    room = BYTES_OF_A_TASK
    for split in splits:
        size = BYTES_OF_A_TASK if split.part.size_bytes is None else split.part.size_bytes
        if task and (size > room or len(task) == SPLITS_OF_A_TASK):
            yield task
            task, room = [], BYTES_OF_A_TASK
        task.append(split)
        room -= size
    if task:
        yield task


def _pieces(part: Part, gap: Gap) -> Iterator[Gap]:
    rows = part.count() if gap.stop is None and (part.size_bytes or 0) >= LARGE_BYTES else None
    while rows is not None and gap.start.row + ROWS_OF_A_PIECE < rows:
        stop = gap.start.row + ROWS_OF_A_PIECE
        yield Gap(gap.start, stop)
        gap = Gap(Place(stop), None)
    yield gap
