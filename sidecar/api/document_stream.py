"""Adds documents while they arrive, one a line, and tells of them while it does."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import orjson

from sidecar.api.errors import as_own_error
from sidecar.api.lines import Line, LineReader
from sidecar.api.outlet import Outlet
from sidecar.errors import DocumentTooLarge, InvalidArgument, SidecarError

logger = logging.getLogger(__name__)

BATCH_DOCUMENTS = 2000
BATCH_BYTES = 8 * 1024 * 1024
"""A batch ends with either. It is several windows of the write path: between two batches no model runs."""
BATCH_SECONDS = 2.0
"""Of a slow sender, a batch is what has come by the first line after so long."""

Item = dict[str, Any]
Write = Callable[[Sequence[object]], list[Item]]
"""Stores documents; returns an item for each, in order."""


@dataclass(frozen=True, slots=True)
class _Entry:
    """A line that is not blank: its document, or why it has none."""

    number: int
    document: object
    size: int
    error: SidecarError | None = None


@dataclass(slots=True)
class _Counts:
    """Lines that were dealt with, and what became of their documents."""

    received: int = 0
    succeeded: int = 0
    failed: int = 0


class DocumentStream:
    """One streamed add request; for one thread."""

    def __init__(self, lines: LineReader, write: Write, finish: Callable[[], None], *, max_document_bytes: int) -> None:
        self._lines = lines
        self._write = write
        self._finish = finish
        self._max_document_bytes = max_document_bytes
        self._counts = _Counts()
        self._next_line = 1

    def answer(self) -> Iterator[bytes]:
        """The lines of the answer, several in one piece; memory does not grow with the number of documents.

        Raises: what makes the first batch fail as a whole, before the first piece. Later failures are the last line.
        """
        started = time.perf_counter()
        with Outlet() as outlet:
            try:
                for batch in self._batches():
                    failed = self._carry_out(batch)
                    if piece := outlet.while_reading(failed, _line({"progress": asdict(self._counts)})):
                        yield piece
                self._finish()
            except Exception as error:
                if not self._counts.received:
                    raise
                yield from self._broken_off(as_own_error(error), outlet)
                return
            yield from outlet.after_reading()
            yield _line({"done": True, **asdict(self._counts), "processingTimeMs": _ms_since(started)})

    def _broken_off(self, error: SidecarError, outlet: Outlet) -> Iterator[bytes]:
        """The end of an answer that tells of an error; the body has been read to its end then."""
        logger.warning("a stream of documents broke off at line %d: %s", self._next_line, error.message)
        last = _line({"error": error.as_body(), "line": self._next_line, **asdict(self._counts)})
        if outlet.is_holding:
            self._lines.drain()
            yield from outlet.after_reading()
            yield last
            return
        yield last
        self._lines.drain()

    def _carry_out(self, batch: Sequence[_Entry]) -> list[bytes]:
        """Store a batch; returns the lines that tell of the documents that failed."""
        documents = [entry.document for entry in batch if entry.error is None]
        stored = iter(self._write(documents) if documents else [])
        failed = []
        for entry in batch:
            item = next(stored) if entry.error is None else entry.error.as_item("")
            if "error" in item:
                failed.append(_line({"item": {**item, "line": entry.number}}))
        self._counts.received += len(batch)
        self._counts.failed += len(failed)
        self._counts.succeeded += len(batch) - len(failed)
        self._next_line = batch[-1].number + 1
        return failed

    def _batches(self) -> Iterator[list[_Entry]]:
        batch: list[_Entry] = []
        size = 0
        begun_at = time.monotonic()
        for line in self._lines:
            if line.text is not None and not line.text.strip():
                continue
            if not batch:
                size, begun_at = 0, time.monotonic()
            batch.append(self._entry(line))
            size += batch[-1].size
            is_full = len(batch) >= BATCH_DOCUMENTS or size >= BATCH_BYTES
            if is_full or time.monotonic() - begun_at >= BATCH_SECONDS:
                yield batch
                batch = []
        if batch:
            yield batch

    def _entry(self, line: Line) -> _Entry:
        if line.text is None:
            error: SidecarError = DocumentTooLarge(
                f"line {line.number} is too long for a document; the limit for one is {self._max_document_bytes:,} "
                "bytes of JSON (SIDECAR_MAX_DOCUMENT_BYTES)"
            )
            return _Entry(line.number, None, 0, error)
        try:
            return _Entry(line.number, orjson.loads(line.text), len(line.text))
        except orjson.JSONDecodeError as error:
            told = InvalidArgument(f"line {line.number} is not JSON: {error}. Send one document a line")
            return _Entry(line.number, None, 0, told)


def _line(value: object) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_APPEND_NEWLINE)


def _ms_since(started: float) -> float:
    return (time.perf_counter() - started) * 1000
