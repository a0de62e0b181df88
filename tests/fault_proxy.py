"""A network between the sidecar and the cluster that can be cut and mended."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from types import TracebackType
from urllib.parse import urlsplit


class FaultProxy:
    """Passes bytes on to the server behind `url`, over an address of its own."""

    def __init__(self, url: str, host: str = "127.0.0.1") -> None:
        parts = urlsplit(url)
        self._target = (parts.hostname, parts.port)
        self._listener = socket.create_server((host, 0))
        self._address = self._listener.getsockname()
        self._open: list[socket.socket] = []
        self.url = f"http://{host}:{self._address[1]}"

    def cut(self) -> None:
        """End all connections; new ones are refused."""
        # Without the shutdown, the thread that accepts would keep the socket open.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        while self._open:
            connection = self._open.pop()
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def mend(self) -> None:
        """Let connections pass again."""
        self._listener = socket.create_server(self._address)
        self._accept_in_background()

    def __enter__(self) -> FaultProxy:
        self._accept_in_background()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):
            self.cut()

    def _accept_in_background(self) -> None:
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                server = socket.create_connection(self._target)
                self._open += [client, server]
                for source, target in ((client, server), (server, client)):
                    threading.Thread(target=_pass_on, args=(source, target), daemon=True).start()


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65_536):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_RDWR)
