"""An answer of the cluster on its way to somebody else: untouched, and in pieces as it comes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from http.client import HTTPResponse

from sidecar.opensearch.connections import Lease, translated_errors

Header = tuple[str, str]
PIECE_BYTES = 128 * 1024
"""How much of a streamed answer is in memory at a time."""
_BAD_REQUEST = 400
"""After one of these the connection is not used again: when its HTTP decoder has failed (a head that is too long),
OpenSearch leaves the connection open, and never answers on it any more."""
_HOP_BY_HOP = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
"""Headers that hold between two neighbours only (RFC 9110, 7.6.1)."""


@dataclass(slots=True)
class RawAnswer:
    """The cluster's answer; the body comes in pieces, once. `close` is to be called, whether it was read or not."""

    status: int
    reason: str
    headers: list[Header]
    _response: HTTPResponse = field(repr=False)
    _lease: Lease = field(repr=False)
    _is_read: bool = False

    @classmethod
    def begun(cls, response: HTTPResponse, lease: Lease) -> RawAnswer:
        """An answer whose head was read."""
        headers = end_to_end(response.getheaders())
        if response.status == _BAD_REQUEST:
            response.will_close = True
        return cls(response.status, response.reason, headers, response, lease)

    def header(self, name: str) -> str | None:
        """The first value of a header, whatever its case."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    def pieces(self) -> Iterator[bytes]:
        """The body's bytes as they come. Raises: OpenSearchUnreachable, OpenSearchTimeout where they end too soon."""
        with translated_errors(self._lease.endpoint, self._lease.timeout_seconds):
            # An answer without a body (to HEAD, 204, 304) has a length of 0, even if it says that it is in chunks.
            if self._response.chunked and self._response.length is None:
                yield from _chunked(self._response)
            else:
                yield from _counted(self._response)
        self._is_read = True

    def read(self) -> bytes:
        """The whole body; closes the answer."""
        try:
            return b"".join(self.pieces())
        finally:
            self.close()

    def close(self) -> None:
        """Let go of the connection, which is kept where the answer was read to its end. May be called twice."""
        self._lease.end(is_reusable=self._is_read and not self._response.will_close)
        self._response.close()


def end_to_end(headers: Sequence[Header]) -> list[Header]:
    """The headers without those that hold between two neighbours only."""
    dropped = _HOP_BY_HOP
    for name, value in headers:
        if name.lower() == "connection":
            dropped = dropped.union(named.strip().lower() for named in value.split(","))
    return [header for header in headers if header[0].lower() not in dropped]


def _chunked(response: HTTPResponse) -> Iterator[bytes]:
    # Raises IncompleteRead where the last chunk does not come.
    while piece := response.read1(PIECE_BYTES):
        yield piece


def _counted(response: HTTPResponse) -> Iterator[bytes]:
    """The body of an answer that tells its length, or ends with its connection.

    Read below `HTTPResponse.read1`, which in some patch releases of Python 3.10 and 3.11 waits for more than there is.
    """
    left = response.length
    while left is None or left > 0:
        piece = response.fp.read1(PIECE_BYTES if left is None else min(left, PIECE_BYTES))
        if not piece:
            if left is None:
                return
            raise ConnectionError(f"its answer ended {left:,} bytes too soon")
        if left is not None:
            left -= len(piece)
        yield piece
