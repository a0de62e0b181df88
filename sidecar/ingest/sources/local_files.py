"""Files of this machine."""

from __future__ import annotations

import glob
import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from sidecar.errors import InvalidArgument
from sidecar.ingest.sources.files import FoundFiles, is_hidden
from sidecar.ingest.sources.unreadable import readable


@dataclass(frozen=True)
class LocalFile:
    """A file, or a pipe, of this machine; as `files.SourceFile`."""

    name: str
    address: str
    size_bytes: int | None
    fingerprint: str
    is_seekable: bool

    @property
    def shown(self) -> str:
        return self.address

    def open(self, offset: int = 0) -> BinaryIO:
        stream = Path(self.address).open("rb", buffering=0)  # noqa: SIM115
        if offset:
            stream.seek(offset)
        return stream


def find_local_files(location: str) -> FoundFiles:
    """As `files.find_files`. A folder's links to other folders are not followed, for they may lead in circles."""
    path = Path(location).expanduser().absolute()
    with readable(str(path)):
        if path.is_dir():
            return _found(path, path, _below(path))
        if path.exists() or not glob.has_magic(location):
            return FoundFiles(str(path), (_local_file(path, path.name),), is_single=True)
        root = _fixed_root(path)
        return _found(path, root, root.glob(str(path.relative_to(root))))


def _found(path: Path, root: Path, paths: Iterable[Path]) -> FoundFiles:
    names = sorted((found.relative_to(root).as_posix(), found) for found in paths if found.is_file())
    files = [_local_file(found, name) for name, found in names if not is_hidden(name)]
    if not files:
        raise InvalidArgument(f"There is no file in {path} (those whose names begin with '.' or '_' do not count).")
    return FoundFiles(str(path), files, is_single=False)


def _below(folder: Path) -> Iterator[Path]:
    for directory, _, names in os.walk(folder, onerror=_fail):
        for name in names:
            yield Path(directory, name)


def _fail(error: OSError) -> None:
    raise error


def _fixed_root(pattern: Path) -> Path:
    """The folder above the first step that has a wildcard."""
    steps = pattern.parts
    first = next(number for number, step in enumerate(steps) if glob.has_magic(step))
    return Path(*steps[:first])


def _local_file(path: Path, name: str) -> LocalFile:
    facts = path.stat()
    if not stat.S_ISREG(facts.st_mode):
        return LocalFile(name, str(path), None, "", is_seekable=False)
    return LocalFile(name, str(path), facts.st_size, f"{facts.st_size}-{facts.st_mtime_ns}", is_seekable=True)
