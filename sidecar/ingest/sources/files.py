"""The files that a location names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO, Protocol


class SourceFile(Protocol):
    """A file, wherever it lies."""

    @property
    def name(self) -> str:
        """Its path relative to the source, with slashes."""

    @property
    def shown(self) -> str:
        """Its place for messages, without credentials."""

    @property
    def address(self) -> str:
        """Its absolute path, or its URL."""

    @property
    def size_bytes(self) -> int | None:
        """None where nobody knows: a pipe, a host that doesn't tell."""

    @property
    def fingerprint(self) -> str:
        """As `Part.fingerprint`."""

    @property
    def is_seekable(self) -> bool:
        """False where it can be read from its beginning only."""

    def open(self, offset: int = 0) -> BinaryIO:
        """A stream of what is behind the offset. Raises: as the place does; see `unreadable.readable`."""


@dataclass(frozen=True)
class FoundFiles:
    """``files`` are sorted by name; one where the location ``is_single``, a file itself."""

    shown: str
    files: Sequence[SourceFile]
    is_single: bool


def is_hidden(name: str) -> bool:
    """True for what no data lies in: names that begin with a dot or an underscore, as ``_SUCCESS``, at any depth."""
    return any(step.startswith((".", "_")) for step in name.split("/"))


def storage_value(value: str) -> str | bool:
    """An option as filesystems take it: ``true`` and ``false`` are no texts."""
    return {"true": True, "false": False}.get(value.lower(), value)


def is_unicode(name: str) -> bool:
    """False for a name whose bytes are no text, which no document, and no record of a job, can hold."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
