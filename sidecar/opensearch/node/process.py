"""The node's operating-system process: launched, recognised, stopped."""

from __future__ import annotations

import os
import random
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

import psutil

from sidecar.errors import EmbeddedNodeError
from sidecar.opensearch.node.account import Account
from sidecar.opensearch.node.configuration import config_option
from sidecar.opensearch.node.places import NodeFolder

LOOPBACK = "127.0.0.1"
STOP_SECONDS = 30.0
POLL_SECONDS = 0.1
# Below the range from which systems take the ports of outgoing connections, one of which could be in the way.
FREE_PORTS = range(20_000, 32_000)


def launch(
    command: Sequence[str], *, folder: NodeFolder, working_folder: Path, account: Account | None
) -> subprocess.Popen[bytes]:
    """Start the node in a session of its own, so that Ctrl-C in the terminal does not reach it.

    Of the environment it gets a path only: no key of the sidecar's, and no JAVA_TOOL_OPTIONS either.
    """
    folder.log.with_name("node.previous.log").unlink(missing_ok=True)
    if folder.log.exists():
        folder.log.rename(folder.log.with_name("node.previous.log"))
    with folder.console.open("wb") as console:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=console,
            stderr=subprocess.STDOUT,
            cwd=working_folder,
            env={"PATH": os.defpath, "LANG": "C.UTF-8"},
            start_new_session=True,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
        )


def find_node(folder: NodeFolder, pid: int) -> psutil.Process | None:
    """The living node of this folder: the process ``pid`` if it is it, else any with its command line."""
    marker = config_option(folder)
    if pid and psutil.pid_exists(pid) and _is_node(psutil.Process(pid), marker):
        return psutil.Process(pid)
    return next((process for process in psutil.process_iter() if _is_node(process, marker)), None)


def _is_node(process: psutil.Process, marker: str) -> bool:
    try:
        return marker in process.cmdline()
    except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
        return False


def stop_process(process: psutil.Process) -> None:
    """Ask the node to stop, wait until it is gone, and kill it where it takes more than half a minute."""
    try:
        process.terminate()
        if not _wait_for_end(process):
            process.kill()
            _wait_for_end(process)
    except psutil.NoSuchProcess:
        return
    except psutil.AccessDenied as error:
        raise EmbeddedNodeError(
            f"The embedded node (process {process.pid}) belongs to another user, who must stop it."
        ) from error


def has_ended(pid: int) -> bool:
    """Whether the process has ended; one that ended but was not waited for (a zombie) has."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def _wait_for_end(process: psutil.Process) -> bool:
    """Whether the process ended in time. Its parent may leave it a zombie, for which psutil would wait on."""
    deadline = time.monotonic() + STOP_SECONDS
    while time.monotonic() < deadline:
        try:
            process.wait(POLL_SECONDS)
            return True
        except psutil.TimeoutExpired:
            if has_ended(process.pid):
                return True
    return False


def choose_port(wanted: int) -> int:
    """The wanted port, or for 0 a free one.

    Raises: EmbeddedNodeError where something else listens there.
    """
    if wanted == 0:
        tries = random.sample(FREE_PORTS, 100)
        free = next((port for port in tries if is_free(port)), None)
        if free is None:
            raise EmbeddedNodeError("No free port was found for the embedded node: name one in SIDECAR_NODE_PORT.")
        return free
    if not is_free(wanted):
        raise port_taken(wanted)
    return wanted


def port_taken(port: int) -> EmbeddedNodeError:
    """The error for a port that the node can't have."""
    return EmbeddedNodeError(
        f"Port {port} of {LOOPBACK} is taken by another program: set SIDECAR_NODE_PORT to a free port for "
        "the embedded node (0: any), or, where an OpenSearch listens there that you want to use, set "
        f"OPENSEARCH_URL=http://{LOOPBACK}:{port}."
    )


def is_free(port: int) -> bool:
    """Whether a server could listen on the loopback port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
            probe.listen(1)
        except OSError:
            return False
    return True
