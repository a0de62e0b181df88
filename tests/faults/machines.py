"""What a fault suite needs of the machine: free ports, a node of its own, what a process holds."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from sidecar.config import Settings
from sidecar.given_settings import load_settings
from sidecar.opensearch.node import ensure_running
from sidecar.opensearch.node.lifecycle import RunningNode
from tests.fix_opensearch import TEST_JAVA_OPTIONS


def free_ports() -> tuple[int, int]:
    """Two ports that nothing listens on."""
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as other:
        return one.getsockname()[1], other.getsockname()[1]


class OwnNode:
    """A node that a test may kill, halt and start again; its data and its address stay."""

    def __init__(self, home: Path) -> None:
        self._settings: Settings = load_settings(
            home=home, node_port=free_ports()[0], node_heap="512m", node_java_options=TEST_JAVA_OPTIONS
        )
        self._running: RunningNode = ensure_running(self._settings)
        self.url = self._running.url

    def kill(self) -> None:
        """As a crash ends it (kill -9)."""
        process = psutil.Process(self._running.pid)
        process.kill()
        psutil.wait_procs([process], 30)

    def start_again(self) -> None:
        """Start it again, and return when it answers."""
        self._running = ensure_running(self._settings)

    @contextmanager
    def halted(self) -> Iterator[None]:
        """Meanwhile its process stands still (SIGSTOP): connections open, and nobody answers."""
        os.kill(self._running.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self._running.pid, signal.SIGCONT)

    def release(self) -> None:
        self._running.release()


@dataclass(frozen=True)
class Held:
    """What a server holds: resident bytes that are its own, open files and sockets, threads."""

    memory_bytes: int
    files: int
    threads: int


def held_by(process_id: int) -> Held:
    """By the process and all that it has begun."""
    main = psutil.Process(process_id)
    family = [main, *main.children(recursive=True)]
    return Held(
        sum(process.memory_full_info().pss for process in family),
        sum(process.num_fds() for process in family),
        sum(process.num_threads() for process in family),
    )
