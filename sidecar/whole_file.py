"""Files that are whole at any moment: written beside their place under another name, and moved there."""

from __future__ import annotations

import os
import uuid
from pathlib import Path


def write_whole(path: Path, content: bytes) -> None:
    """Write a file, in place of the one that is there: a crash, of the machine too, leaves the old or the new one.

    Its folder must be there. Raises: OSError; then the old one is as it was.
    """
    new = partial_name(path)
    try:
        new.write_bytes(content)
        keep_on_disk(new)
        new.replace(path)
        keep_on_disk(path.parent)
    finally:
        new.unlink(missing_ok=True)


def partial_name(path: Path) -> Path:
    """A name beside the path that nothing else has, for what is not whole yet; hidden, and ending in ``.partial``."""
    return path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.partial")


def keep_on_disk(path: Path) -> None:
    """Have the disk take what a file, or the list of a folder's names, is: else a power cut might keep a new name, but
    not what is in the file."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
