"""Sources that are files of rows: each file is a part."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from sidecar.errors import InvalidArgument
from sidecar.ingest.sources.files import FoundFiles, SourceFile, is_unicode
from sidecar.ingest.sources.source import BEGINNING, Part, Place, Record
from sidecar.ingest.sources.unreadable import readable


class RowReader(Protocol):
    """Reads the rows of files of one format. Its methods raise whatever `unreadable.readable` translates."""

    def records(self, file: SourceFile, start: Place, stop: int | None) -> Iterator[Record]:
        """As `Part.records`."""

    def count(self, file: SourceFile) -> int | None:
        """As `Part.count`."""


@dataclass(frozen=True)
class FilePart:
    """One file; a `Part`."""

    file: SourceFile
    reader: RowReader

    @property
    def name(self) -> str:
        return self.file.name

    @property
    def fingerprint(self) -> str:
        return self.file.fingerprint

    @property
    def size_bytes(self) -> int | None:
        return self.file.size_bytes

    def records(self, start: Place = BEGINNING, *, stop: int | None = None) -> Iterator[Record]:
        with readable(self.file.shown):
            yield from self.reader.records(self.file, start, stop)

    def count(self) -> int | None:
        with readable(self.file.shown):
            return self.reader.count(self.file)


@dataclass(frozen=True)
class PartsSource:
    """A `Source` whose parts are known."""

    location: str
    known_parts: Sequence[Part]

    def parts(self) -> Sequence[Part]:
        return self.known_parts


def row_files(found: FoundFiles, reader: RowReader) -> PartsSource:
    """The source of files that one reader reads. Raises: InvalidArgument for a name that no job can remember."""
    for file in found.files:
        if not is_unicode(file.name):
            raise InvalidArgument(f"The name of {file.name!r} in {found.shown} is not UTF-8. Rename the file.")
    return PartsSource(found.shown, [FilePart(file, reader) for file in found.files])
