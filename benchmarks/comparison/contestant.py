"""A contestant at work: its server, where it has one, and its user's code, each in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from benchmarks.comparison import servers
from benchmarks.comparison.entries import Entry
from benchmarks.comparison.environments import ROOT, python_of
from benchmarks.comparison.models import model_folder, onnx_folder
from benchmarks.corpus import MODEL
from benchmarks.server import ServerProcess, resident_bytes

INDEX = "comparison"

_ONNX = {"onnx", "optimum"}


@dataclass(frozen=True)
class Together:
    """What clients at once came to: searches a second that found ten documents, and those that failed."""

    per_second: float
    failed: int
    error: str | None


class Contestant:
    """The commands of `benchmarks.comparison.runner`, answered by the contestant's own Python."""

    def __init__(self, process: subprocess.Popen[str], server: ServerProcess | None) -> None:
        self._process = process
        self._server = server
        self._answer()

    def create(self, batch: int | None = None) -> None:
        """Make an empty index."""
        self._ask({"do": "create", "batch": batch})

    def add(self, documents: Sequence[dict[str, Any]]) -> float:
        """Documents a second, until a search can find all of them."""
        return len(documents) / float(self._ask({"do": "add", "documents": documents})["seconds"])

    def search(self, queries: Sequence[str]) -> tuple[list[float], list[list[str]]]:
        """Seconds of each search, one after the other, and the ids that it found."""
        answer = self._ask({"do": "search", "queries": queries})
        return answer["seconds"], answer["found"]

    def search_together(self, queries: Sequence[str], *, clients: int, seconds: float) -> Together:
        """Searches by so many clients at once, for so long."""
        answer = self._ask({"do": "search_together", "clients": clients, "seconds": seconds, "queries": queries})
        return Together(answer["searches"] / answer["seconds"], answer["failed"], answer["error"])

    def versions(self, packages: Sequence[str]) -> dict[str, str]:
        """The versions of Python and of packages."""
        answer: dict[str, str] = self._ask({"do": "versions", "packages": packages})
        return answer

    def resident_bytes(self) -> int:
        """Memory of the user's program and of the server, what they share counted once."""
        return resident_bytes(self._process.pid) + (self._server.resident_bytes() if self._server else 0)

    def _ask(self, command: dict[str, Any]) -> Any:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the contestant's program ended with {self._process.wait()}; its words stand above")
        return json.loads(line)


@contextmanager
def started(entry: Entry, cluster_url: str, batch: int | None = None) -> Iterator[Contestant]:
    """The entry, ready for commands; its processes end with the block.

    ``batch`` is the size of batches of its server, where that takes one. Raises: RuntimeError where it can't be
    installed, or does not start.
    """
    python = python_of(entry.environment)
    model = onnx_folder(python) if entry.engine in _ONNX else model_folder()
    with ExitStack() as stack:
        server = servers.start(entry, python, model, cluster_url, batch)
        if server is not None:
            stack.enter_context(server)
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        environment = {
            "ENGINE": entry.engine or "",
            "FOLDER": folder,
            "HF_HUB_OFFLINE": "1",
            "INDEX": INDEX,
            "MODEL": str(model),
            "MODEL_NAME": MODEL,
            "OPENSEARCH_URL": cluster_url,
            "PYTHONPATH": str(ROOT),
            "SERVER_URL": server.url if server else "",
        }
        process = stack.enter_context(
            subprocess.Popen(
                [python, "-m", "benchmarks.comparison.runner", entry.script],
                env=os.environ | environment,
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        )
        yield Contestant(process, server)
