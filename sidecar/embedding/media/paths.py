"""Reads files of this machine that lie under the folders the operator has opened, and no others."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit

from sidecar.embedding.media.pointers import is_file_url
from sidecar.embedding.media.unreadable import Unreadable

_CLOSED = (
    "it is not in a folder from which files may be read. Move it there, or let the operator name its folder in "
    "SIDECAR_MEDIA_ROOTS"
)
_MISSING = "there is no such file, or it is a link that leads out of the open folders. Check its name"


def read_path(pointer: str, roots: Sequence[Path], max_bytes: int) -> bytes:
    """The bytes of a file named by path or ``file:`` URL; a relative path is looked for under each root in turn.

    A link counts as what it leads to. ``roots`` are absolute and resolved.
    Raises: Unreadable, with the same words for what lies outside the roots whether it exists or not.
    """
    path = Path(_path_of_url(pointer) if is_file_url(pointer) else pointer)
    for root in roots:
        try:
            place = (root / path).resolve(strict=True)
        except (OSError, ValueError, RuntimeError):  # not there, no path at all, links in a ring
            continue
        if place.is_relative_to(root):
            return _read(root, place, max_bytes)
    is_inside = any(Path(os.path.normpath(root / path)).is_relative_to(root) for root in roots)
    raise Unreadable(_MISSING if is_inside else _CLOSED)


def _path_of_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.netloc.lower() not in ("", "localhost"):
        raise Unreadable(f"a file: URL can't name a file of another machine, {parts.netloc!r}. Use http")
    return unquote(parts.path)


def _read(root: Path, place: Path, max_bytes: int) -> bytes:
    try:
        descriptor = _open_below(root, place.relative_to(root).parts)
    except OSError as error:
        raise Unreadable(f"it can't be opened: {error.strerror}. Check the file and its rights") from error
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        os.close(descriptor)
        raise Unreadable("it is not a file but a folder or a device. Name a file")
    with os.fdopen(descriptor, "rb") as stream:
        content = stream.read(max_bytes + 1) if status.st_size <= max_bytes else b""
    if status.st_size > max_bytes or len(content) > max_bytes:
        raise Unreadable(f"the file has {max(status.st_size, len(content)):,} bytes; the limit is {max_bytes:,}")
    if not content:
        raise Unreadable("the file is empty. Check its name")
    return content


def _open_below(root: Path, parts: Sequence[str]) -> int:
    """Open step by step, following no link: what was checked can't be exchanged for a link in between."""
    folder = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    for part in parts[:-1]:
        try:
            below = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=folder)
        finally:
            os.close(folder)
        folder = below
    try:
        # Opened without waiting: a pipe without a writer would hold the thread for ever.
        return os.open(parts[-1] if parts else ".", os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
    finally:
        os.close(folder)
