"""What goes between the driver and its workers: batches of records, and what became of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from sidecar.errors import SidecarError
from sidecar.ingest.loading.batch_loader import BatchOutcome
from sidecar.ingest.loading.row_ranges import DoneRows
from sidecar.ingest.ray_engine.splits import Split
from sidecar.ingest.sources.source import Record

MOST_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Batch:
    """Records that one worker loads at once, and the rows that are done then. With an ``error`` there are none: no more
    could be read."""

    records: tuple[Record, ...] = ()
    rows: tuple[DoneRows, ...] = ()
    error: SidecarError | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """What became of one batch. With an ``error`` the load can't go on, and none of the batch counts as done."""

    rows: tuple[DoneRows, ...] = ()
    outcome: BatchOutcome = field(default_factory=BatchOutcome)
    read_bytes: int = 0
    error: SidecarError | None = None


def read_batches(splits: Sequence[Split], *, most_records: int) -> Iterator[Batch]:
    """The splits' records in batches, the same each time; an error of the source ends them as a batch of its own.

    A batch has at most so many records, and about 4 MB; records of several small parts go together.
    """
    growing = _Growing(most_records)
    try:
        for split in splits:
            growing.begin(split)
            for record in split.part.records(split.start, stop=split.stop):
                growing.add(record)
                if growing.is_full:
                    yield growing.take()
            growing.end(split)
    except SidecarError as error:
        yield growing.take()
        yield Batch(error=error)
    else:
        yield growing.take()


class _Growing:
    """The batch that is being read."""

    def __init__(self, most_records: int) -> None:
        self._most_records = most_records
        self._records: list[Record] = []
        self._rows: list[DoneRows] = []
        self._size_bytes = 0

    @property
    def is_full(self) -> bool:
        return len(self._records) >= self._most_records or self._size_bytes >= MOST_BYTES

    def begin(self, split: Split) -> None:
        row = split.start.row
        self._rows.append(DoneRows(split.part.name, row, row, split.start.resume))

    def add(self, record: Record) -> None:
        self._records.append(record)
        self._size_bytes += record.size_bytes
        self._rows[-1] = replace(self._rows[-1], end=record.row + 1, resume=record.resume)

    def end(self, split: Split) -> None:
        self._rows[-1] = replace(self._rows[-1], is_end=split.stop is None)

    def take(self) -> Batch:
        """The batch as it is; the next one goes on behind it."""
        batch = Batch(tuple(self._records), tuple(self._rows))
        self._records, self._size_bytes = [], 0
        self._rows = [replace(last, start=last.end) for last in self._rows[-1:]]
        return batch
