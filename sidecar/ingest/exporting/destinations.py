"""Where an export goes; it looks whole there only once it is."""

from __future__ import annotations

import io
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO, Protocol, cast

from sidecar.errors import InvalidArgument, reason_of
from sidecar.ingest.exporting.options import STANDARD_OUTPUT, ExportOptions
from sidecar.ingest.sources.unreadable import library_errors
from sidecar.whole_file import keep_on_disk, partial_name

_PIECE_BYTES = 65_536


class Destination(Protocol):
    """The place of one export. ``name`` tells files of a folder apart; a destination that is one file ignores it."""

    def open(self, name: str) -> BinaryIO:
        """A new file, open for writing; whoever writes it closes it."""

    def commit(self) -> None:
        """All is written: let it be seen under its name."""

    def discard(self) -> None:
        """Leave nothing."""


@contextmanager
def destination_of(options: ExportOptions) -> Iterator[Destination]:
    """The destination; committed at the end, and nothing left of it where an error ends it.

    Raises: InvalidArgument where something is there already and is not to be replaced, and where the place can't be
    written; BrokenPipeError where nobody reads standard output any more.
    """
    try:
        destination = _destination(options)
        try:
            yield destination
            destination.commit()
        except BaseException:
            destination.discard()
            raise
    except BrokenPipeError:
        raise
    except Exception as error:
        # The libraries that reach remote places have families of errors of their own.
        if not isinstance(error, (OSError, *library_errors())):
            raise
        raise InvalidArgument(f"'{options.to}' can't be written: {reason_of(error)}") from error


def _destination(options: ExportOptions) -> Destination:
    if options.to == STANDARD_OUTPUT:
        return _StandardOutput()
    if "://" in options.to:
        return _Remote(options)
    path = Path(options.to)
    if not path.parent.is_dir():
        raise InvalidArgument(f"there is no folder '{path.parent}' to write '{path.name}' into")
    return _LocalFolder(path, options) if options.is_folder else _LocalFile(path, options)


def _check_free(options: ExportOptions, *, is_there: bool) -> None:
    if is_there and not options.overwrite:
        raise InvalidArgument(f"'{options.to}' is there already: name another place, or give --overwrite")


class _KeptOpen(io.RawIOBase):
    """Standard output, which stays open when this is closed."""

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return len(data)


class _StandardOutput:
    """What was written can't be taken back; whoever reads it sees it end."""

    def open(self, name: str) -> BinaryIO:
        return cast(BinaryIO, io.BufferedWriter(_KeptOpen(), _PIECE_BYTES))

    def commit(self) -> None:
        return None

    def discard(self) -> None:
        return None


class _LocalFile:
    def __init__(self, path: Path, options: ExportOptions) -> None:
        _check_free(options, is_there=path.exists())
        self._path = path
        self._new = partial_name(path)

    def open(self, name: str) -> BinaryIO:
        return self._new.open("wb")

    def commit(self) -> None:
        keep_on_disk(self._new)
        self._new.replace(self._path)

    def discard(self) -> None:
        self._new.unlink(missing_ok=True)


class _LocalFolder:
    def __init__(self, path: Path, options: ExportOptions) -> None:
        _check_free(options, is_there=path.exists() and (not path.is_dir() or any(path.iterdir())))
        self._path = path
        self._new = partial_name(path)
        self._new.mkdir()

    def open(self, name: str) -> BinaryIO:
        return (self._new / name).open("wb")

    def commit(self) -> None:
        for file in self._new.iterdir():
            keep_on_disk(file)
        if self._path.exists():
            old = partial_name(self._path)
            self._path.rename(old)
            self._new.rename(self._path)
            shutil.rmtree(old)
        else:
            self._new.rename(self._path)

    def discard(self) -> None:
        shutil.rmtree(self._new, ignore_errors=True)


class _Remote:
    """A file, or files, of a filesystem of fsspec; where that can hold them back, they appear at the end, together."""

    def __init__(self, options: ExportOptions) -> None:
        try:
            import fsspec
        except ImportError as error:
            raise InvalidArgument(
                f"'{options.to}' needs fsspec: install vector-sidecar[ingest], and [s3] for s3://"
            ) from error
        try:
            self._files, self._path = fsspec.core.url_to_fs(options.to)
            self._check_free(options)
        except (ImportError, ValueError, PermissionError) as error:
            raise InvalidArgument(f"'{options.to}' can't be written: {error}") from error
        self._is_folder = options.is_folder
        self._opened: list[Any] = []

    def open(self, name: str) -> BinaryIO:
        path = f"{self._path.rstrip('/')}/{name}" if self._is_folder else self._path
        if self._is_folder and not self._opened:
            with suppress(FileExistsError):
                # Without parents: a bucket of a mistyped name is not to be made.
                self._files.mkdir(self._path, create_parents=False)
        file = self._files.open(path, "wb", autocommit=False)
        self._opened.append(file)
        return cast(BinaryIO, file)

    def commit(self) -> None:
        for file in self._opened:
            file.commit()

    def discard(self) -> None:
        for file in self._opened:
            # The error that has ended it is the one to be told.
            with suppress(OSError, *library_errors()):
                file.close()
                file.discard()

    def _check_free(self, options: ExportOptions) -> None:
        is_there = self._files.exists(self._path)
        if is_there and options.is_folder:
            is_there = bool(self._files.ls(self._path, detail=False))
            if is_there and options.overwrite:
                raise InvalidArgument(f"'{options.to}' has files already, which are not removed: name another folder")
        _check_free(options, is_there=is_there)
