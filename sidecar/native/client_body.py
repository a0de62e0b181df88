"""The body of a client's request, read as it comes; a client that goes away half-way is told from one at its end."""

from __future__ import annotations

from gunicorn.http.errors import NoMoreData, ParseException

from sidecar.native.errors import ILLEGAL_ARGUMENT, Refused
from sidecar.opensearch.passthrough import CallerGone, Readable

DRAIN_BYTES = 1024 * 1024 * 1024
"""How much of a body that nobody wants is read, so that its client, which still sends, sees the answer."""
_PIECE_BYTES = 1024 * 1024


class ClientBody:
    """Reads the server's stream of a body of ``length`` bytes; None: of unknown length, in chunks."""

    def __init__(self, stream: Readable, length: int | None) -> None:
        self._stream = stream
        self._left = length
        self._has_ended = length == 0

    def read(self, size: int, /) -> bytes:
        """At most so many bytes, none at the end.

        Raises: CallerGone where the client went away or stood still for too long; Refused where its chunks are broken.
        """
        if self._has_ended:
            return b""
        try:
            piece = self._stream.read(size)
        except NoMoreData as error:
            raise CallerGone from error
        except ParseException as error:
            raise Refused(ILLEGAL_ARGUMENT, str(error)) from error
        except OSError as error:
            # gunicorn's errors of chunks are OSErrors without a number; those of sockets have one.
            if error.errno is not None or isinstance(error, TimeoutError):
                raise CallerGone from error
            raise Refused(ILLEGAL_ARGUMENT, str(error)) from error
        if self._left is not None:
            if not piece:
                raise CallerGone
            self._left -= len(piece)
        self._has_ended = not piece or self._left == 0
        return piece

    def drain(self) -> None:
        """Read what nobody has read, and forget it. Raises: as `read`."""
        drained = 0
        while drained < DRAIN_BYTES and (piece := self.read(_PIECE_BYTES)):
            drained += len(piece)
