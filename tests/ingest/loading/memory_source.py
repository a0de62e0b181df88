"""A source in memory, for tests of what is done with any source."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sidecar.ingest.sources.source import Place, Record

_BEGINNING = Place()


@dataclass
class MemoryPart:
    """``rows`` are documents, or exceptions that reading them raises. ``resume`` is ten times the row behind."""

    name: str
    rows: Sequence[dict[str, Any] | Exception]
    fingerprint: str = "1"
    size_bytes: int | None = None
    record_bytes: int = 100
    reads: list[Place] = field(default_factory=list)
    on_row: Callable[[int], object] = field(default=lambda row: None)

    def records(self, start: Place = _BEGINNING, *, stop: int | None = None) -> Iterator[Record]:
        assert start.resume in (None, 10 * start.row)
        self.reads.append(start)
        for row in range(start.row, len(self.rows) if stop is None else stop):
            self.on_row(row)
            document = self.rows[row]
            if isinstance(document, Exception):
                raise document
            yield Record(self.name, row, document, self.record_bytes, resume=10 * (row + 1))

    def count(self) -> int | None:
        return len(self.rows)
