"""What is piped into the command."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import BinaryIO


@dataclass(frozen=True)
class StandardInput:
    """As `files.SourceFile`: it is read once, from its beginning; who goes on in it pipes the same in again."""

    name: str = "stdin"
    shown: str = "the standard input"
    address: str = "-"
    size_bytes: int | None = None
    fingerprint: str = ""
    is_seekable: bool = False

    def open(self, offset: int = 0) -> BinaryIO:
        # A descriptor of its own: who reads the stream to its end closes it.
        return open(sys.stdin.fileno(), "rb", closefd=False)
