"""The command `sidecar export`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from click.testing import CliRunner, Result

from sidecar.cli import main
from tests.ingest.exporting.exports import fill


def command(node: str, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["export", *arguments], env={"OPENSEARCH_URL": node})


def test_the_command_writes_documents_and_tells_what_it_did(node: str, filled: str, tmp_path: Path) -> None:
    query = tmp_path / "query.json"
    query.write_text('{"query": {"term": {"n": 7}}}')
    path = tmp_path / "x.jsonl"
    done = command(node, filled, "--to", str(path), "--query", str(query), "--fields", "n,nix", "--json")
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert (told["documents"], told["files"], told["fields_not_found"]) == (1, 1, ["nix"])
    assert path.read_text() == '{"_id":"d7","n":7}\n'
    again = command(node, filled, "--to", str(path))
    assert (again.exit_code, "--overwrite" in again.stderr) == (2, True)
    assert command(node, "no-such-index", "--to", str(path), "--overwrite").exit_code == 2
    assert path.read_text() == '{"_id":"d7","n":7}\n'


def test_documents_go_to_standard_output_and_all_else_beside_it(node: str, filled: str) -> None:
    environment = {**os.environ, "OPENSEARCH_URL": node, "PYTHONPATH": str(Path.cwd())}
    arguments = [sys.executable, "-m", "sidecar", "export", filled, "--to", "-", "--limit", "3"]
    done = subprocess.run(arguments, env=environment, capture_output=True, text=True, check=True)
    assert len([json.loads(line) for line in done.stdout.splitlines()]) == 3
    assert f"3 documents of {filled} are on standard output" in done.stderr


def test_a_reader_that_has_enough_ends_the_export_quietly(node: str, unread: str) -> None:
    fill(node, unread, {f"d{number}": json.dumps({"text": "x" * 4000}) for number in range(60)})
    environment = {**os.environ, "OPENSEARCH_URL": node, "PYTHONPATH": str(Path.cwd())}
    arguments = [sys.executable, "-m", "sidecar", "export", unread, "--to", "-"]
    with subprocess.Popen(arguments, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        assert running.stdout is not None and running.stderr is not None
        assert json.loads(running.stdout.readline())["text"]
        running.stdout.close()
        told = running.stderr.read().decode()
    assert (running.returncode, "Traceback" in told, "Error" in told) == (1, False, False)
