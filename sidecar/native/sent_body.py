"""The body of an answer on its way to the client."""

from __future__ import annotations

import errno
import logging
from collections.abc import Callable, Iterable, Iterator

from sidecar.errors import SidecarError

logger = logging.getLogger(__name__)


class SentBody:
    """An answer's pieces, of which the first is there already; tells when they end.

    A fault before the first piece can still be told in an answer of its own. A later one can't: then the connection
    is broken off, so that the client sees that the answer is not whole.
    """

    def __init__(self, pieces: Iterable[bytes]) -> None:
        """Begin to read. Raises: whatever reading the first piece does; the pieces are closed then."""
        self._pieces = pieces
        self._rest = iter(pieces)
        self._on_end: Callable[[], None] | None = None
        try:
            self._first = next(self._rest, b"")
        except BaseException:
            self.close()
            raise

    def on_end(self, tell: Callable[[], None]) -> None:
        """Have `tell` called when the body was sent, or its client went away."""
        self._on_end = tell

    def __iter__(self) -> Iterator[bytes]:
        yield self._first
        try:
            yield from self._rest
        except SidecarError as error:
            logger.warning("an answer broke off: %s", error.message)
            raise ConnectionResetError(errno.ECONNRESET, error.message) from error

    def close(self) -> None:
        """Let go of what the pieces hold; called by the server, whatever happened."""
        try:
            close = getattr(self._pieces, "close", None)
            if close is not None:
                close()
        finally:
            if self._on_end is not None:
                self._on_end()
