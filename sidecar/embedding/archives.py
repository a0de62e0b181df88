"""Unpacks the archive of a model's folder, whoever made it: nothing is written outside, and no more than fits."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Any, cast

SUFFIXES = (".zip", ".tar", ".tar.gz", ".tgz")
"""Ends of archives' names, lower case."""
MIN_ALLOWED_BYTES = 1024**3
MAX_RATIO = 20
"""An archive may hold so many times its own bytes: weights hardly shrink when they are packed."""
MAX_MEMBERS = 10_000
"""Files and folders of one archive; models have some dozens."""
MAX_HEADER_BYTES = 1024 * 1024
"""What may stand before a file in a tar archive, unpacked."""
_BROKEN = (
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    NotImplementedError,  # a way of packing that Python has not
    RuntimeError,  # a password is wanted
    ValueError,
    FileExistsError,  # one name for a file and a folder
    IsADirectoryError,
    NotADirectoryError,
)
_PACKED: Mapping[bytes, Callable[[Any], IO[Any]]] = {
    b"\x1f\x8b": lambda plain: cast(IO[bytes], gzip.GzipFile(fileobj=plain)),
    b"BZh": bz2.BZ2File,
    b"\xfd7zXZ\0": lzma.LZMAFile,
}
"""First bytes of a packed tar archive -> what unpacks it."""
_CHUNK_BYTES = 1024 * 1024


class BadArchive(Exception):
    """The archive is broken, or has what no model's archive has; the message ends a sentence about it."""


class _TarStream(io.RawIOBase):
    """The bytes of a tar archive; ``left`` of them may be read, any number where it is None.

    The library reads all that stands before a file into memory, however much it is said to be.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.left: int | None = MAX_HEADER_BYTES

    def read(self, size: int = -1, /) -> bytes:
        if self.left is not None:
            if not 0 <= size <= self.left:
                raise tarfile.ReadError(f"over {MAX_HEADER_BYTES:,} bytes stand before a file")
            self.left -= size
        with _told_as_broken():
            return self._stream.read(size)

    def seek(self, position: int, whence: int = io.SEEK_SET, /) -> int:
        with _told_as_broken():
            return self._stream.seek(position, whence)

    def tell(self) -> int:
        return self._stream.tell()


def is_archive(path: Path) -> bool:
    """Whether it is a zip or tar file, packed or not, by its content."""
    if zipfile.is_zipfile(path):
        return True
    try:
        with _opened_tar(path):
            return True
    except _BROKEN:
        return False


def unpack(archive: Path, folder: Path) -> None:
    """Write the archive's files under the folder.

    Raises: BadArchive for a link, a special file, a path that leads out of the folder, more bytes than
    `MAX_RATIO` times its own, more than `MAX_MEMBERS`, or broken content; files may be left behind then.
    """
    allowed = max(MIN_ALLOWED_BYTES, MAX_RATIO * archive.stat().st_size)
    members = _zip_members(archive) if zipfile.is_zipfile(archive) else _tar_members(archive)
    try:
        for name, stream in members:
            target = folder / _checked(name)
            target.parent.mkdir(parents=True, exist_ok=True)
            allowed -= _write(stream, target, allowed)
    except _BROKEN as error:
        raise BadArchive(f"is broken: {error}") from error


def model_root(folder: Path) -> Path:
    """The folder that holds the model's files: the one given, or the only folder in it, however deep."""
    while True:
        entries = [entry for entry in folder.iterdir() if not entry.name.startswith((".", "__MACOSX"))]
        if len(entries) != 1 or not entries[0].is_dir():
            return folder
        folder = entries[0]


def _zip_members(path: Path) -> Iterator[tuple[str, IO[bytes]]]:
    with zipfile.ZipFile(path) as archive:
        _check_count(len(archive.infolist()))
        for member in archive.infolist():
            if stat.S_ISLNK(member.external_attr >> 16):
                raise BadArchive(f"has a link, {member.filename!r}")
            if not member.is_dir():
                with archive.open(member) as stream:
                    yield member.filename, stream


def _tar_members(path: Path) -> Iterator[tuple[str, IO[bytes]]]:
    with _opened_tar(path) as (archive, content):
        for number, member in enumerate(iter(archive.next, None), start=1):
            _check_count(number)
            content.left = None
            if member.isreg():
                with cast(IO[bytes], archive.extractfile(member)) as stream:
                    yield member.name, stream
            elif not member.isdir():
                raise BadArchive(f"has a link or a special file, {member.name!r}")
            content.left = MAX_HEADER_BYTES


@contextmanager
def _opened_tar(path: Path) -> Iterator[tuple[tarfile.TarFile, _TarStream]]:
    with path.open("rb") as plain:
        head = plain.read(6)
        plain.seek(0)
        unpacked = next((unpacker(plain) for magic, unpacker in _PACKED.items() if head.startswith(magic)), plain)
        content = _TarStream(cast(IO[bytes], unpacked))
        with tarfile.open(fileobj=content, mode="r:") as archive:
            yield archive, content


@contextmanager
def _told_as_broken() -> Iterator[None]:
    """What unpacks says by an OSError without a number that the content is broken; those of a disk have one."""
    try:
        yield
    except OSError as error:
        if error.errno is None:
            raise tarfile.ReadError(str(error)) from error
        raise


def _check_count(members: int) -> None:
    if members > MAX_MEMBERS:
        raise BadArchive(f"has more than {MAX_MEMBERS:,} files and folders")


def _checked(name: str) -> PurePosixPath:
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or not path.parts or ":" in path.parts[0] or "\0" in name:
        raise BadArchive(f"has a file that would lie outside its folder, {name!r}")
    return path


def _write(stream: IO[bytes], target: Path, allowed: int) -> int:
    """How many bytes were written."""
    written = 0
    with target.open("wb") as file:
        while chunk := stream.read(_CHUNK_BYTES):
            written += len(chunk)
            if written > allowed:
                raise BadArchive("unpacks to more bytes than any model of its size")
            file.write(chunk)
    return written
