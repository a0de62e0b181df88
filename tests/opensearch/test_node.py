"""The embedded node's life: shared, adopted, restarted, stopped. Real nodes, real processes, real kill -9."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from click.testing import CliRunner, Result

from sidecar.cli.opensearch import opensearch
from sidecar.errors import EmbeddedNodeError
from sidecar.opensearch import node as nodes
from sidecar.opensearch.node.account import node_account
from sidecar.opensearch.node.places import places_of
from sidecar.opensearch.node.process import has_ended
from tests.fix_opensearch import TEST_JAVA_OPTIONS, node_settings, request

SIDECAR = """
import sys
from pathlib import Path
from sidecar.opensearch.node import ensure_running
from tests.fix_opensearch import node_settings

def tell(progress):
    print("progress", progress.text, flush=True)

with ensure_running(node_settings(Path(sys.argv[1])), on_progress=tell) as running:
    print("running", running.pid, running.started_by_us, flush=True)
    sys.stdin.read()
"""


class Sidecar:
    """Another process that uses the node until its input ends."""

    def __init__(self, home: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", SIDECAR, str(home)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )

    def wait_for(self, word: str) -> list[str]:
        """The words of the first line that starts with the word."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith(word):
                return line.split()
        raise AssertionError(f"the sidecar ended with {self.process.wait()} before it said '{word}'")

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def end(self) -> None:
        self.process.communicate()


def command(home: Path, *arguments: str) -> Result:
    return CliRunner().invoke(
        opensearch, [*arguments, "--home", str(home)], env={"OPENSEARCH_JAVA_OPTS": TEST_JAVA_OPTIONS}
    )


def test_node_is_shared_survives_kill_of_its_starter_and_stops_with_its_last_user(home: Path) -> None:
    first, second = Sidecar(home), Sidecar(home)
    answers = first.wait_for("running"), second.wait_for("running")
    pid = int(answers[0][1])
    assert int(answers[1][1]) == pid
    assert sorted(words[2] for words in answers) == ["False", "True"]

    status = nodes.status(node_settings(home))
    assert status is not None
    assert set(status.users) == {first.process.pid, second.process.pid}

    first.end()
    assert not has_ended(pid)
    second.kill()
    assert not has_ended(pid)

    adopted = nodes.ensure_running(node_settings(home))
    assert (adopted.pid, adopted.started_by_us) == (pid, False)
    adopted.release()
    assert has_ended(pid)
    assert nodes.status(node_settings(home)) is None


def test_node_killed_or_left_while_starting_comes_back_with_its_data(home: Path) -> None:
    starter = Sidecar(home)
    starter.wait_for("progress starting")
    starter.kill()

    by_hand = command(home, "start", "--node-port", "0")
    assert by_hand.exit_code == 0, by_hand.output
    assert "(it ran already)" in by_hand.output
    with nodes.ensure_running(node_settings(home)) as running:
        request(running.url, "PUT", "/kept/_doc/1?refresh=true", '{"title": "kept"}')
    shown = command(home, "status")
    assert shown.exit_code == 0
    assert "started by hand" in shown.output
    assert "used by  no sidecar" in shown.output
    told = json.loads(command(home, "status", "--json").stdout)
    assert (told["running"], told["by_hand"], told["users"], told["url"]) == (True, True, [], running.url)
    again = json.loads(command(home, "start", "--json").stdout)
    assert (again["ran_already"], again["pid"]) == (True, told["pid"])

    os.kill(running.pid, signal.SIGKILL)
    while not has_ended(running.pid):  # the system takes a moment to give its memory back
        os.sched_yield()
    assert command(home, "status").exit_code == 3
    again = nodes.ensure_running(node_settings(home))
    status, body = request(again.url, "GET", "/kept/_doc/1")
    assert status == 200
    assert json.loads(body)["_source"] == {"title": "kept"}

    stopped = command(home, "stop")
    assert f"process {again.pid}" in stopped.output
    assert has_ended(again.pid)
    again.release()
    assert command(home, "stop").output == "No embedded OpenSearch runs.\n"


def test_stop_ends_a_node_that_another_living_process_started(home: Path) -> None:
    starter = Sidecar(home)
    pid = int(starter.wait_for("running")[1])
    assert command(home, "stop").output == f"OpenSearch stopped (process {pid}).\n"
    starter.end()
    assert starter.process.returncode == 0
    assert has_ended(pid)


def test_session_node_is_one_of_its_own_with_knn_and_not_run_by_root(node: str) -> None:
    _, plugins = request(node, "GET", "/_cat/plugins?h=component")
    assert plugins.split() == ["opensearch-knn"]
    _, info = request(node, "GET", "/_nodes/_local/process,settings")
    local = next(iter(json.loads(info)["nodes"].values()))
    account = node_account()
    assert psutil.Process(local["process"]["id"]).uids().real == (account.uid if account else os.getuid())
    ephemeral = places_of(node_settings(), account).ephemeral
    data = local["settings"]["path"]["data"]
    assert Path(data[0] if isinstance(data, list) else data).is_relative_to(ephemeral)
    assert local["settings"]["network"]["host"] == "127.0.0.1"


def test_ephemeral_node_that_java_refuses_leaves_its_log_until_the_next_one(home: Path) -> None:
    settings = node_settings(home).model_copy(update={"node_java_options": "-XX:+NoSuchOption"})
    logs = []
    for _ in range(2):
        with pytest.raises(EmbeddedNodeError, match=r"NoSuchOption.*OPENSEARCH_JAVA_OPTS") as caught:
            nodes.ensure_running(settings, ephemeral=True)
        logs.append(Path(caught.value.message.rsplit(" ", 1)[1]))
    assert [log.exists() for log in logs] == [False, True]
