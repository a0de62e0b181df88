"""What `make install` says where it can't begin."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def refusal(python: Path | str, folder: Path) -> str:
    """What the script says when it ends before it has made anything."""
    environment = os.environ | {"PYTHON": str(python), "VENV": str(folder / "venv")}
    command = ["bash", str(ROOT / "tools" / "install.sh")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert not (folder / "venv").exists()
    return done.stderr


def test_a_python_that_is_not_there_is_named(tmp_path: Path) -> None:
    told = refusal("no-such-python", tmp_path)
    assert told.startswith("There is no no-such-python here, and Python 3.10 or later is needed.")
    assert "make PYTHON=" in told


@pytest.mark.parametrize("version", ["Python 3.9.18", "Python 2.7.18"])
def test_a_python_that_is_too_old_is_told_with_its_version(tmp_path: Path, version: str) -> None:
    old = tmp_path / "python3"
    old.write_text(f'#!/bin/sh\n[ "$1" = --version ] && echo "{version}" || exit 1\n')
    old.chmod(0o755)
    assert f"is {version}, and Python 3.10 or later is needed." in refusal(old, tmp_path)
