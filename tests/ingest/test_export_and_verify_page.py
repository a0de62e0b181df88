"""The commands of docs/export-and-verify.md work, and it tells of every option and problem."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from sidecar.cli import main
from sidecar.cli.export import export
from sidecar.cli.verify import verify
from sidecar.ingest.verification.problems import Problem
from tests.fix_opensearch import request
from tests.fix_server import SMALL, Sidecar

PAGE = (Path(__file__).parents[2] / "docs" / "export-and-verify.md").read_text()
COMMANDS = [line for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL) for line in block.splitlines()]


def test_every_command_of_the_page_works(
    node: str, sidecar: Sidecar, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert sidecar.post("/indexes/products", SMALL).status_code == 200
    try:
        documents = [{"_id": str(n), "title": f"Chair {n}.", "price": n, "color": "red"} for n in range(30)]
        sidecar.add("products", [*documents, {"_id": "blue", "title": "A blue one.", "price": 5, "color": "blue"}])
        assert len(COMMANDS) == 11
        for line in COMMANDS:
            program, *arguments = shlex.split(line)
            done = CliRunner().invoke(main, arguments, env={"OPENSEARCH_URL": node})
            assert (program, done.exit_code) == ("sidecar", 0), f"{line}: {done.output}"
        assert (tmp_path / "cheap.jsonl").read_text() == '{"_id":"blue","title":"A blue one.","price":5}\n'
        assert [path.name for path in (tmp_path / "parts").iterdir()] == ["products-00000.jsonl.gz"]
    finally:
        request(node, "DELETE", "/products")


@pytest.mark.parametrize("command", [export, verify])
def test_every_option_and_problem_is_told(command: object) -> None:
    options = [name for parameter in command.params for name in parameter.opts if name.startswith("--")]
    assert options
    assert [name for name in options if f"| `{name}" not in PAGE] == []
    assert [problem.value for problem in Problem if f"| {problem.value} |" not in PAGE] == []
