"""The examples of the page on evaluating, run as a reader runs them: each prints what stands below it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from sidecar.cli.evaluate_options import Asked
from sidecar.evaluation.plan_file import CHOICE_KEYS, PLAN_KEYS
from tests.evaluation.running import SMALL

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "evaluating.md").read_text("utf-8")
EXAMPLE = re.compile(
    r'(?P<left_out><!-- not run: .*? -->\n)?^```(?:sh|yaml title="(?P<file>.*?)")\n(?P<text>.*?)^```\n'
    r"(?:```text\n(?P<printed>.*?)^```\n)?",
    re.DOTALL | re.MULTILINE,
)
MODEL = "sentence-transformers/all-MiniLM-L6-v2"


def test_examples_print_what_stands_below_them(node: str, tmp_path: Path) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    program = programs / "sidecar"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m sidecar "$@"\n')
    program.chmod(0o755)
    environment = os.environ | {
        "PATH": f"{programs}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "OPENSEARCH_URL": node,
        "SIDECAR_HOME": str(tmp_path / "home"),
    }
    for example in EXAMPLE.finditer(PAGE):
        text = example["text"].replace(MODEL, SMALL)
        if example["file"]:
            (tmp_path / example["file"]).write_text(text)
        elif not example["left_out"]:
            done = subprocess.run(
                ["sh", "-e", "-c", text], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, (text, done.stderr)
            for line in (example["printed"] or "").splitlines():
                assert line in done.stdout + done.stderr, (text, done.stdout, done.stderr)
    assert len(EXAMPLE.findall(PAGE)) == PAGE.count("```") // 2 - PAGE.count("```text")
    assert (tmp_path / "first" / "evaluation.html").is_file()


@pytest.mark.parametrize("option", [name.replace("_", "-") for name in Asked.__annotations__])
def test_every_option_is_told(option: str) -> None:
    assert option == "data" or f"--{option}" in PAGE


@pytest.mark.parametrize("key", [*CHOICE_KEYS, *PLAN_KEYS])
def test_every_key_of_a_plan_is_told(key: str) -> None:
    assert f"`{key}`" in PAGE or f"\n{key}:" in PAGE
