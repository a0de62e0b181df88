"""Ray for the time of a load: the cluster that `RAY_ADDRESS` names, or one of this machine alone."""

from __future__ import annotations

import logging
import os
import signal
import socket
import tempfile
import threading
import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, redirect_stdout
from pathlib import Path

import ray
import ray.data  # sets its loggers up
from ray.exceptions import RayError

from sidecar.embedding.processors import available_processors
from sidecar.errors import ConfigurationError, WorkersFailed
from sidecar.ingest.ray_engine.machines import Machine

OBJECT_STORE_BYTES = 256 * 1024 * 1024
"""Room for the batches on their way, of 8 MB at most; Ray itself would take a third of the memory."""
_CLIENT_SCHEME = "ray://"
_KNOCK_SECONDS = 10.0


@contextmanager
def ray_session(address: str | None) -> Iterator[None]:
    """Connected to the cluster at the address, which goes on afterwards; without one, a cluster of this machine that
    ends with the load. Where this process is connected already, that connection is used, and stays.

    Raises: ConfigurationError where the address leads nowhere; WorkersFailed where Ray does not start here.
    """
    with _quiet():
        if ray.is_initialized():
            yield
            return
        with _folder(is_needed=not address) as folder:
            try:
                with _signals_as_they_are(), _no_greeting():
                    if address:
                        _connect(address)
                    else:
                        _start(folder)
                yield
            finally:
                ray.shutdown()


def _folder(*, is_needed: bool) -> AbstractContextManager[str]:
    """For what a cluster of this machine writes while it runs."""
    if not is_needed:
        return nullcontext("")
    return tempfile.TemporaryDirectory(prefix="ray-", dir="/tmp", ignore_cleanup_errors=True)


def machines() -> list[Machine]:
    """The machines of the cluster that are there now."""
    nodes = ray.nodes()  # type: ignore[no-untyped-call]
    found = [node["Resources"] for node in nodes if node["Alive"]]
    return [Machine(int(each.get("CPU", 0)), int(each.get("GPU", 0))) for each in found]


def _start(folder: str) -> None:
    try:
        ray.init(
            "local",
            num_cpus=available_processors(),
            object_store_memory=OBJECT_STORE_BYTES,
            include_dashboard=False,
            log_to_driver=False,
            logging_level=logging.ERROR,
            # The sockets' paths may have 107 bytes, which those in a user's own folder for such files can exceed.
            _temp_dir=folder,
        )
    except (RayError, RuntimeError, OSError, TimeoutError) as error:
        raise WorkersFailed(f"Ray did not start on this machine: {_first_line(error)}") from error


def _connect(address: str) -> None:
    if address.startswith(_CLIENT_SCHEME):
        raise ConfigurationError(
            f"RAY_ADDRESS is {address}, the address of a Ray client server; a load needs to run on a machine of the "
            "cluster. Start it there (`ray job submit`, or a shell on the head node) with RAY_ADDRESS=auto."
        )
    try:
        _knock(address)
        ray.init(address, log_to_driver=False, logging_level=logging.ERROR)
    except (RayError, RuntimeError, OSError, TimeoutError, ValueError) as error:
        raise ConfigurationError(
            f"RAY_ADDRESS is {address}, and no cluster can be used there: {_first_line(error)}"
        ) from error


def _knock(address: str) -> None:
    """Raises: OSError where nobody listens at the port, for which Ray itself would wait for minutes."""
    host, _, port = address.rpartition(":")
    if host and port.isdecimal():
        socket.create_connection((host.strip("[]"), int(port)), timeout=_KNOCK_SECONDS).close()


@contextmanager
def _quiet() -> Iterator[None]:
    """Ray tells its own log files, and nobody else: nothing on the terminal, nor to its makers.

    It prints what becomes of workers that die, which would stand in the middle of a summary in JSON.
    """
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
    logging.getLogger("ray").setLevel(logging.ERROR)
    data = logging.getLogger("ray.data")
    data.handlers = [handler for handler in data.handlers if not isinstance(handler, logging.StreamHandler)]
    with warnings.catch_warnings(), Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere):
        warnings.filterwarnings("ignore", module=r"ray(\.|$)")
        yield


@contextmanager
def _signals_as_they_are() -> Iterator[None]:
    """Ray takes SIGTERM for itself; the load has a handler of its own."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handler = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, handler)


@contextmanager
def _no_greeting() -> Iterator[None]:
    """What is written to the standard error meanwhile is lost: Ray's core says there that it was told to be quiet."""
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def _first_line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0]
