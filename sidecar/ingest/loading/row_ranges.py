"""Which rows of a part are dealt with, in whatever order they were."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from sidecar.ingest.sources.source import Place


@dataclass(frozen=True, slots=True)
class RowRange:
    """Rows of a part, ``start`` to before ``stop``. ``resume`` is that of the last of them, where it had one.
    ``is_end`` says that the part has no rows behind them."""

    part: str
    start: int
    stop: int
    resume: int | None = None
    is_end: bool = False


@dataclass(frozen=True, slots=True)
class Gap:
    """Rows that are left to do: those behind a place, up to the row ``stop``, or to the part's end (None)."""

    start: Place
    stop: int | None


@dataclass
class PartProgress:
    """How far one part is. ``total`` is the number of its rows, once its end was seen; ``ranges`` are in order, and no
    two of them touch."""

    fingerprint: str
    total: int | None = None
    ranges: list[RowRange] = field(default_factory=list)

    def add(self, done: RowRange) -> None:
        """Note rows as done; those that were already stay so."""
        if done.is_end:
            self.total = done.stop
        if done.start == done.stop:
            return
        merged: list[RowRange] = []
        for each in sorted([*self.ranges, done], key=lambda each: each.start):
            last = merged[-1] if merged else None
            if last is None or each.start > last.stop:
                merged.append(each)
            elif each.stop > last.stop:
                merged[-1] = RowRange(each.part, last.start, each.stop, each.resume)
        self.ranges = merged

    @property
    def is_done(self) -> bool:
        """True where no row is left."""
        return self.total is not None and not any(self.gaps())

    def gaps(self) -> Iterator[Gap]:
        """What is left to do, in the order of the rows. Whether anything is behind the last range, only reading on
        tells, unless the end was seen."""
        place = Place()
        for each in self.ranges:
            if each.start > place.row:
                yield Gap(place, each.start)
            place = Place(each.stop, each.resume)
        if self.total is None or place.row < self.total:
            yield Gap(place, None)

    def to_json(self) -> dict[str, Any]:
        """As it lies in the checkpoint."""
        done = [[each.start, each.stop, each.resume] for each in self.ranges]
        return {"fingerprint": self.fingerprint, "total": self.total, "done": done}

    @classmethod
    def from_json(cls, part: str, kept: dict[str, Any]) -> PartProgress:
        """Undo `to_json`. Raises: KeyError, TypeError, ValueError for anything else."""
        ranges = [RowRange(part, int(start), int(stop), resume) for start, stop, resume in kept["done"]]
        return cls(str(kept["fingerprint"]), kept["total"], ranges)
