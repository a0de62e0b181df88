"""Files that are whole at any moment."""

from __future__ import annotations

import uuid
from pathlib import Path


def write_whole(path: Path, content: bytes) -> None:
    """Write a file, in place of the one that is there, at once when it is whole."""
    new = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.partial")
    try:
        new.write_bytes(content)
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)
