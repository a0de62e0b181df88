"""A new user's first ten minutes: the README's start and the tutorial, block after block, in an empty home folder.

The server is started by the tutorial's own lines. ``make test`` lets it use the run's node and the models that are
converted already; ``make test-slow`` gives it nothing: it converts models and starts OpenSearch as on a new machine.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.docs.blocks import ROOT, Block, Use, blocks_of
from tests.docs.command_server import commands_run
from tests.docs.reading import Places, Reader
from tests.fix_server import LISTENING, NATIVE

HOME = ".cache/vector-sidecar"
"""Where the sidecar keeps its files, from the user's home folder."""


def start_of_the_readme() -> list[Block]:
    """What is typed in the second terminal."""
    text = (ROOT / "README.md").read_text("utf-8")
    end = text.count("\n", 0, text.index("\n## ", text.index("## 60-second start")))
    blocks = [block for block in blocks_of("README.md") if int(block.place.rpartition(":")[2]) <= end]
    return [block for block in blocks if not block.text.startswith("make ")]


def start_of_the_server() -> str:
    """The tutorial's lines that start it."""
    (found,) = (block.text for block in blocks_of("docs/tutorial.md") if "sidecar serve" in block.text)
    return found


@contextmanager
def served(folder: Path, settings: dict[str, str]) -> Iterator[tuple[str, str]]:
    """The addresses of a server that is started by the tutorial's lines, by a user whose home is the folder."""
    programs = folder / "bin"
    programs.mkdir()
    (programs / "sidecar").write_text(f'#!/bin/sh\nexec {ROOT}/.venv/bin/python -m sidecar "$@"\n')
    (programs / "sidecar").chmod(0o755)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SIDECAR_", "OPENSEARCH_"))}
    own = {"HOME": str(folder), "PYTHONPATH": str(ROOT), "SIDECAR_PORT": "0", "SIDECAR_NATIVE_PORT": "0", **settings}
    environment = kept | own | {"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}
    environment.pop("XDG_CACHE_HOME", None)
    process = subprocess.Popen(
        ["bash", "-euc", start_of_the_server()],
        cwd=folder,
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        yield _addresses(process)
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.communicate(timeout=60)


def _addresses(process: subprocess.Popen[str]) -> tuple[str, str]:
    assert process.stderr is not None
    log = ""
    for line in process.stderr:
        log += line
        if (api := LISTENING.search(log)) and (native := NATIVE.search(log)):
            return api[1], native[1]
    raise AssertionError(f"the server has ended:\n{log}")


def follow(folder: Path, node: str, commands: Path, addresses: tuple[str, str]) -> None:
    """Do what the pages say, in the tutorial's folder."""
    with Reader(folder, Places(*addresses, node, folder / HOME, commands), work="kitchen") as reader:
        for block in [*start_of_the_readme(), *blocks_of("docs/tutorial.md")]:
            faults = reader.faults(block)
            assert not faults, "\n".join([f"{block.place}:", *faults])


@pytest.mark.usefixtures("nothing_left")
def test_blocks_do_what_they_say_one_after_the_other(node: str, models_folder: Path, tmp_path: Path) -> None:
    models_folder.mkdir(parents=True, exist_ok=True)
    (tmp_path / HOME).mkdir(parents=True)
    (tmp_path / HOME / "models").symlink_to(models_folder)
    with served(tmp_path, {"OPENSEARCH_URL": node}) as addresses, commands_run(tmp_path / "commands") as commands:
        follow(tmp_path, node, commands, addresses)


@pytest.mark.slow
def test_blocks_do_what_they_say_on_a_machine_with_nothing(tmp_path: Path) -> None:
    with served(tmp_path, {"SIDECAR_NODE_PORT": "0"}) as addresses, commands_run(tmp_path / "commands") as commands:
        follow(tmp_path, "", commands, addresses)


def test_the_readme_s_start_is_all_of_it() -> None:
    blocks = start_of_the_readme()
    assert sum(block.use is Use.COMMAND for block in blocks) == sum(block.use is Use.OUTPUT for block in blocks) >= 6
    assert re.search(r"curl .*/ready", blocks[0].text)
