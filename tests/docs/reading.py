"""Someone who reads a page at a terminal, and runs its blocks one after the other."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import requests
import yaml

from tests.docs.blocks import ROOT, Block, Use
from tests.docs.command_server import CLIENT
from tests.docs.comparing import differences, missing_line

READERS: dict[str, Callable[[str], object]] = {
    "json": json.loads,
    "jsonl": lambda text: [json.loads(line) for line in text.splitlines()],
    "python": ast.parse,
    "yaml": lambda text: list(yaml.safe_load_all(text)),
}
"""What tells whether a text is well-formed in a language; it raises where it is not."""
TIMEOUT_SECONDS = 120
_CHILD = Path(__file__).with_name("python_child.py")
_SETTINGS = ("SIDECAR_", "OPENSEARCH_", "MARQO_")


@dataclass(frozen=True)
class Outcome:
    """What a block wrote, and its exit status."""

    status: int
    stdout: str
    stderr: str = ""


@dataclass(frozen=True)
class Places:
    """Where the parts are that pages speak of: the two ports of a sidecar, its node, a home folder for
    commands, and the socket at which these are run."""

    api: str
    native: str
    node: str
    home: Path
    commands: Path

    def put_into(self, text: str) -> str:
        """The text with these addresses in place of the printed ones."""
        for printed, here in ((8882, self.api), (9201, self.native), (9200, self.node)):
            text = text.replace(f"http://localhost:{printed}", here)
        return text


class Reader:
    """Runs the blocks of one page in the folder ``work``; ``faults`` tells what was not as printed."""

    def __init__(self, folder: Path, places: Places, *, work: str = "work") -> None:
        self._folder = folder
        self._places = places
        self._environment = _environment(folder, places)
        self._work = folder / work
        self._work.mkdir(exist_ok=True)
        self._python: subprocess.Popen[str] | None = None
        self._last = Outcome(0, "")

    def faults(self, block: Block) -> list[str]:
        """Run a block, or look whether it is what the last one printed; returns what is wrong."""
        text = self._places.put_into(block.text)
        if block.use is Use.FILE:
            return self._write(block, text)
        if block.use is Use.OUTPUT:
            return _compare(block.language, text, self._last)
        if block.use is Use.BODY:
            self._last = self._send(f"{block.target}\n{text}")
        elif block.use is Use.COMMAND:
            self._last = {"sh": self._shell, "python": self._run_python, "http": self._send}[block.language](text)
        else:
            return []
        if self._last.status == 0:
            return []
        return [f"it failed ({self._last.status}):\n{self._last.stdout}\n{self._last.stderr}"]

    def _write(self, block: Block, text: str) -> list[str]:
        path = self._work / block.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        try:
            READERS.get(block.language, str)(text)
        except (ValueError, SyntaxError, yaml.YAMLError) as error:
            return [f"{block.name} is no {block.language}: {error}"]
        return []

    def _shell(self, text: str) -> Outcome:
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", text],
            cwd=self._work,
            env=self._environment,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            check=False,
            timeout=TIMEOUT_SECONDS,
        )
        return Outcome(done.returncode, done.stdout, done.stderr)

    def _run_python(self, text: str) -> Outcome:
        if self._python is None:
            self._python = subprocess.Popen(
                [sys.executable, str(_CHILD)],
                cwd=self._work,
                env=self._environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        assert self._python.stdin is not None and self._python.stdout is not None
        self._python.stdin.write(json.dumps(text) + "\n")
        self._python.stdin.flush()
        return Outcome(**json.loads(self._python.stdout.readline()))

    def _send(self, text: str) -> Outcome:
        head, _, body = text.partition("\n")
        method, path = head.split()
        url = (self._places.api if path.startswith("/indexes") else self._places.native) + path
        kind = "application/x-ndjson" if "_bulk" in path or "_msearch" in path else "application/json"
        answer = requests.request(
            method, url, data=body.encode(), headers={"Content-Type": kind}, timeout=TIMEOUT_SECONDS
        )
        return Outcome(0 if answer.ok else answer.status_code, answer.text)

    def __enter__(self) -> Reader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._python is not None:
            self._python.communicate(timeout=TIMEOUT_SECONDS)


def _environment(folder: Path, places: Places) -> dict[str, str]:
    """The reader's environment, in which ``sidecar`` and ``python`` are this tree's."""
    programs = folder / "programs"
    programs.mkdir()
    client = CLIENT.format(python=Path(sys.executable).resolve(), socket=str(places.commands))
    for name, text in {"sidecar": client, "python": f'#!/bin/sh\nexec {sys.executable} "$@"\n'}.items():
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_SETTINGS)}
    own = {"OPENSEARCH_URL": places.node, "SIDECAR_HOME": str(places.home), "PYTHONPATH": str(ROOT), "COLUMNS": "120"}
    return kept | own | {"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}


def _compare(language: str, printed: str, outcome: Outcome) -> list[str]:
    if language == "text":
        missing = missing_line(printed, f"{outcome.stdout}\n{outcome.stderr}")
        return [f"{missing!r} was not printed:\n{outcome.stdout}\n{outcome.stderr}"] if missing is not None else []
    try:
        return differences(json.loads(printed), json.loads(outcome.stdout))
    except ValueError as error:
        return [f"no JSON ({error}):\n{outcome.stdout}\n{outcome.stderr}"]
