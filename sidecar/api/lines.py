"""Lines of a body of any length."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from sidecar.errors import BadRequest

_LEAST_READ, _LARGEST_READ = 1024, 256 * 1024
_QUICK_SECONDS = 0.05


class Readable(Protocol):
    """A body."""

    def read(self, size: int, /) -> bytes:
        """The next bytes: so many, and fewer only at the end."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line, without its end; the first has the number 1. Of one that is too long, `text` is None."""

    number: int
    text: bytes | None


class LineReader:
    """Reads a body line by line, in constant memory however long lines and body are; to be iterated once.

    `length` is that of the body, None where it is not told. A read waits until it has all that it asks for: large reads
    are for bodies that come quickly, small ones let the lines of a slow sender through.
    """

    def __init__(self, body: Readable, *, length: int | None, max_line_bytes: int) -> None:
        self._body = body
        self._missing = length
        self._max_line_bytes = max_line_bytes
        self._size = _LEAST_READ
        self._has_ended = False

    def __iter__(self) -> Iterator[Line]:
        """The lines, in order; the last one may lack its line break.

        Raises: BadRequest where the body breaks off.
        """
        number, begun, is_long = 1, b"", False
        while data := self._read():
            *ended, rest = data.split(b"\n")
            for piece in ended:
                yield self._line(number, begun + piece, is_long=is_long)
                number, begun, is_long = number + 1, b"", False
            begun += rest
            if is_long or len(begun) > self._max_line_bytes:
                begun, is_long = b"", True
        if begun or is_long:
            yield self._line(number, begun, is_long=is_long)

    def drain(self) -> None:
        """Read what is left, and drop it: a client that sends all before it reads gets its answer then."""
        try:
            while self._read():
                continue
        except BadRequest:
            return

    def _line(self, number: int, text: bytes, *, is_long: bool) -> Line:
        return Line(number, None if is_long or len(text) > self._max_line_bytes else text)

    def _read(self) -> bytes:
        if self._has_ended:
            return b""
        started = time.monotonic()
        try:
            data = self._body.read(self._size)
        except Exception as error:
            # The server's own errors, of whatever kind: a client that went away, a malformed chunk.
            self._has_ended = True
            raise BadRequest(f"The body broke off: {error or type(error).__name__}.") from error
        is_quick = time.monotonic() - started < _QUICK_SECONDS
        self._size = min(2 * self._size, _LARGEST_READ) if is_quick else _LEAST_READ
        if not data:
            self._has_ended = True
        if self._missing is not None:
            self._missing -= len(data)
            if self._has_ended and self._missing > 0:
                raise BadRequest(f"The body broke off: {self._missing} bytes of it did not come.")
        return data
