"""Unpacks the archive of a model's folder, whoever made it: nothing is written outside, and no more than fits."""

from __future__ import annotations

import lzma
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO

SUFFIXES = (".zip", ".tar", ".tar.gz", ".tgz")
"""Ends of archives' names, lower case."""
MIN_ALLOWED_BYTES = 1024**3
MAX_RATIO = 20
"""An archive may hold so many times its own bytes: weights hardly shrink when they are packed."""
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
_CHUNK_BYTES = 1024 * 1024


class BadArchive(Exception):
    """The archive is broken, or has what no model's archive has; the message ends a sentence about it."""


def is_archive(path: Path) -> bool:
    """Whether it is a zip or tar file, packed or not, by its content."""
    return zipfile.is_zipfile(path) or tarfile.is_tarfile(path)


def unpack(archive: Path, folder: Path) -> None:
    """Write the archive's files under the folder.

    Raises: BadArchive for a link, a special file, a path that leads out of the folder, more bytes than
    `MAX_RATIO` times its own, or broken content; files may be left behind then.
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
        for member in archive.infolist():
            if stat.S_ISLNK(member.external_attr >> 16):
                raise BadArchive(f"has a link, {member.filename!r}")
            if not member.is_dir():
                with archive.open(member) as stream:
                    yield member.filename, stream


def _tar_members(path: Path) -> Iterator[tuple[str, IO[bytes]]]:
    with tarfile.open(path) as archive:
        for member in archive:
            if member.isdir():
                continue
            stream = archive.extractfile(member) if member.isreg() else None
            if stream is None:
                raise BadArchive(f"has a link or a special file, {member.name!r}")
            with stream:
                yield member.name, stream


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
