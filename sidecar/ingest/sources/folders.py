"""Sources that are folders whose files are documents: one part, a row for each file."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from sidecar.ingest.sources.files import FoundFiles, SourceFile, is_unicode
from sidecar.ingest.sources.row_files import PartsSource
from sidecar.ingest.sources.source import BEGINNING, Place, Record
from sidecar.ingest.sources.unreadable import readable


@dataclass(frozen=True)
class FolderPart:
    """The files of a folder, by name; a `Part`. ``read`` makes a record of a file and its row."""

    name: str
    files: Sequence[SourceFile]
    read: Callable[[SourceFile, int], Record]
    fingerprint: str

    @property
    def size_bytes(self) -> int | None:
        sizes = [file.size_bytes for file in self.files if file.size_bytes is not None]
        return sum(sizes) if len(sizes) == len(self.files) else None

    def records(self, start: Place = BEGINNING, *, stop: int | None = None) -> Iterator[Record]:
        for row in range(start.row, len(self.files) if stop is None else min(stop, len(self.files))):
            file = self.files[row]
            if not is_unicode(file.name):
                yield Record(self.name, row, None, 0, None, f"its name is not UTF-8: {file.name!r}. Rename the file")
                continue
            with readable(file.shown):
                record = self.read(file, row)
            yield record

    def count(self) -> int | None:
        return len(self.files)


def folder(name: str, found: FoundFiles, read: Callable[[SourceFile, int], Record], *, beside: str = "") -> PartsSource:
    """The source of these files. ``beside`` is the fingerprint of what is read besides them."""
    digest = hashlib.blake2b(beside.encode(), digest_size=16)
    for file in found.files:
        digest.update(f"\n{file.name} {file.fingerprint}".encode("utf-8", "surrogateescape"))
    return PartsSource(found.shown, [FolderPart(name, found.files, read, digest.hexdigest())])
