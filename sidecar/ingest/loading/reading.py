"""Reads what is left of a source, as batches that know which rows are done with them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from sidecar.ingest.loading.row_ranges import Gap, PartProgress, RowRange
from sidecar.ingest.sources.source import Part, Place, Record

BATCH_BYTES = 8 * 1024 * 1024
"""A batch ends with so many bytes too: of large documents, so that few of them are in memory at once."""
_BEGINNING = Place()


@dataclass(frozen=True, slots=True)
class ReadBatch:
    """Records in their order, and the rows that are done with them: those of the records, of one part or several.
    There may be rows without records, where a part turns out to have none behind those that were done."""

    records: Sequence[Record]
    rows: Sequence[RowRange]
    size_bytes: int


def read_batches(
    parts: Sequence[Part], progress_of: Callable[[str], PartProgress], *, most_records: Callable[[], int]
) -> Iterator[ReadBatch]:
    """The rows of the parts that are not done, in order; else as `read_gaps`."""
    gaps = ((part, gap) for part in parts for gap in progress_of(part.name).gaps())
    return read_gaps(gaps, most_records=most_records)


def read_gaps(gaps: Iterable[tuple[Part, Gap]], *, most_records: Callable[[], int]) -> Iterator[ReadBatch]:
    """The rows of gaps, in their order. ``most_records`` is asked for each record anew.

    Raises: what the parts raise, behind the batches of what could be read.
    """
    growing = _Growing()
    try:
        for part, gap in gaps:
            growing.begin(part, gap)
            for record in part.records(gap.start, stop=gap.stop):
                growing.add(record)
                if growing.size_bytes >= BATCH_BYTES or growing.length >= most_records():
                    yield growing.take()
            growing.end(gap)
    except Exception:
        yield growing.take()
        raise
    if growing.has_rows:
        yield growing.take()


class _Growing:
    """The batch that is being read."""

    def __init__(self) -> None:
        self.size_bytes = 0
        self._records: list[Record] = []
        self._rows: list[RowRange] = []

    @property
    def length(self) -> int:
        return len(self._records)

    @property
    def has_rows(self) -> bool:
        return bool(self._rows)

    def begin(self, part: Part, gap: Gap) -> None:
        row = gap.start.row
        self._rows.append(RowRange(part.name, row, row, gap.start.resume))

    def add(self, record: Record) -> None:
        self._records.append(record)
        self.size_bytes += record.size_bytes
        self._rows[-1] = replace(self._rows[-1], stop=record.row + 1, resume=record.resume)

    def end(self, gap: Gap) -> None:
        last = self._rows[-1]
        # A part that has fewer rows than it had is done at its end all the same.
        self._rows[-1] = replace(last, is_end=True) if gap.stop is None else replace(last, stop=gap.stop)

    def take(self) -> ReadBatch:
        """The batch as it is; the next one goes on behind it."""
        batch = ReadBatch(self._records, self._rows, self.size_bytes)
        last = self._rows[-1] if self._rows else None
        self._rows = [] if last is None or last.is_end else [replace(last, start=last.stop)]
        self._records, self.size_bytes = [], 0
        return batch


class SampledPart:
    """A part whose first records can be looked at before it is read, also where it can be read only once."""

    def __init__(self, part: Part) -> None:
        self._part = part
        self._taken: list[Record] = []
        self._rest: Iterator[Record] | None = None

    @property
    def name(self) -> str:
        """As the part's."""
        return self._part.name

    @property
    def fingerprint(self) -> str:
        """As the part's."""
        return self._part.fingerprint

    @property
    def size_bytes(self) -> int | None:
        """As the part's."""
        return self._part.size_bytes

    def count(self) -> int | None:
        """As the part's."""
        return self._part.count()

    def sample(self) -> Iterator[Record]:
        """The first records; each that is taken here is also among `records`."""
        if self._rest is None:
            self._rest = self._part.records()
        for record in self._rest:
            self._taken.append(record)
            yield record

    def records(self, start: Place = _BEGINNING, *, stop: int | None = None) -> Iterator[Record]:
        """As the part's."""
        if self._rest is None or start != _BEGINNING or stop is not None:
            yield from self._part.records(start, stop=stop)
            return
        rest, self._rest = self._rest, None
        while self._taken:
            yield self._taken.pop(0)
        yield from rest
