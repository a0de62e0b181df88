"""Random and systematic requests by the API's own document: Schemathesis against a real server."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.api.schemathesis_hooks import FILLED
from tests.fix_server import SMALL, Sidecar

ROOT = Path(__file__).parent.parent.parent
KEY = "schemathesis"
LEAST_CASES = 2000
FUZZED_CASES = 6
"""Random requests for each route, beside some 1,900 that the document's bounds and choices make."""
DOCUMENTS = [
    {"_id": "first", "title": "A title", "year": 1984, "is_new": True},
    {"_id": "second", "title": "Another. One more.", "tags": ["a", "b"]},
]


@pytest.fixture
def server(node: str) -> Iterator[Sidecar]:
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


@pytest.mark.timeout(900)
def test_server_does_what_its_document_says(
    server: Sidecar, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = tmp_path / "report.json"
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", "tests/api/schemathesis.toml", "run"]
    options = ["--checks", "all", "--max-examples", str(FUZZED_CASES), "--report-json-path", str(report), "--no-color"]
    done = subprocess.run(
        [*command, f"{server.url}/openapi.json", "--header", f"x-api-key: {KEY}", *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    told: dict[str, Any] = json.loads(report.read_text("utf-8")) if report.exists() else {}
    cases = told.get("test_cases", {}).get("generated", 0)
    with capsys.disabled():
        print(f"\nSchemathesis: {cases:,} cases, {told.get('running_time', 0):.0f} s")
    assert (done.returncode, told.get("failures"), told.get("errors")) == (0, [], []), done.stdout + done.stderr
    assert told["operations"]["tested"] == told["operations"]["total"]
    assert all(phase["status"] == "success" for phase in told["phases"].values()), told["phases"]
    assert cases >= LEAST_CASES
