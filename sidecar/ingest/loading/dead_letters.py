"""The file of the records that did not get into the index, one a line, each with its reason."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from sidecar.ingest.sources.source import Record


@dataclass(frozen=True)
class DeadLetter:
    """A record that did not get into the index.

    ``document`` is it as it was to be stored, or None where it never became a document: then ``raw`` has what can be
    shown of it. ``code`` is that of our error, or the cluster's type.
    """

    part: str
    row: int
    document_id: str
    code: str
    reason: str
    document: dict[str, Any] | None = None
    raw: str | None = None

    @classmethod
    def of(
        cls, record: Record, *, code: str, reason: str, document: dict[str, Any] | None = None, raw: str | None = None
    ) -> DeadLetter:
        """Why the record is not in the index."""
        document_id = record.document_id or "" if document is None else str(document.get("_id", ""))
        return cls(record.part, record.row, document_id, code, reason, document, raw)

    def to_line(self) -> bytes:
        """A line of JSON, with its line break. What JSON has no form for is written as Python shows it."""
        line: dict[str, Any] = {"part": self.part, "row": self.row, "_id": self.document_id}
        line |= {"code": self.code, "reason": self.reason}
        if self.document is not None:
            line["document"] = self.document
        if self.raw is not None:
            line["raw"] = self.raw
        try:
            return orjson.dumps(line, default=repr, option=orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_APPEND_NEWLINE)
        except TypeError:
            # Half a surrogate pair, or a number of more than 64 bits: what JSON can say, orjson does not.
            return json.dumps(line, default=repr).encode() + b"\n"


class DeadLetterFile:
    """Appends to the file; for one thread. ``length`` bytes are kept of what is there: what stands behind was written
    by a run that was killed before it noted so, and is written again."""

    def __init__(self, path: Path, *, length: int = 0) -> None:
        self.path = path
        self._file = path.open("ab")
        self._file.truncate(min(length, path.stat().st_size))

    def append(self, letters: Iterable[DeadLetter]) -> None:
        """Write letters; they are sure to last only behind `sync`."""
        for letter in letters:
            self._file.write(letter.to_line())

    def sync(self) -> int:
        """Have all on the disk; returns the file's length."""
        self._file.flush()
        os.fsync(self._file.fileno())
        return self._file.tell()

    def clear(self) -> None:
        """Take all letters out."""
        self._file.flush()
        self._file.truncate(0)

    def close(self) -> None:
        """Close the file; what was appended since the last `sync` is written too."""
        self._file.close()
