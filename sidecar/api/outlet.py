"""What of a streamed answer is sent while its request is still being read, and what is held back until then."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from tempfile import SpooledTemporaryFile
from types import TracebackType

LIVE_BYTES = 64 * 1024
"""So much fits into the buffers of the network on the way, whether the client reads or not."""
_SPOOLED_BYTES = 1024 * 1024
"""Held back in memory; more goes to a temporary file."""
_FIRST_WAIT_SECONDS = 1.0
_WAIT_GROWTH = 1.5
"""Over a day, 30 lines of progress."""


class Outlet:
    """Lets lines through, or holds them back; to be used with `with`, for one thread.

    A client may send its whole body before it reads the answer. If the answer filled the buffers meanwhile, it would
    wait for us, and we for it: so little is sent before the body has ended, however long the body is.
    """

    def __init__(self) -> None:
        self._left = LIVE_BYTES
        self._held: SpooledTemporaryFile[bytes] | None = None
        self._next_progress = 0.0
        self._wait_seconds = _FIRST_WAIT_SECONDS

    @property
    def is_holding(self) -> bool:
        """True where lines are held back."""
        return self._held is not None

    def while_reading(self, lines: Sequence[bytes], progress: bytes) -> bytes:
        """What of these lines is to be sent now, and the line of progress where it is time for one; often nothing."""
        sent = [line for line in lines if self._lets_through(line)]
        now = time.monotonic()
        if now >= self._next_progress:
            self._next_progress = now + self._wait_seconds
            self._wait_seconds *= _WAIT_GROWTH
            sent.append(progress)
        return b"".join(sent)

    def after_reading(self) -> Iterator[bytes]:
        """What was held back, in order."""
        if self._held is not None:
            self._held.seek(0)
            while piece := self._held.read(LIVE_BYTES):
                yield piece

    def __enter__(self) -> Outlet:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._held is not None:
            self._held.close()

    def _lets_through(self, line: bytes) -> bool:
        if self._held is None and len(line) <= self._left:
            self._left -= len(line)
            return True
        if self._held is None:
            self._held = SpooledTemporaryFile(_SPOOLED_BYTES)  # noqa: SIM115 - closed by __exit__
        self._held.write(line)
        return False
