"""`sidecar ingest` as a user runs it, and what is in the index then."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from sidecar.cli import main
from tests.fix_opensearch import request

MODEL = ("--model", "random/small")
WAIT_SECONDS = 60.0
_MOST_HITS = 10_000


class Ingest:
    """The command with the options that all its runs share, in a home folder of its own."""

    def __init__(self, url: str, home: Path, *arguments: str | Path) -> None:
        self._environment = {"OPENSEARCH_URL": url, "SIDECAR_HOME": str(home)}
        self._arguments = [str(argument) for argument in arguments]

    def run(self, *more: str | Path, **variables: str) -> Result:
        """One run in this process."""
        arguments = ["ingest", *self._arguments, *map(str, more)]
        return CliRunner().invoke(main, arguments, env=self._environment | variables)

    def done(self, *more: str | Path) -> dict[str, Any]:
        """One run in this process that must load all; returns its summary."""
        result = self.run(*more, "--json")
        assert result.exit_code == 0, result.output
        summary: dict[str, Any] = json.loads(result.stdout)
        return summary

    def start(self, *more: str | Path) -> Running:
        """A run in a process of its own."""
        return Running([*self._arguments, *map(str, more)], os.environ | self._environment)

    def piped(self, text: str) -> tuple[int, str]:
        """A run in a process of its own that reads the text; as `Running.end`."""
        running = Running(self._arguments, os.environ | self._environment)
        said, _ = running.process.communicate(text, timeout=WAIT_SECONDS)
        return running.process.returncode, said


class Running:
    """A process of the command."""

    def __init__(self, arguments: list[str], environment: Mapping[str, str]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "sidecar", "ingest", *arguments],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def kill_after(self, seconds: float) -> bool:
        """Kill it (kill -9) when it has run for so long; False where it had ended by itself."""
        try:
            self.process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()
            return True
        return False

    def runs_on_for(self, seconds: float) -> bool:
        """True where it has not ended when so much time has gone."""
        try:
            self.process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            return True
        return False

    def interrupt(self) -> None:
        """As Ctrl-C."""
        self.process.send_signal(signal.SIGINT)

    def end(self) -> tuple[int, str]:
        """Its exit status and all it said."""
        said, _ = self.process.communicate(timeout=WAIT_SECONDS)
        return self.process.returncode, said


def write_lines(path: Path, documents: Iterable[Mapping[str, Any] | str]) -> Path:
    """A file of JSONL; texts are lines as they are."""
    with path.open("w", encoding="utf-8") as file:
        for document in documents:
            file.write((document if isinstance(document, str) else json.dumps(document)) + "\n")
    return path


def books(count: int, *, first: int = 0, edition: str = "first") -> list[dict[str, Any]]:
    """Documents with ids, of two chunks each."""
    return [
        {"_id": f"b{number}", "title": f"Book {number}. The {edition} edition of it. It is long.", "year": number % 100}
        for number in range(first, first + count)
    ]


def by_id(documents: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Documents by their ids, as the index is to have them: of several with one id, the last."""
    return {document["_id"]: {key: document[key] for key in document if key != "_id"} for document in documents}


def stored(url: str, index: str) -> dict[str, dict[str, Any]]:
    """All documents of the index by their ids, without their vectors."""
    assert request(url, "POST", f"/{index}/_refresh")[0] == 200
    body = {"size": _MOST_HITS, "track_total_hits": True, "_source": {"excludes": ["__embeddings*"]}}
    answer = json.loads(request(url, "POST", f"/{index}/_search", json.dumps(body))[1])["hits"]
    assert answer["total"]["value"] == len(answer["hits"])
    return {hit["_id"]: hit["_source"] for hit in answer["hits"]}


def count(url: str, index: str) -> int:
    """How many documents the index has now; 0 where it is not there."""
    request(url, "POST", f"/{index}/_refresh")
    answer = json.loads(request(url, "GET", f"/{index}/_count")[1])
    return int(answer.get("count", 0))


def chunks(url: str, index: str, field: str) -> int:
    """How many chunks of the field are embedded."""
    path = f"__embeddings.{field}"
    body = {"size": 0, "aggs": {"chunks": {"nested": {"path": path}}}}
    answer = json.loads(request(url, "POST", f"/{index}/_search", json.dumps(body))[1])
    return int(answer["aggregations"]["chunks"]["doc_count"])
