"""Programs in a terminal: a pseudo-terminal of the test's own, at which it types and reads."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

ROOT = Path(__file__).parent.parent.parent
WAIT_SECONDS = 60.0
_TAKE_TERMINAL = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execvp(sys.argv[1], sys.argv[1:])
"""
"""Makes the terminal the one that controls the process, and becomes the program; without one, fish does not start."""
_ESCAPES = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b[=>()][0-9AB]?|\x1b\][^\x07]*\x07|\r")


def command_folder(folder: Path) -> Path:
    """The folder, with the command `sidecar` of these sources in it, for a PATH."""
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / "sidecar"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m sidecar "$@"\n')
    program.chmod(0o755)
    return folder


def clean_environment(folder: Path, **more: str) -> dict[str, str]:
    """An environment without the tester's own settings, with the command of these sources in front of its PATH."""
    ours = ("SIDECAR_", "OPENSEARCH_", "MARQO_")
    colours = {"NO_COLOR", "FORCE_COLOR", "COLORTERM"}
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours) and name not in colours}
    path = f"{command_folder(folder)}:{os.environ['PATH']}"
    return kept | {"PATH": path, "PYTHONPATH": str(ROOT), "TERM": "xterm-256color"} | more


class Terminal:
    """A program in a terminal of 80 columns and more; to be used with ``with``, which ends it."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], cwd: Path) -> None:
        self._end, theirs = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-c", _TAKE_TERMINAL, *command],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env=environment,
            cwd=cwd,
            start_new_session=True,
        )
        os.close(theirs)
        self.raw = ""

    def type(self, text: str) -> None:
        """Type it."""
        os.write(self._end, text.encode())

    def read_until(self, pattern: str) -> str:
        """What is on the terminal up to the first match of what was not read yet, without escape sequences."""
        deadline = time.monotonic() + WAIT_SECONDS
        read = ""
        while not re.search(pattern, shown := _ESCAPES.sub("", read)):
            assert time.monotonic() < deadline, f"{pattern!r} did not come: {shown!r}"
            read += self._read(deadline - time.monotonic())
        return shown

    def read_all(self) -> str:
        """All that the program writes to its end, as it is."""
        deadline = time.monotonic() + WAIT_SECONDS
        while self._read(deadline - time.monotonic()):
            assert time.monotonic() < deadline, self.raw
        self.process.wait(WAIT_SECONDS)
        return self.raw

    def _read(self, seconds: float) -> str:
        if not select.select([self._end], [], [], max(0.0, seconds))[0]:
            return ""
        try:
            piece = os.read(self._end, 65536).decode(errors="replace")
        except OSError:  # the program has ended
            return ""
        self.raw += piece
        return piece

    def __enter__(self) -> Terminal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(WAIT_SECONDS)
        os.close(self._end)
