"""Schemathesis against a real server, for as many cases as a suite has time for."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.api.schemathesis_hooks import FILLED
from tests.fix_server import SMALL, Sidecar

ROOT = Path(__file__).parent.parent.parent
KEY = "schemathesis"
DOCUMENTS = [
    {"_id": "first", "title": "A title", "year": 1984, "is_new": True},
    {"_id": "second", "title": "Another. One more.", "tags": ["a", "b"]},
]


@dataclass(frozen=True)
class Told:
    """What Schemathesis tells of a run: its exit status, its report, and what it printed."""

    status: int
    report: dict[str, Any]
    printed: str

    @property
    def cases(self) -> int:
        """Requests that were made up and sent."""
        return int(self.report.get("test_cases", {}).get("generated", 0))

    def check(self, least_cases: int) -> None:
        """Fail where the server does not do what its document says, or where less was tried than meant."""
        report = self.report
        assert (self.status, report.get("failures"), report.get("errors")) == (0, [], []), self.printed
        assert report["operations"]["tested"] == report["operations"]["total"]
        assert all(phase["status"] in {"success", "skip"} for phase in report["phases"].values()), report["phases"]
        assert self.cases >= least_cases, self.printed[-3000:]


@contextmanager
def fuzzed_server(node: str) -> Iterator[Sidecar]:
    """A server that wants a key, and has an index with documents; it reaches no other host for long."""
    environment = {
        "OPENSEARCH_URL": node,
        "SIDECAR_API_KEYS": json.dumps([KEY]),
        "SIDECAR_MEDIA_TIMEOUT": "0.1",
        "HF_HUB_OFFLINE": "1",
    }
    with Sidecar(environment) as running:
        running.session.headers["x-api-key"] = KEY
        assert running.post(f"/indexes/{FILLED}", SMALL).status_code == 200
        assert not running.add(FILLED, DOCUMENTS)["errors"]
        yield running
        for index in running.get("/indexes").json()["results"]:
            if index["index_name"].startswith(("made-", FILLED)):
                running.delete(f"/indexes/{index['index_name']}")


def run_schemathesis(server: Sidecar, folder: Path, *, examples: int, options: Sequence[str]) -> Told:
    """Send requests by the server's own document: ``examples`` random ones for each route, and what ``options`` say."""
    report = folder / "report.json"
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", "tests/api/schemathesis.toml", "run"]
    ours = ["--checks", "all", "--max-examples", str(examples), "--report-json-path", str(report), "--no-color"]
    done = subprocess.run(
        [*command, f"{server.url}/openapi.json", "--header", f"x-api-key: {KEY}", *ours, *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    told: dict[str, Any] = json.loads(report.read_text("utf-8")) if report.exists() else {}
    return Told(done.returncode, told, done.stdout + done.stderr)
