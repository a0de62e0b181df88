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
    and values, or is None where the row can't be read: then ``error`` says why, and ``raw`` has what can be shown of
    it. ``document_id`` is an id that the source itself gives the row (a document's id in another index, a file's
    path); None where rows have no names. ``size_bytes`` is about the room that the row takes. ``resume`` is where the
    part can be taken up behind this row without reading what is before it (a byte offset, a row group): whatever
    `Part.records` of the same part takes, None where only counting helps.
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
    """A place in a part: behind so many rows. ``resume`` is that of the last record before it, where it had one."""

    row: int = 0
    resume: int | None = None


class Part(Protocol):
    """A file of the source, or a shard; read on its own."""

    @property
    def name(self) -> str:
        """What names the part among those of its source, wherever the source was moved: a path relative to it."""

    @property
    def fingerprint(self) -> str:
        """Changes when the part's content does (size and time, ETag, a shard's history); empty where nothing tells."""

    @property
    def size_bytes(self) -> int | None:
        """The size of what is read, compressed as it lies there; None where nobody knows before the end."""

    def records(self, start: Place = Place(), *, stop: int | None = None) -> Iterator[Record]:
        """The records behind a place, in their order; up to the row ``stop``, which is not among them.

        Raises: InvalidArgument where the part can't be read at all, or not on from some row.
        """

    def count(self) -> int | None:
        """How many rows there are; None where only reading them all would tell."""


class Source(Protocol):
    """Where documents come from."""

    @property
    def location(self) -> str:
        """How the user named it, without credentials."""

    def parts(self) -> Sequence[Part]:
        """The parts in the order in which they are read: the same each time, as long as the source is the same."""
