"""A sidecar, or another server, in a process of its own, as users run it, and a lean client to it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

import psutil
from typing_extensions import Self


class Client:
    """One keep-alive connection."""

    def __init__(self, url: str) -> None:
        self.url = url
        parts = urlsplit(url)
        self._connection = HTTPConnection(parts.hostname or "", parts.port or 80, timeout=600)

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Send JSON, return JSON. Raises: RuntimeError for a status of 400 or above."""
        return json.loads(self.read(method, path, body))

    def read(self, method: str, path: str, body: Any = None) -> bytes:
        """As `call`; returns the answer's body as it is."""
        data = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        self._connection.request(method, path, data, {"Content-Type": "application/json"})
        response = self._connection.getresponse()
        content = response.read()
        if response.status >= 400:
            raise RuntimeError(f"{method} {path}: {response.status} {content[:500]!r}")
        return content


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class ServerProcess:
    """A program that listens on a port of this machine, from its start to the end of the ``with`` block."""

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        url: str,
        *,
        ready_path: str = "/",
        folder: Path | None = None,
    ) -> None:
        """``environment`` is added to this process's own; it runs in ``folder``, or in this one's.

        It is ready when ``GET ready_path`` is answered with JSON.
        """
        self.url = url
        self._ready_path = ready_path
        self._command = command
        self.started = time.perf_counter()
        self._process = subprocess.Popen(command, env=os.environ | environment, cwd=folder)

    def __enter__(self) -> Self:
        self.answered = self._wait_for_answer()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(60)

    def resident_bytes(self) -> int:
        """Memory of the server and its child processes that is theirs alone, or shared once."""
        return resident_bytes(self._process.pid)

    @contextmanager
    def peak(self) -> Iterator[list[int]]:
        """Meanwhile, watch `resident_bytes`; the list then has the first and the largest of them."""
        found = [self.resident_bytes()] * 2
        done = threading.Event()

        def watch() -> None:
            while not done.wait(0.05):
                found[1] = max(found[1], self.resident_bytes())

        thread = threading.Thread(target=watch)
        thread.start()
        try:
            yield found
        finally:
            done.set()
            thread.join()
            found[1] = max(found[1], self.resident_bytes())

    def _wait_for_answer(self) -> float:
        while True:
            try:
                Client(self.url).call("GET", self._ready_path)
                return time.perf_counter()
            except OSError:
                if self._process.poll() is not None:
                    command = " ".join(self._command[:3])
                    raise RuntimeError(f"{command} ended with {self._process.returncode}") from None
                time.sleep(0.01)


class Server(ServerProcess):
    """``sidecar serve`` on a free port, against the given cluster."""

    def __init__(self, cluster_url: str, settings: Mapping[str, str] | None = None) -> None:
        self.port, self.native_port = free_port(), free_port()
        self.native_url = f"http://127.0.0.1:{self.native_port}"
        ports = ["--port", str(self.port), "--native-port", str(self.native_port)]
        command = [sys.executable, "-m", "sidecar", "serve", *ports]
        environment = {"OPENSEARCH_URL": cluster_url, "SIDECAR_LOG_LEVEL": "warning", **(settings or {})}
        super().__init__(command, environment, f"http://127.0.0.1:{self.port}")


def resident_bytes(pid: int) -> int:
    """Memory of a process and its child processes that is theirs alone, or shared once."""
    family = [psutil.Process(pid)]
    family += family[0].children(recursive=True)
    return sum(process.memory_full_info().pss for process in family)
