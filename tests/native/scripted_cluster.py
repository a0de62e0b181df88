"""A cluster whose every answer is written by the test, for the faults that a real one can't be made to show."""

from __future__ import annotations

import queue
import socket
import struct
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType

from tests.native.exchanges import PATIENCE_SECONDS

VERSION = "X-OpenSearch-Version: OpenSearch/9.8.7 (opensearch)"
OK = f"HTTP/1.1 200 OK\r\n{VERSION}\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{{}}".encode()
NOT_THERE = (
    b"HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: 71\r\n\r\n"
    b'{"error":{"type":"index_not_found_exception","reason":""},"status":404}'
)


class Visit:
    """One connection that the sidecar made, from the cluster's end of it."""

    def __init__(self, connection: socket.socket) -> None:
        connection.settimeout(PATIENCE_SECONDS)
        self._connection = connection
        self._stream = connection.makefile("rb")

    def head(self) -> bytes:
        """The next request's lines, up to its body; nothing where the connection has ended."""
        lines = b""
        while not lines.endswith(b"\r\n\r\n"):
            line = self._stream.readline()
            if not line:
                return b""
            lines += line
        return lines

    def request(self) -> tuple[bytes, bytes]:
        """The next request: its head, and its body as it comes, chunks and all."""
        head = self.head()
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                return head, self.body(int(line.partition(b":")[2]))
            if line == b"transfer-encoding: chunked":
                return head, self._chunks()
        return head, b""

    def body(self, size: int) -> bytes:
        """So many bytes, or fewer where the connection ends."""
        return self._stream.read(size)

    def send(self, data: bytes) -> None:
        self._connection.sendall(data)

    def has_ended(self) -> bool:
        """True where the sidecar ends the connection without a further byte; waits for it."""
        with suppress(ConnectionResetError):
            return self._stream.read(1) == b""
        return True

    def close(self) -> None:
        with suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)
        self._stream.close()
        self._connection.close()

    def reset(self) -> None:
        """End it as a host does that has crashed and knows of nothing."""
        self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._stream.close()
        self._connection.close()

    def _chunks(self) -> bytes:
        body = b""
        while True:
            size = int(self._stream.readline(), 16)
            body += self._stream.read(size)
            self._stream.readline()
            if size == 0:
                return body


class ScriptedCluster:
    """Hands the tests the connections that come, in their order."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._visits: queue.SimpleQueue[Visit] = queue.SimpleQueue()
        self._all: list[Visit] = []
        self._scripts: deque[Callable[[Visit], None]] = deque()
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def visit(self) -> Visit:
        """The next connection; waits for it."""
        return self._visits.get(timeout=PATIENCE_SECONDS)

    @property
    def has_visit(self) -> bool:
        """True where a connection came that no test has asked for yet."""
        return not self._visits.empty()

    def answers(self, *scripts: Callable[[Visit], None]) -> None:
        """Have the next connections handled by these, one each, in the background."""
        self._scripts.extend(scripts)

    def answers_start(self) -> threading.Event:
        """Answer what a sidecar asks at its start, the jobs that others have left, with none; tells when it has."""
        is_answered = threading.Event()

        def none(visit: Visit) -> None:
            visit.request()
            visit.send(NOT_THERE)
            visit.close()
            is_answered.set()

        self.answers(none)
        return is_answered

    def end_all(self) -> None:
        """Close all connections, as a cluster that stops."""
        for visit in self._all:
            visit.close()
        self._all.clear()
        self._scripts.clear()
        while not self._visits.empty():
            self._visits.get()

    def __enter__(self) -> ScriptedCluster:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.end_all()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                visit = Visit(self._listener.accept()[0])
                self._all.append(visit)
                if self._scripts:
                    threading.Thread(target=_run, args=(self._scripts.popleft(), visit), daemon=True).start()
                else:
                    self._visits.put(visit)


def _run(script: Callable[[Visit], None], visit: Visit) -> None:
    # The test may end the connections while the script still reads.
    with suppress(OSError, ValueError):
        script(visit)
