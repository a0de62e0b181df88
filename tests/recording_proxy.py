"""A way to the cluster on which the heads of all requests are kept."""

from __future__ import annotations

import re
import socket
import threading
from contextlib import suppress
from dataclasses import dataclass

from tests.fault_proxy import FaultProxy, _pass_on

_HEAD = re.compile(rb"(GET|HEAD|POST|PUT|DELETE) (/\S*) HTTP/1\.1\r\n(.*?)\r\n\r\n", re.DOTALL)


@dataclass(frozen=True)
class Head:
    """A request's line and headers; their names are in lower case."""

    method: str
    target: str
    headers: dict[str, str]


class RecordingProxy(FaultProxy):
    """Passes bytes on, and keeps what clients send."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self._sent: list[bytearray] = []

    def heads(self) -> list[Head]:
        """The requests so far, connection by connection."""
        found = [match for sent in self._sent for match in _HEAD.finditer(bytes(sent))]
        return [
            Head(method.decode(), target.decode(), _headers(lines))
            for method, target, lines in (match.groups() for match in found)
        ]

    def forget(self) -> None:
        """Keep nothing of what was sent until now."""
        for sent in self._sent:
            sent.clear()

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                server = socket.create_connection(self._target)
                self._open += [client, server]
                self._sent.append(bytearray())
                threading.Thread(target=_record, args=(client, server, self._sent[-1]), daemon=True).start()
                threading.Thread(target=_pass_on, args=(server, client), daemon=True).start()


def _headers(lines: bytes) -> dict[str, str]:
    pairs = (line.decode("latin-1").partition(": ") for line in lines.split(b"\r\n"))
    return {name.lower(): value for name, _, value in pairs}


def _record(source: socket.socket, target: socket.socket, sent: bytearray) -> None:
    with suppress(OSError):
        while data := source.recv(65_536):
            sent += data
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_RDWR)
