"""The examples of the pages on the command line and on the doctor, run as a reader runs them."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import click
import pytest

from sidecar.cli import COMMANDS, main
from sidecar.cli.exit_statuses import ExitStatus
from sidecar.doctor.registry import CHECKS
from tests.cli.terminal import clean_environment

DOCS = Path(__file__).parent.parent / "docs"
PAGES = {name: (DOCS / f"{name}.md").read_text("utf-8") for name in ("command-line", "doctor")}
EXAMPLE = re.compile(
    r"^```sh\n(?P<commands>.*?)^```\n(?:```text\n(?P<out>.*?)^```\n)?(?:```err\n(?P<err>.*?)^```\n)?",
    re.DOTALL | re.MULTILINE,
)


@pytest.mark.parametrize("page", list(PAGES))
def test_examples_print_what_stands_below_them(page: str, node: str, tmp_path: Path) -> None:
    environment = clean_environment(
        tmp_path / "bin", OPENSEARCH_URL=node, SIDECAR_HOME=str(tmp_path / "home"), HOME=str(tmp_path)
    )
    examples = list(EXAMPLE.finditer(PAGES[page]))
    assert len(examples) == PAGES[page].count("```sh")
    for example in examples:
        done = subprocess.run(
            ["sh", "-e", "-c", example["commands"]],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, (example["commands"], done.stdout, done.stderr)
        for printed, told in ((example["out"], done.stdout), (example["err"], done.stderr)):
            for line in (printed or "").splitlines():
                assert line in told, (example["commands"], done.stdout, done.stderr)


def test_every_status_and_every_check_is_told() -> None:
    for status in ExitStatus:
        assert f"| {int(status)} | " in PAGES["command-line"]
    for name, check in CHECKS.items():
        assert f"| `{name}` | {check.question} |" in PAGES["doctor"]
        assert f"**{name}.**" in PAGES["doctor"]


def test_every_command_with_json_is_told_with_its_value() -> None:
    rows = re.findall(r"^\| (`.+?) \| .+\|$", PAGES["command-line"].partition("## JSON")[2], re.MULTILINE)
    told = set(re.findall(r"`(.+?)`", " ".join(rows)))
    for name in set(COMMANDS) - {"serve", "completion"}:
        command = main.get_command(click.Context(main), name)
        names = [f"{name} {inner}" for inner in command.commands] if isinstance(command, click.Group) else [name]
        assert {each.replace("migrate index", "migrate NAME") for each in names} <= told
