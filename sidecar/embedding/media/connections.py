"""HTTP connections to addresses that were checked, kept open for reuse, with one deadline for all they do."""

from __future__ import annotations

import io
import socket
import ssl
import threading
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.response import BaseHTTPResponse

MAX_IDLE = 64


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a connection goes: the host as the URL names it, and the address that was checked for it."""

    scheme: str
    host: str
    port: int
    address: str


@dataclass(slots=True)
class Deadline:
    """By when a fetch must be done (`time.monotonic` seconds), and how long nothing may come in between."""

    at: float
    idle_seconds: float

    def left(self) -> float:
        """Seconds that the next step may take. Raises: TimeoutError where there are none."""
        seconds = min(self.at - time.monotonic(), self.idle_seconds)
        if seconds <= 0:
            raise TimeoutError("the deadline has passed")
        return seconds


class _TimedStream(io.RawIOBase):
    """A socket's bytes; each read has what is left of the time, so that a byte now and then doesn't extend it."""

    def __init__(self, timed: _TimedSocket) -> None:
        self._timed = timed
        # Holds the socket open, as http.client's own streams do, when the connection lets go of it.
        self._raw = timed.socket.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._timed.socket.settimeout(self._timed.deadline.left())
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _TimedSocket:
    """A socket as http.client uses it, whose reads share one deadline."""

    def __init__(self, plain: socket.socket, deadline: Deadline) -> None:
        self.socket = plain
        self.deadline = deadline

    def makefile(self, mode: str, buffering: int | None = None) -> io.BufferedReader:
        return io.BufferedReader(_TimedStream(self))

    def __getattr__(self, name: str) -> Any:
        return getattr(self.socket, name)


Connection = HTTPConnection | HTTPSConnection


def send(connection: Connection, path: str, headers: Mapping[str, str]) -> BaseHTTPResponse:
    """Ask for a path, and wait for the answer's head. Raises: OSError, urllib3's HTTPError, HTTPException."""
    timed = connection.sock
    assert isinstance(timed, _TimedSocket)
    connection.timeout = timed.deadline.left()
    connection.request("GET", path, headers=headers, preload_content=False)
    return connection.getresponse()


class Connections:
    """Opens connections and keeps the idle ones, the least used first to go. Safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._idle: OrderedDict[int, tuple[Endpoint, Connection]] = OrderedDict()
        self._context: ssl.SSLContext | None = None

    def take(self, endpoint: Endpoint, deadline: Deadline, connect_seconds: float) -> tuple[Connection, bool]:
        """A connection to the endpoint, and whether it had been used before. Nobody else has it until `give`.

        What it reads has until ``deadline``; a new one has ``connect_seconds`` to be made.

        Raises: OSError, urllib3's HTTPError.
        """
        while (kept := self._take_idle(endpoint)) is not None:
            timed = kept.sock
            if kept.is_connected and isinstance(timed, _TimedSocket):
                timed.deadline = deadline
                return kept, True
            kept.close()
        return self._open(endpoint, deadline, connect_seconds), False

    def give(self, endpoint: Endpoint, connection: Connection) -> None:
        """Keep a connection whose answer has been read to its end."""
        if connection.sock is None:  # the server closes it
            return
        with self._lock:
            self._idle[id(connection)] = (endpoint, connection)
            dropped = self._idle.popitem(last=False)[1][1] if len(self._idle) > MAX_IDLE else None
        if dropped is not None:
            dropped.close()

    def close(self) -> None:
        """Close the idle connections."""
        with self._lock:
            kept, self._idle = self._idle, OrderedDict()
        for _, connection in kept.values():
            connection.close()

    def _take_idle(self, endpoint: Endpoint) -> Connection | None:
        with self._lock:
            # The one used last is the likeliest to be open still.
            for key, (kept, connection) in reversed(self._idle.items()):
                if kept == endpoint:
                    del self._idle[key]
                    return connection
        return None

    def _open(self, endpoint: Endpoint, deadline: Deadline, connect_seconds: float) -> Connection:
        connection: Connection
        if endpoint.scheme == "https":
            # Connected to the address; the certificate, and SNI, are for the name.
            connection = HTTPSConnection(
                endpoint.address,
                endpoint.port,
                timeout=connect_seconds,
                server_hostname=endpoint.host,
                ssl_context=self._tls(),
            )
        else:
            connection = HTTPConnection(endpoint.address, endpoint.port, timeout=connect_seconds)
        try:
            connection.connect()
        except BaseException:
            connection.close()
            raise
        assert connection.sock is not None
        timed: Any = _TimedSocket(connection.sock, deadline)
        connection.sock = timed
        return connection

    def _tls(self) -> ssl.SSLContext:
        # Made on first use: reading the machine's certificates takes some 20 ms.
        with self._lock:
            if self._context is None:
                self._context = ssl.create_default_context()
            return self._context
