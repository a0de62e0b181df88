"""The examples of the page on loading, run as a reader runs them: each prints what stands below it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from sidecar.cli.ingest_options import Asked
from sidecar.ingest.shaping.job_schema import known_keys
from tests.fix_opensearch import request

PAGE = (Path(__file__).parent.parent / "docs" / "ingest.md").read_text("utf-8")
EXAMPLE = re.compile(r"^```sh\n(.*?)^```\n```text\n(.*?)^```\n", re.DOTALL | re.MULTILINE)
INDEXES = ("books", "books-trial", "shelf")


def test_examples_print_what_stands_below_them(node: str, tmp_path: Path) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    program = programs / "sidecar"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m sidecar "$@"\n')
    program.chmod(0o755)
    environment = os.environ | {
        "PATH": f"{programs}:{os.environ['PATH']}",
        "PYTHONPATH": str(Path(__file__).parent.parent),
        "OPENSEARCH_URL": node,
        "SIDECAR_HOME": str(tmp_path / "home"),
    }
    examples = EXAMPLE.findall(PAGE)
    assert len(examples) == PAGE.count("```sh")
    try:
        for commands, printed in examples:
            done = subprocess.run(
                ["sh", "-e", "-c", commands], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, (commands, done.stdout, done.stderr)
            for line in printed.splitlines():
                assert line in done.stdout, (commands, done.stdout, done.stderr)
    finally:
        for index in INDEXES:
            request(node, "DELETE", f"/{index}?ignore_unavailable=true")


@pytest.mark.parametrize("option", [name.replace("_", "-") for name in Asked.__annotations__])
def test_every_option_is_told(option: str) -> None:
    told = option == "source" or f"--{option}" in PAGE
    # Those of sources and of Ray have pages of their own.
    assert told or option in {"format", "captions", "encoding", "storage", "engine", "workers"}


@pytest.mark.parametrize("key", known_keys())
def test_every_key_of_a_job_file_is_told(key: str) -> None:
    assert f"`{key}`" in PAGE
