"""Loads that are killed, interrupted, cut off from the cluster, or that meet a full disk: what is in the index at the
end equals the source."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fault_proxy import FaultProxy
from tests.fix_opensearch import request
from tests.ingest.loading.command import (
    WAIT_SECONDS,
    Ingest,
    Running,
    books,
    by_id,
    chunks,
    count,
    stored,
    write_lines,
)

SLOWLY = ("--batch", "50", "--streams", "2")
ONE_SHARD = {"index_defaults": {"model": "random/small"}, "number_of_shards": 1}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    path = tmp_path / "settings.json"
    path.write_text(json.dumps(ONE_SHARD))
    return path


def wait_for_documents(node: str, index: str, running: Running, *, more_than: int = 0) -> int:
    """How many documents the index has, once they are more than so many."""
    while (found := count(node, index)) <= more_than:
        assert running.process.poll() is None, running.end()
    return found


def settings_of(node: str, index: str) -> dict[str, Any]:
    answer = json.loads(request(node, "GET", f"/{index}/_settings?flat_settings=true")[1])
    found: dict[str, Any] = answer[index]["settings"]
    return found


def letters(home: Path) -> Iterator[dict[str, Any]]:
    for path in home.rglob("dead-letters.jsonl"):
        yield from map(json.loads, path.read_text("utf-8").splitlines())


@pytest.mark.parametrize("seed", [1, 2])
def test_a_load_that_is_killed_ten_times_ends_with_exactly_the_source(
    node: str, home: Path, settings: Path, index_name: str, tmp_path: Path, seed: int
) -> None:
    moments = random.Random(seed)
    source = tmp_path / "source"
    source.mkdir()
    documents = books(3000)
    # The same ids again further down, also in the other part: the last one counts.
    again = books(300, first=moments.randrange(2000), edition="second")
    lines: list[Any] = [*documents, *again]
    for place in sorted(moments.sample(range(len(lines)), 5)):
        lines.insert(place, "{broken")
    write_lines(source / "a.jsonl", lines[:1800])
    write_lines(source / "b.jsonl", lines[1800:])
    ingest = Ingest(node, home, source, "--index", index_name, "--tensor-fields", "title", "--settings", settings)
    for _ in range(3):
        assert ingest.start(*SLOWLY).kill_after(moments.uniform(0.1, 1.0))
    for documents_then in sorted(moments.sample(range(3000), 7)):
        running = ingest.start(*SLOWLY)
        wait_for_documents(node, index_name, running, more_than=documents_then)
        assert running.kill_after(0.0)
    result = ingest.run(*SLOWLY, "--json")
    assert result.exit_code == 1, result.output
    assert "goes on behind" in result.stderr
    summary = json.loads(result.stdout)
    assert (summary["written"], summary["failed"]) == (3300, 5)
    assert stored(node, index_name) == by_id([*documents, *again])
    assert chunks(node, index_name, "title") == 2 * 3000
    assert len(list(letters(home))) == 5
    assert "index.refresh_interval" not in settings_of(node, index_name)


def test_ctrl_c_finishes_what_has_begun_and_the_same_command_goes_on(
    node: str, home: Path, settings: Path, index_name: str, tmp_path: Path
) -> None:
    rows = write_lines(tmp_path / "rows.jsonl", books(2000))
    ingest = Ingest(node, home, rows, "--index", index_name, "--tensor-fields", "title", "--settings", settings)
    running = ingest.start("--batch", "50", "--streams", "1")
    wait_for_documents(node, index_name, running)
    running.interrupt()
    status, said = running.end()
    assert status == 130, said
    assert "Start it again with the same options" in said
    checkpoint = json.loads(next(home.rglob("checkpoint.json")).read_text())
    written = checkpoint["counts"]["written"]
    assert 0 < written < 2000
    assert count(node, index_name) == written
    assert "index.refresh_interval" not in settings_of(node, index_name)
    result = ingest.run("--json")
    assert result.exit_code == 0, result.output
    assert f"goes on behind {written:,} documents" in result.stderr
    assert json.loads(result.stdout)["documents_in_this_run"] == 2000 - written
    assert stored(node, index_name) == by_id(books(2000))


def test_a_source_that_changes_under_an_unfinished_load_is_told(
    node: str, home: Path, settings: Path, index_name: str, tmp_path: Path
) -> None:
    rows = write_lines(tmp_path / "rows.jsonl", books(2000))
    ingest = Ingest(node, home, rows, "--index", index_name, "--tensor-fields", "title", "--settings", settings)
    running = ingest.start("--batch", "50", "--streams", "1")
    wait_for_documents(node, index_name, running)
    # While it is read: what is in the index then is of neither.
    write_lines(rows, books(200, edition="second"))
    status, said = running.end()
    assert status == 3, said
    assert "'rows.jsonl'" in said
    refused = ingest.run()
    assert refused.exit_code == 2
    assert "--replace" in refused.stderr
    assert "--only-new" in refused.stderr
    assert ingest.done("--replace")["written"] == 200
    assert by_id(books(200, edition="second")).items() <= stored(node, index_name).items()


def test_two_loads_into_one_index_at_once_both_end_with_their_documents(
    node: str, home: Path, settings: Path, index_name: str, tmp_path: Path
) -> None:
    loads = []
    for number in range(2):
        rows = write_lines(tmp_path / f"rows{number}.jsonl", books(700, first=700 * number))
        loads.append(Ingest(node, home, rows, "--index", index_name, "--tensor-fields", "title"))
    running = [load.start("--settings", settings) for load in loads]
    twice = loads[0].start("--settings", settings)
    ends = [each.end() for each in (*running, twice)]
    assert [status for status, _ in ends[1:2]] == [0], ends
    # Of the two that are one job, one is told of the other, or that all is done.
    assert sorted([ends[0][0], ends[2][0]]) in ([0, 0], [0, 2]), ends
    assert stored(node, index_name) == by_id(books(1400))
    assert "index.refresh_interval" not in settings_of(node, index_name)


def test_a_cluster_that_goes_away_and_comes_back_is_waited_for(
    node: str, home: Path, settings: Path, index_name: str, tmp_path: Path
) -> None:
    rows = write_lines(tmp_path / "rows.jsonl", books(1500))
    with FaultProxy(node) as network:
        ingest = Ingest(network.url, home, rows, "--index", index_name, "--tensor-fields", "title")
        running = ingest.start("--settings", settings, *SLOWLY)
        found = wait_for_documents(node, index_name, running)
        network.cut()
        assert found < 1500
        assert running.runs_on_for(1.5)
        network.mend()
        status, said = running.end()
    assert status == 0, said
    assert stored(node, index_name) == by_id(books(1500))


def test_a_cluster_that_stays_away_ends_the_load_which_is_gone_on_with(
    node: str, home: Path, settings: Path, index_name: str, tmp_path: Path
) -> None:
    rows = write_lines(tmp_path / "rows.jsonl", books(1500))
    with FaultProxy(node) as network:
        options = ("--index", index_name, "--tensor-fields", "title", "--settings", settings)
        running = Ingest(network.url, home, rows, *options, "--patience", "0").start(*SLOWLY)
        wait_for_documents(node, index_name, running)
        network.cut()
        status, said = running.end()
    assert status == 3, said
    assert "Stopped: Nothing listens at" in said
    assert "Start it again" in said
    assert 0 < count(node, index_name) < 1500
    assert Ingest(node, home, rows, *options).done()["written"] == 1500
    assert stored(node, index_name) == by_id(books(1500))


def test_a_full_disk_is_waited_for_and_told_when_it_stays_full(
    node: str, home: Path, settings: Path, index_name: str, tmp_path: Path
) -> None:
    rows = write_lines(tmp_path / "rows.jsonl", books(4000))
    options = ("--index", index_name, "--tensor-fields", "title", "--settings", settings)
    ingest = Ingest(node, home, rows, *options, *SLOWLY)
    running = ingest.start("--patience", "1")
    wait_for_documents(node, index_name, running)
    _block(node, index_name, True)
    status, said = running.end()
    assert status == 3, said
    assert "passed the flood-stage watermark" in said
    running = ingest.start("--patience", str(WAIT_SECONDS))
    assert running.runs_on_for(2.5)
    _block(node, index_name, None)
    status, said = running.end()
    assert status == 0, said
    assert stored(node, index_name) == by_id(books(4000))
    assert not list(letters(home))


def _block(node: str, index: str, value: bool | None) -> None:
    """What a full disk does to an index."""
    body = json.dumps({"index.blocks.read_only_allow_delete": value})
    assert request(node, "PUT", f"/{index}/_settings", body)[0] == 200


def test_standard_input_is_loaded_and_can_only_be_sent_again(
    node: str, home: Path, settings: Path, index_name: str, tmp_path: Path
) -> None:
    text = "".join(json.dumps(document) + "\n" for document in books(50))
    options = ("-", "--format", "jsonl", "--index", index_name, "--tensor-fields", "title", "--settings", settings)
    for _ in range(2):
        status, said = Ingest(node, home, *options).piped(text)
        assert (status, "50 documents written" in said) == (0, True), said
    assert stored(node, index_name) == by_id(books(50))
