"""Which names are being switched, as their migrations record it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from sidecar.opensearch.client import Cluster
from sidecar.opensearch.job_records import JobRecords
from sidecar.opensearch.switching import MIGRATION, Place, Switches, read_place, record_name
from tests.fix_opensearch import request

NOW = 1000.0


@pytest.fixture
def records(cluster: Cluster) -> JobRecords:
    return JobRecords(cluster)


@pytest.fixture
def switches(records: JobRecords) -> Switches:
    return Switches(records, deadline_seconds=0.2, most_waiting=1, clock=lambda: NOW)


@pytest.fixture
def name(records: JobRecords) -> Iterator[str]:
    """A name whose migration is recorded, by the test."""
    made = f"books-{uuid.uuid4().hex[:8]}"
    yield made
    record = records.read(record_name(made))
    assert record is None or records.delete(record)


def value(name: str, **changed: Any) -> dict[str, Any]:
    indexes = {"old_index": f"{name}-v1", "new_index": f"{name}-v2"}
    return {"kind": MIGRATION, "phase": "copying", "until": NOW + 1, **indexes, **changed}


def test_a_migration_is_found_by_its_name_or_its_indexes(records: JobRecords, switches: Switches, name: str) -> None:
    assert switches.of(name, f"{name}-v1") is None
    records.create(record_name(name), value(name))
    for asked, index in ((name, "x"), (f"{name}-v1", f"{name}-v1"), ("other-alias", f"{name}-v2")):
        found = switches.of(asked, index)
        assert found is not None
        assert (found.name, found.old_index, found.new_index) == (name, f"{name}-v1", f"{name}-v2")
    assert switches.of(f"{name}-v3", f"{name}-v3") is None


@pytest.mark.parametrize("changed", [{"until": NOW}, {"until": None}, {"phase": "switched"}, {"phase": "finished"}])
def test_nobody_waits_for_a_migration_that_is_not_at_work(
    records: JobRecords, switches: Switches, name: str, changed: dict[str, Any]
) -> None:
    records.create(record_name(name), value(name, **changed))
    assert switches.of(name, f"{name}-v1") is None


def test_a_wait_is_over_when_the_block_is(records: JobRecords, switches: Switches, name: str) -> None:
    records.create(record_name(name), value(name))
    places = iter([Place("a", True), Place("a", True), Place("b", False)])
    with switches.begin() as wait:
        assert wait.until_writable(name, lambda: next(places))
        assert wait.reason is None


def test_a_wait_ends_at_its_deadline_with_a_reason_and_frees_its_place(
    records: JobRecords, switches: Switches, name: str
) -> None:
    records.create(record_name(name), value(name))
    with switches.begin() as first:
        assert not first.until_writable(name, lambda: Place("a", True))
        assert f"[{name}] is write-blocked" in (first.reason or "")
        with switches.begin() as second:
            assert not second.until_writable(name, lambda: Place("a", True))
            assert "too many writes" in (second.reason or "")
    with switches.begin() as third:
        assert not third.until_writable(name, lambda: Place("a", True))
        assert "longer than 0.2 s" in (third.reason or "")


def test_a_write_that_is_refused_again_and_again_gives_up(switches: Switches, name: str) -> None:
    """As by a block of another kind beside that of writes."""
    with switches.begin() as wait:
        tries = 0
        while wait.until_writable(name, lambda: Place("a", False)):
            tries += 1
        assert 1 < tries < 10


def test_there_is_nothing_to_wait_for_without_a_migration_or_an_index(switches: Switches, name: str) -> None:
    for place in (None, Place("a", True)):
        with switches.begin() as wait:
            assert not wait.until_writable(name, lambda place=place: place)  # type: ignore[misc]
            assert wait.reason is None


def test_a_place_is_where_a_name_leads(node: str, cluster: Cluster, index_name: str) -> None:
    assert read_place(cluster, index_name) is None
    assert request(node, "PUT", f"/{index_name}", f'{{"aliases":{{"{index_name}-a":{{}}}}}}')[0] == 200
    assert read_place(cluster, f"{index_name}-a") == Place(index_name, False)
    assert request(node, "PUT", f"/{index_name}/_block/write")[0] == 200
    assert read_place(cluster, f"{index_name}-a") == Place(index_name, True)
