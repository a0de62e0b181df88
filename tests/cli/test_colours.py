"""Colours stand on terminals only, and as the environment says."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.terminal import Terminal, clean_environment

COMMAND = [sys.executable, "-m", "sidecar", "doctor", "settings", "clock"]
COLOUR = re.compile(r"\x1b\[(?:\d+;)*3[0-9]m")


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return clean_environment(tmp_path / "bin", SIDECAR_HOME=str(tmp_path / "home"), OPENSEARCH_URL="http://127.0.0.1:9")


def on_terminal(environment: dict[str, str], folder: Path, *more: str) -> str:
    with Terminal([*COMMAND, *more], environment, folder) as terminal:
        return terminal.read_all()


def in_pipe(environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(COMMAND, env=environment, capture_output=True, text=True, check=True)


def test_a_terminal_has_colours_and_a_pipe_has_none(environment: dict[str, str], tmp_path: Path) -> None:
    assert COLOUR.search(on_terminal(environment, tmp_path))
    done = in_pipe(environment)
    assert "\x1b" not in done.stdout
    assert done.stderr == ""


def test_no_color_and_a_dumb_terminal_take_colours_away(environment: dict[str, str], tmp_path: Path) -> None:
    shown = on_terminal(environment | {"NO_COLOR": "1"}, tmp_path)
    assert "settings" in shown
    assert not COLOUR.search(shown)
    assert "\x1b" not in on_terminal(environment | {"TERM": "dumb"}, tmp_path)


def test_force_color_gives_a_pipe_colours_but_no_spinner(environment: dict[str, str]) -> None:
    done = in_pipe(environment | {"FORCE_COLOR": "1"})
    assert COLOUR.search(done.stdout)
    assert done.stderr == ""


def test_json_has_no_colours_anywhere(environment: dict[str, str], tmp_path: Path) -> None:
    forced = environment | {"FORCE_COLOR": "1"}
    done = subprocess.run([*COMMAND, "--json"], env=forced, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["is_fine"] is True


def test_a_terminal_shows_what_is_looked_at(environment: dict[str, str], tmp_path: Path) -> None:
    assert "looking" in on_terminal(environment, tmp_path)
