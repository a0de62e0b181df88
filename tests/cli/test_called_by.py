"""How a user is told to call the command again."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from sidecar.cli.called_by import called_by
from tests.cli.terminal import command_folder


def test_a_command_that_the_shell_finds_is_called_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = command_folder(tmp_path / "bin")
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr(sys, "argv", [str(folder / "sidecar"), "demo"])
    assert called_by() == "sidecar"


def test_a_command_that_the_shell_does_not_find_is_called_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command_folder(tmp_path / ".venv" / "bin")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(command_folder(tmp_path / "another")))
    monkeypatch.setattr(sys, "argv", [".venv/bin/sidecar", "demo"])
    assert called_by() == ".venv/bin/sidecar"


def test_the_module_is_called_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["/srv/sidecar/__main__.py", "demo"])
    assert called_by() == f"{sys.executable} -m sidecar"
