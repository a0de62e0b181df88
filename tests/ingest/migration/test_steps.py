"""A migration that is stopped, looked at, taken up, given up, or begun twice."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from sidecar.ingest.migration.ledger import Ledger
from sidecar.opensearch.client import Cluster
from sidecar.opensearch.job_records import JobRecords
from tests.fix_server import Sidecar
from tests.ingest.migration.migrating import SMALL, Migrate, ask, is_embedded, leads_to, make, sources, texts


def until(claim: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not claim():
        assert time.monotonic() < deadline


def is_at_work(process: subprocess.Popen[str]) -> bool:
    """True; fails, with what it said, where the process has ended."""
    assert process.poll() is None, process.communicate()
    return True


def phase(migrate: Migrate, name: str) -> str:
    told = json.loads(migrate.run("status", name, "--json").stdout)
    return str(told[0]["phase"])


def test_without_the_switch_it_waits_and_then_brings_what_came_since(
    node: str, sidecar: Sidecar, migrate: Migrate, name: str
) -> None:
    index = make(sidecar, name)
    sidecar.add(name, texts(3))
    command = (name, "--model", "random/medium")
    told = migrate.done(*command, "--no-switch")
    assert (told["phase"], leads_to(node, name)) == ("ready", index)
    other = migrate.run(name, "--model", "random/large", "--yes")
    assert (other.exit_code, f"sidecar migrate abort {name}" in other.stderr) == (2, True)
    sidecar.add(name, [{"_id": "d1", "title": "changed"}, {"_id": "d7", "title": "new"}])
    assert sidecar.post(f"/indexes/{name}/documents/delete-batch?refresh=true", ["d0"]).status_code == 200
    assert "ready" in migrate.run("status").stdout
    # Nobody is there to say yes.
    unasked = migrate.run(*command)
    assert (unasked.exit_code, leads_to(node, name)) == (1, index)
    assert migrate.done(name, "--resume", "--yes")["deleted"] == 1
    found = sources(node, name)
    assert {key: source["title"] for key, source in found.items()} == {"d1": "changed", "d2": "text 2", "d7": "new"}


def test_a_migration_that_is_given_up_leaves_the_index_as_it_was(
    node: str, sidecar: Sidecar, migrate: Migrate, name: str
) -> None:
    index = make(sidecar, name)
    sidecar.add(name, texts(3))
    migrate.done(name, "--model", "random/medium", "--no-switch")
    # As a run leaves it that is killed at the switch.
    ask(node, "PUT", f"/{index}/_block/write")
    assert json.loads(migrate.run("abort", name, "--json").stdout)["phase"] == "aborted"
    assert list(ask(node, "GET", f"/{name}*/_alias")) == [index]
    sidecar.add(name, [{"_id": "d9", "title": "written again"}])
    assert is_embedded(sources(node, name)["d9"], "title", SMALL)
    assert migrate.run("abort", name).exit_code == 2
    assert migrate.run("rollback", name).exit_code == 2
    assert migrate.done(name, "--model", "random/medium", "--yes")["phase"] == "switched"


def test_a_second_process_is_refused_while_the_first_is_at_work(
    node: str, sidecar: Sidecar, migrate: Migrate, name: str
) -> None:
    make(sidecar, name)
    sidecar.add(name, texts(40))
    command = (name, "--model", "random/medium", "--yes")
    with migrate.begin(*command, "--rate", "1") as process:
        until(lambda: is_at_work(process) and '"isRunning": true' in migrate.run("status", name, "--json").stdout)
        for second in (command, ("abort", name), ("finish", name, "--yes")):
            refused = migrate.run(*second)
            assert (refused.exit_code, f"process {process.pid}" in refused.stderr) == (2, True), refused.output
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=60)
    assert (process.returncode, f"sidecar migrate {name} --resume" in output) == (130, True)
    assert migrate.done(*command)["phase"] == "switched"
    assert len(sources(node, name)) == 40


def test_a_process_that_was_taken_over_ends_without_a_change(
    sidecar: Sidecar, cluster: Cluster, migrate: Migrate, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(sidecar, name)
    sidecar.add(name, texts(1))
    migrate.done(name, "--model", "random/medium", "--no-switch")
    records = JobRecords(cluster)
    first, second = Ledger.find(records, name), Ledger.find(records, name)
    assert first is not None and second is not None
    with first:
        monkeypatch.setattr("sidecar.ingest.migration.ledger.is_held", lambda record: False)
        stale = Ledger.find(records, name)
        assert stale is not None
        with stale:
            with pytest.raises(Exception, match="taken this migration over"):
                first.save(first.state)
            stale.save(stale.state)


def test_an_index_with_the_name_of_a_command_is_named_behind_index(
    node: str, sidecar: Sidecar, migrate: Migrate, tmp_path: Path
) -> None:
    body = {"index_defaults": {"model": "random/small"}, "number_of_shards": 1}
    try:
        assert sidecar.post("/indexes/status", body).status_code == 200
        assert "There are no migrations" not in migrate.run("index", "status", "--shards", "2", "--yes").stdout
        assert leads_to(node, "status") == "status-v2"
    finally:
        ask(node, "DELETE", "/status-v*")


def test_a_way_back_can_be_given_up_and_taken_again(
    node: str, sidecar: Sidecar, migrate: Migrate, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = make(sidecar, name)
    sidecar.add(name, texts(3))
    new = migrate.done(name, "--model", "random/medium", "--yes")["new"]
    sidecar.add(name, [{"_id": "d1", "title": "since the switch"}])

    def fail(*arguments: object) -> None:
        raise OSError("the machine is out of sockets")

    with monkeypatch.context() as broken:
        broken.setattr("sidecar.ingest.migration.passage.change_aliases", fail)
        assert migrate.run("rollback", name).exit_code == 3
    assert (phase(migrate, name), leads_to(node, name)) == ("rolling_back", new)
    sidecar.add(name, [{"_id": "d2", "title": "writes go on"}])
    assert migrate.run("abort", name).exit_code == 0
    assert (phase(migrate, name), leads_to(node, name)) == ("switched", new)
    sidecar.add(name, [{"_id": "d1", "title": "and again"}])
    assert sidecar.post(f"/indexes/{name}/documents/delete-batch?refresh=true", ["d0"]).status_code == 200
    assert migrate.done("rollback", name)["phase"] == "rolled_back"
    assert leads_to(node, name) == index
    found = sources(node, name)
    assert {key: source["title"] for key, source in found.items()} == {"d1": "and again", "d2": "writes go on"}
    assert all(is_embedded(source, "title", SMALL) for source in found.values())


def test_a_version_that_a_client_has_set_beyond_all_others_is_told_on_the_way_back(
    node: str, sidecar: Sidecar, migrate: Migrate, name: str
) -> None:
    index = make(sidecar, name)
    sidecar.add(name, texts(2))
    version = 9 * 10**17
    target = f"/{index}/_doc/d0?version={version}&version_type=external&refresh=true"
    ask(node, "PUT", target, {"title": "a version of its own"})
    new = migrate.done(name, "--model", "random/medium", "--yes")["new"]
    sidecar.add(name, [{"_id": "d0", "title": "since the switch"}, {"_id": "d1", "title": "too"}])
    refused = migrate.run("rollback", name)
    assert (refused.exit_code, leads_to(node, name)) == (2, new)
    assert f"'d0': index '{index}' has it with the version {version}, set by a client" in refused.stderr
    assert migrate.run("abort", name).exit_code == 0
    assert sources(node, name)["d0"]["title"] == "since the switch"
