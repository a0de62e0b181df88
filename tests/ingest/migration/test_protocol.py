"""No write is lost, none comes back, and no search fails, whatever is written while an index is migrated."""

from __future__ import annotations

import json
import random
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.fix_server import Sidecar
from tests.ingest.migration.migrating import SMALL, Migrate, ask, is_embedded, leads_to, make, plain, sources
from tests.ingest.migration.writers import Searching, Writer

ANCHOR = {"_id": "anchor", "title": "this one stays as it is"}


def prefixes(prefix: str) -> dict[str, Any]:
    """A model of its own: the vectors of another prefix have as many numbers, and nothing to do with these."""
    return {"override_text_chunk_prefix": prefix, "override_text_query_prefix": prefix}


@pytest.fixture
def changed(tmp_path: Path) -> str:
    """A file of settings by which all vectors become others."""
    file = tmp_path / "settings.json"
    file.write_text(json.dumps({"index_defaults": {"text_preprocessing": prefixes("new: ")}}), "utf-8")
    return str(file)


@contextmanager
def busy(sidecar: Sidecar, name: str, *, seed: int) -> Iterator[list[Writer]]:
    """Writers and searches at work on an index; what they saw is checked at the end."""
    writers = [Writer(sidecar, name, number, seed=seed) for number in range(3)]
    searching = Searching(sidecar, name, ANCHOR["_id"], ANCHOR["title"])
    for thread in (*writers, searching):
        thread.start()
    try:
        yield writers
    finally:
        for thread in (*writers, searching):
            thread.end()
    assert [failure for writer in writers for failure in writer.failures] == []
    assert searching.wrong[:3] == []
    assert searching.searches > 10
    assert all(writer.done > 5 for writer in writers)


def check(node: str, name: str, prefix: str, writers: list[Writer], others: int) -> None:
    """The index has what the writers were told that it has, and each vector is of the model with that prefix."""
    found = sources(node, name)
    expected = {key: document for writer in writers for key, document in writer.documents.items()}
    written = {key: source for key, source in found.items() if key.startswith("w")}
    assert {key: plain(source) for key, source in written.items()} == expected
    assert len(found) - len(written) == others
    for key, source in found.items():
        assert is_embedded(source, "title", SMALL, [prefix + source["title"]]), key


def fill(sidecar: Sidecar, name: str, count: int) -> None:
    sidecar.add(name, [ANCHOR, *({"_id": f"d{number}", "title": f"text {number}"} for number in range(count - 1))])


def test_what_is_written_meanwhile_is_there_at_the_end_and_what_is_deleted_is_not(
    node: str, sidecar: Sidecar, migrate: Migrate, name: str, changed: str
) -> None:
    make(sidecar, name, text_preprocessing=prefixes("old: "))
    fill(sidecar, name, 300)
    with busy(sidecar, name, seed=1) as writers:
        told = migrate.done(name, "--settings", changed, "--rate", "150", "--yes")
        switched = [writer.done for writer in writers]
        while not all(writer.done > before + 5 for writer, before in zip(writers, switched, strict=True)):
            pass
    assert told["phase"] == "switched"
    check(node, name, "new: ", writers, 300)


def test_a_migration_that_is_killed_at_any_moment_goes_on_by_the_same_command(
    node: str, sidecar: Sidecar, migrate: Migrate, name: str, changed: str
) -> None:
    make(sidecar, name, text_preprocessing=prefixes("old: "))
    fill(sidecar, name, 300)
    moments = random.Random(2)
    command = (name, "--settings", changed, "--rate", "200", "--yes")
    killed = 0
    with busy(sidecar, name, seed=2) as writers:
        for _ in range(5):
            with migrate.begin(*command) as process:
                try:
                    process.wait(moments.uniform(1.0, 4.5))
                except Exception:
                    process.send_signal(signal.SIGKILL)
                    killed += 1
        told = migrate.done(*command)
    assert killed
    assert told["phase"] == "switched"
    assert leads_to(node, name) == told["new"]
    check(node, name, "new: ", writers, 300)
    assert migrate.run("finish", name, "--yes").exit_code == 0
    assert ask(node, "GET", f"/{name}*/_alias").keys() == {told["new"]}


def test_a_rollback_brings_back_what_was_written_since_the_switch(
    node: str, sidecar: Sidecar, migrate: Migrate, name: str, changed: str
) -> None:
    index = make(sidecar, name, text_preprocessing=prefixes("old: "))
    fill(sidecar, name, 60)
    with busy(sidecar, name, seed=3) as writers:
        migrate.done(name, "--settings", changed, "--yes")
        told = migrate.done("rollback", name)
    assert (told["phase"], leads_to(node, name)) == ("rolled_back", index)
    check(node, name, "old: ", writers, 60)
    assert migrate.run("finish", name, "--yes").exit_code == 0
    assert list(ask(node, "GET", f"/{name}*/_alias")) == [index]
