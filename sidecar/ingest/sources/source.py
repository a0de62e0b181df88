"""What every source gives: named parts, whose rows are records that can be read from any row on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Record:
    """One row of a source.

    ``row`` counts all rows of the part from 0, those that can't be read included. ``document`` has the row's own names
    and values, as JSON has them (None where a row has a column without a value), or is None where the row can't be
    read: then ``error`` says why, and ``raw`` has what can be shown of it. ``document_id`` is an id that the source
    itself gives the row (a document's id in another index, a file's path); None where rows have no names.
    ``size_bytes`` is about the room that the row takes. ``resume`` is where the part can be taken up behind this row
    without reading what is before it (a byte offset, a sequence number): whatever `Part.records` of the same part
    takes; None where the row's number is enough, or only counting helps.
    """

    part: str
    row: int
    document: dict[str, Any] | None
    size_bytes: int
    document_id: str | None = None
    error: str | None = None
    raw: str | None = None
    resume: int | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a part: behind so many rows. ``resume``, where given, is that of the record of the last of these rows:
    where the row of number ``row`` begins."""

    row: int = 0
    resume: int | None = None

    @classmethod
    def behind(cls, record: Record) -> Place:
        """The place of the next row."""
        return cls(record.row + 1, record.resume)


BEGINNING = Place()


class Part(Protocol):
    """A file of the source, or a shard; read on its own. Can be sent to other processes, save standard input."""

    @property
    def name(self) -> str:
        """What names the part among those of its source, wherever the source was moved: a path relative to it."""

    @property
    def fingerprint(self) -> str:
        """Changes when the part's content does (size and time, ETag, a shard's history); empty where nothing tells."""

    @property
    def size_bytes(self) -> int | None:
        """The size of what is read, compressed as it lies there; None where nobody knows before the end."""

    def records(self, start: Place = BEGINNING, *, stop: int | None = None) -> Iterator[Record]:
        """The records behind a place, in their order; up to the row ``stop``, which is not among them.

        Raises: InvalidArgument where the part can't be read at all, or not on from some row.
        """

    def count(self) -> int | None:
        """How many rows there are; None where only reading them all would tell.

        Raises: InvalidArgument where the part can't be read at all.
        """


class Source(Protocol):
    """Where documents come from."""

    @property
    def location(self) -> str:
        """How the user named it, without credentials."""

    def parts(self) -> Sequence[Part]:
        """The parts in the order in which they are read: the same each time, as long as the source is the same."""
