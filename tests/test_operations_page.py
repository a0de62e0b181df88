"""The page on operations: its examples work, and its tables tell all that there is."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml

from sidecar.dashboards import grafana_dashboard, prometheus_alerts
from sidecar.observation.kinds import Stage
from tests.fix_opensearch import request
from tests.fix_server import SMALL, Sidecar

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "operations.md").read_text("utf-8")
BLOCK = re.compile(r"(<!-- [^\n]* -->\n)?^```(\w+)\n(.*?)^```\n(?:```json\n(.*?)^```\n)?", re.DOTALL | re.MULTILINE)
BLOCKS = [found.groups() for found in BLOCK.finditer(PAGE)]
INDEX = "books"


def of_language(language: str, *, marked: str = "") -> list[tuple[str, str | None]]:
    """The blocks of a language and what is printed below them: those with that mark, or without any."""
    own = [(mark or "", text, printed) for mark, spoken, text, printed in BLOCKS if spoken == language]
    return [(text, printed) for mark, text, printed in own if (mark.startswith(marked) if marked else not mark)]


@pytest.fixture(scope="module")
def slow(node: str) -> Iterator[Sidecar]:
    request(node, "DELETE", f"/{INDEX}?ignore_unavailable=true")
    environment = {"OPENSEARCH_URL": node, "SIDECAR_LOG_FORMAT": "json", "SIDECAR_SLOW_QUERY_MS": "0"}
    with Sidecar(environment) as running:
        running.post(f"/indexes/{INDEX}", SMALL)
        running.add(INDEX, [{"_id": "1", "title": "red"}])
        running.get("/ready")
        yield running
    request(node, "DELETE", f"/{INDEX}?ignore_unavailable=true")


def test_commands_do_what_the_page_says(slow: Sidecar, tmp_path: Path) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    program = programs / "sidecar"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m sidecar "$@"\n')
    program.chmod(0o755)
    path = f"{programs}:{os.environ['PATH']}"
    assert shutil.which("curl", path=path)
    for commands, printed in of_language("sh"):
        done = subprocess.run(
            ["sh", "-e", "-c", commands.replace("http://localhost:8882", slow.url)],
            cwd=tmp_path,
            env=os.environ | {"PATH": path, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, (commands, done.stderr)
        if printed is not None:
            assert json.loads(done.stdout) == json.loads(printed)
    assert (tmp_path / "sidecar.json").read_bytes() == grafana_dashboard()
    assert (tmp_path / "sidecar-alerts.yml").read_bytes() == prometheus_alerts()


@pytest.mark.parametrize(("text", "printed"), of_language("json"))
def test_log_lines_look_as_the_page_shows_them(slow: Sidecar, text: str, printed: None) -> None:
    shown: dict[str, Any] = json.loads(text)
    number = shown["request_id"]
    query = {"q": f"never asked before {shown['logger']}"}
    slow.post(f"/indexes/{INDEX}/search", query, headers={"X-Request-Id": number})
    pattern = f'"logger":"{re.escape(shown["logger"])}".*"request_id":"{number}"'
    said = json.loads(slow.wait_for_log(pattern).string)
    assert list(said) == list(shown)
    same = ("level", "message", "route", "index", "search_method", "limit", "has_filter", "method", "path", "status")
    assert {key: said[key] for key in same if key in said} == {key: shown[key] for key in same if key in shown}


def test_prometheus_configuration_names_the_job_of_the_alerts() -> None:
    ((text, _),) = of_language("yaml")
    (job,) = yaml.safe_load(text)["scrape_configs"]
    assert f'job="{job["job_name"]}"' in prometheus_alerts().decode()


def test_promql_of_the_page_can_be_read() -> None:
    ((text, _),) = of_language("text", marked="<!-- promql")
    assert promql_parser.parse(text.strip())


def test_every_alert_is_told_and_no_other() -> None:
    rules = [rule["alert"] for group in yaml.safe_load(prometheus_alerts())["groups"] for rule in group["rules"]]
    assert re.findall(r"^\| `(Sidecar\w+)` \|", PAGE, re.MULTILINE) == rules


def test_every_stage_is_told() -> None:
    table = PAGE.partition("| `stage` |")[2].partition("\n\n")[0]
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == [stage.value for stage in Stage]


def test_every_block_has_a_test_or_says_why_not() -> None:
    marks = {mark for mark, *_ in BLOCKS if mark}
    assert all(mark.startswith(("<!-- not run: ", "<!-- promql")) for mark in marks)
    assert len(BLOCKS) * 2 + sum(printed is not None for *_, printed in BLOCKS) * 2 == PAGE.count("```")
