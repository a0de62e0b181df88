"""A server that fails on demand, for the faults that a real node can't be made to show at a wished moment."""

from __future__ import annotations

import queue
import socket
import threading
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType

HANG_UP = b""  # close the connection instead of answering


@dataclass(frozen=True)
class ReceivedRequest:
    """One request as it came in."""

    head: str
    body: bytes

    @property
    def first_line(self) -> str:
        return self.head.split("\r\n", 1)[0]


def answer(body: bytes, status: str = "200 OK", *, closes: bool = False) -> bytes:
    """The bytes of an HTTP answer with a JSON body."""
    connection = "close" if closes else "keep-alive"
    lines = ["HTTP/1.1 " + status, "Content-Type: application/json", f"Connection: {connection}"]
    lines += [f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode() + body


class FaultServer:
    """Answers each request with the next of the given byte strings; after the last one, it hangs up.

    A connection is closed behind a reply that is not a whole answer.
    """

    def __init__(self, replies: Iterable[bytes] = ()) -> None:
        self.requests: list[ReceivedRequest] = []
        self._replies: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        for reply in replies:
            self._replies.put(reply)
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.connections = 0
        self._open: list[socket.socket] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def drop_connections(self) -> None:
        """Close all connections, as a server does with idle ones; returns when clients can see it."""
        for connection in self._open:
            connection.shutdown(socket.SHUT_RDWR)

    def __enter__(self) -> FaultServer:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        for connection in self._open:
            connection.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.connections += 1
            self._open.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        # The server closes its connections at its end, whatever they are in the middle of.
        with suppress(OSError), connection, connection.makefile("rb") as stream:
            while True:
                head = b""
                while not head.endswith(b"\r\n\r\n"):
                    line = stream.readline()
                    if not line:
                        return
                    head += line
                lengths = [line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
                body = stream.read(int(lengths[0].split(b":")[1])) if lengths else b""
                self.requests.append(ReceivedRequest(head.decode(), body))
                reply = HANG_UP if self._replies.empty() else self._replies.get()
                connection.sendall(reply)
                if not _is_whole(reply) or b"Connection: close" in reply:
                    connection.shutdown(socket.SHUT_RDWR)
                    return


def _is_whole(reply: bytes) -> bool:
    head, _, body = reply.partition(b"\r\n\r\n")
    lengths = [line for line in head.split(b"\r\n") if line.startswith(b"Content-Length:")]
    return bool(lengths) and int(lengths[0].split(b":")[1]) == len(body)
