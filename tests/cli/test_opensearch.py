"""``sidecar opensearch`` as it is typed; the life of real nodes is in tests/opensearch/test_node.py."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from pathlib import Path

from click.testing import CliRunner

from sidecar.cli import main
from sidecar.opensearch.node.account import node_account
from sidecar.opensearch.node.places import places_of
from tests.fix_opensearch import TEST_JAVA_OPTIONS, node_settings, request


def test_status_and_stop_say_so_when_nothing_runs(home: Path) -> None:
    for name, exit_code in (("status", 3), ("stop", 0)):
        result = CliRunner().invoke(main, ["opensearch", name, "--home", str(home)])
        assert (result.exit_code, result.output) == (exit_code, "No embedded OpenSearch runs.\n")


def test_start_tells_an_error_as_one_line(home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        result = CliRunner().invoke(main, ["opensearch", "start", "--home", str(home), "--node-port", port])
    assert result.exit_code == 3
    assert result.output.startswith(f"Error: Port {port} of 127.0.0.1 is taken")
    assert result.output.count("\n") == 1


def test_start_refuses_a_bad_option_by_its_name(home: Path) -> None:
    result = CliRunner().invoke(main, ["opensearch", "start", "--home", str(home), "--node-heap", "much"])
    assert result.exit_code == 2
    assert "SIDECAR_NODE_HEAP" in result.output


def test_ephemeral_start_runs_until_terminated_and_leaves_nothing(home: Path) -> None:
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "sidecar",
            "opensearch",
            "start",
            "--ephemeral",
            "--home",
            str(home),
            "--node-heap",
            "512m",
        ],
        stdout=subprocess.PIPE,
        text=True,
        env={"OPENSEARCH_JAVA_OPTS": TEST_JAVA_OPTIONS, "PATH": ""},
        cwd=Path(__file__).parents[2],
    )
    assert process.stdout is not None
    said = process.stdout.readline()
    url = next(word for word in said.replace(",", " ").split() if word.startswith("http://"))
    assert request(url, "GET", "/")[0] == 200
    process.send_signal(signal.SIGTERM)
    assert process.communicate()[0] == "OpenSearch stopped, its data removed.\n"
    assert process.returncode == 0
    ephemeral = places_of(node_settings(home), node_account()).ephemeral
    assert [part.name for part in ephemeral.iterdir() if part.is_dir()] == []
