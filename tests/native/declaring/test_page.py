"""The page about declaring: its requests, as they are printed, have the answers that it prints."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from sidecar.cli import main
from sidecar.native.declaring import checks
from tests.fix_opensearch import request
from tests.fix_server import Sidecar

PAGE = (Path(__file__).parents[3] / "docs" / "native-declaring.md").read_text("utf-8")
EXCHANGES = re.findall(r"^```sh\n(curl.*?)^```\n```json\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
COMMANDS = re.findall(r"^sidecar (migrate .*)$", PAGE, re.MULTILINE)


@pytest.fixture
def nothing_left(node: str) -> Iterator[None]:
    yield
    request(node, "DELETE", "/docs,shop?ignore_unavailable=true")
    request(node, "DELETE", "/_index_template/logs")


def test_requests_have_the_answers_of_the_page(sidecar: Sidecar, nothing_left: None) -> None:
    assert len(EXCHANGES) == 6
    for command, expected in EXCHANGES:
        here = command.replace("http://localhost:9201", sidecar.native_url)
        done = subprocess.run(["bash", "-c", here], capture_output=True, text=True, check=True)
        assert json.loads(done.stdout) == json.loads(expected), command


def test_the_page_tells_all_options() -> None:
    listed = set(re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE))
    assert listed == set(checks.OPTIONS)
    migrate = main.get_command(None, "migrate")  # type: ignore[arg-type]
    assert migrate is not None
    options = {name for option in migrate.commands["backfill"].params for name in option.opts}  # type: ignore[attr-defined]
    told = set(re.findall(r"`(--\w+)`", PAGE.partition("| option | meaning |")[2]))
    assert told == options
    assert len(COMMANDS) == 2
