"""Parts with made-up rows, for tests of what reads them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sidecar.errors import InvalidArgument
from sidecar.ingest.sources.source import Place, Record

BEGINNING = Place()


@dataclass(frozen=True)
class ListedPart:
    """A part whose rows are made up: ``{"n": row}``. From ``broken_at`` on it can't be read."""

    name: str
    rows: int
    size_bytes: int | None = None
    broken_at: int | None = None
    is_counted: bool = True
    fingerprint: str = "one"
    record_bytes: int = 10

    def records(self, start: Place = BEGINNING, *, stop: int | None = None) -> Iterator[Record]:
        for row in range(start.row, self.rows if stop is None else min(stop, self.rows)):
            if row == self.broken_at:
                raise InvalidArgument(f"{self.name} can't be read from row {row} on")
            yield Record(self.name, row, {"n": row}, self.record_bytes, resume=row * 10)

    def count(self) -> int | None:
        return self.rows if self.is_counted else None
