"""Runs commands of the sidecar in forks of one process that has imported them, for imports take a second each time.

``python command_server.py SOCKET`` listens there. A command comes as JSON (arguments, folder, environment) with its
standard streams; the answer is its exit status. `CLIENT` is a program that stands for ``sidecar`` and asks so.
"""

from __future__ import annotations

import array
import importlib
import json
import os
import signal
import socket
import subprocess
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).parents[2]

CLIENT = """#!{python} -IS
import array, json, os, socket, sys
with socket.socket(socket.AF_UNIX) as server:
    server.connect({socket!r})
    told = json.dumps({{"arguments": sys.argv[1:], "folder": os.getcwd(), "environment": dict(os.environ)}}).encode()
    streams = socket.SCM_RIGHTS, array.array("i", [0, 1, 2])
    server.sendmsg([len(told).to_bytes(4, "big")], [(socket.SOL_SOCKET, *streams)])
    server.sendall(told)
    sys.exit(int(server.makefile().read() or 1))
"""


@contextmanager
def commands_run(path: Path) -> Iterator[Path]:
    """The socket of a process that runs commands."""
    environment = os.environ | {"PYTHONPATH": str(_ROOT)}
    command = [sys.executable, __file__, str(path)]
    process = subprocess.Popen(command, cwd=_ROOT, env=environment, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield path
    finally:
        process.terminate()
        process.wait()


def serve(path: str) -> None:
    """Run commands until the process is ended."""
    from sidecar.cli import COMMANDS, main

    for module, _ in COMMANDS.values():
        importlib.import_module(module)
    importlib.import_module("sidecar.app")
    importlib.import_module("sidecar.embedding.loaders.random")
    _time_few_searches()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        print("ready", flush=True)
        while True:
            client, _ = listener.accept()
            if os.fork() == 0:
                listener.close()
                _run(client, main)
            client.close()


def _time_few_searches() -> None:
    """Evaluations of pages take seconds; 200 searches of each choice take a minute."""
    searches = importlib.import_module("sidecar.evaluation.searches")
    assert {"WARM_UP_SEARCHES", "TIMED_SEARCHES"} <= vars(searches).keys()
    vars(searches).update(WARM_UP_SEARCHES=3, TIMED_SEARCHES=10)


def _run(client: socket.socket, main: Any) -> None:
    """Run one command in this fork of the process, tell its status, and end."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    size, streams, _, _ = client.recvmsg(4, socket.CMSG_SPACE(3 * array.array("i").itemsize))
    numbers = array.array("i", streams[0][2])
    for stream, given in enumerate(numbers):
        os.dup2(given, stream)
        os.close(given)
    told = json.loads(client.makefile("rb").read(int.from_bytes(size, "big")))
    os.chdir(told["folder"])
    os.environ.clear()
    os.environ.update(told["environment"])
    sys.argv = ["sidecar", *told["arguments"]]
    status = _status(main)
    sys.stdout.flush()
    sys.stderr.flush()
    client.sendall(str(status).encode())
    os._exit(status)


def _status(main: Any) -> int:
    try:
        main(prog_name="sidecar")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


if __name__ == "__main__":
    serve(sys.argv[1])
