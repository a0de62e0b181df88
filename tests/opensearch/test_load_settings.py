"""What jobs do to the settings of an index, on a real node; jobs die where a call of the cluster raises."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import orjson
import pytest

from sidecar.errors import IndexNotFound, NotASidecarIndex
from sidecar.opensearch.client import Cluster
from sidecar.opensearch.job_records import JobRecord, JobRecords
from sidecar.opensearch.load_settings import KIND, LEASE_SECONDS, SLOW_REFRESH_SECONDS, LoadedIndex, LoadSettings
from sidecar.opensearch.transport import Request, Transport

REFRESH, REPLICAS = "index.refresh_interval", "index.number_of_replicas"


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = time.time()

    def __call__(self) -> float:
        return self.now


class DyingCluster(Cluster):
    """A cluster whose caller dies just before one operation."""

    def __init__(self, transport: Transport) -> None:
        super().__init__(transport)
        self.dies_at: str | None = None

    def ask(self, operation: str, request: Request, index: str | None = None) -> dict[str, Any]:
        self._die(operation)
        return super().ask(operation, request, index)

    def refresh(self, index: str) -> dict[str, Any]:
        self._die("refresh")
        return super().refresh(index)

    def _die(self, operation: str) -> None:
        if operation == self.dies_at:
            raise Killed(operation)


class Killed(BaseException):
    """The end of a process."""


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def dying(transport: Transport) -> DyingCluster:
    return DyingCluster(transport)


@pytest.fixture
def settings(cluster: Cluster, clock: Clock) -> Iterator[LoadSettings]:
    yield LoadSettings(cluster, clock=clock)
    clock.now += 10 * LEASE_SECONDS
    LoadSettings(cluster, clock=clock).restore_abandoned()


@pytest.fixture
def make_index(cluster: Cluster, index_name: str) -> Callable[..., str]:
    def make(**settings: Any) -> str:
        cluster.create_index(index_name, {"settings": {"index": {"number_of_shards": 1, **settings}}})
        return index_name

    return make


def settings_of(cluster: Cluster, index: str) -> tuple[str | None, str | None]:
    """The refresh interval, None where not set, and the number of replicas."""
    answer = cluster.ask("read", Request("GET", f"/{index}/_settings?flat_settings=true"), index)
    ((_, facts),) = answer.items()
    return facts["settings"].get(REFRESH), facts["settings"][REPLICAS]


def change(cluster: Cluster, index: str, **settings: Any) -> None:
    cluster.ask("change", Request("PUT", f"/{index}/_settings", orjson.dumps({"index": settings})), index)


def add_document(cluster: Cluster, index: str) -> None:
    cluster.ask("add", Request("POST", f"/{index}/_doc?refresh=true", b'{"a":1}'), index)


def records_of(cluster: Cluster, index: str) -> list[JobRecord]:
    return [record for record in JobRecords(cluster).list(KIND) if record.value["index"] == index]


def test_a_load_into_an_empty_index_refreshes_seldom_and_makes_no_copies(
    cluster: Cluster, settings: LoadSettings, make_index: Callable[..., str]
) -> None:
    index = make_index(number_of_replicas=2)
    loaded = settings.join(index, "a")
    assert settings_of(cluster, index) == ("2s", "0")
    settings.leave(loaded, "a")
    assert settings_of(cluster, index) == (None, "2")
    assert records_of(cluster, index) == []


def test_an_index_is_refreshed_as_seldom_as_the_first_of_its_loads_asks_for(
    cluster: Cluster, settings: LoadSettings, make_index: Callable[..., str]
) -> None:
    index = make_index(number_of_replicas=0)
    slow = LoadSettings(cluster, refresh_seconds=SLOW_REFRESH_SECONDS)
    loaded = slow.join(index, "a")
    settings.join(index, "b")
    assert settings_of(cluster, index) == ("5s", "0")
    slow.leave(loaded, "a")
    settings.leave(loaded, "b")
    assert settings_of(cluster, index) == (None, "0")


def test_an_index_with_documents_keeps_its_copies(
    cluster: Cluster, settings: LoadSettings, make_index: Callable[..., str]
) -> None:
    index = make_index(refresh_interval="1s")
    add_document(cluster, index)
    loaded = settings.join(index, "a")
    assert settings_of(cluster, index) == ("2s", "1")
    settings.leave(loaded, "a")
    assert settings_of(cluster, index) == ("1s", "1")


@pytest.mark.parametrize("interval", ["-1", "2m", "2s"])
def test_an_index_that_refreshes_as_seldom_already_stays_as_it_is(
    cluster: Cluster, settings: LoadSettings, make_index: Callable[..., str], interval: str
) -> None:
    index = make_index(refresh_interval=interval, number_of_replicas=0)
    loaded = settings.join(index, "a")
    assert settings_of(cluster, index) == (interval, "0")
    settings.leave(loaded, "a")
    assert settings_of(cluster, index) == (interval, "0")


def test_replicas_that_the_cluster_chooses_itself_are_left_to_it(
    cluster: Cluster, settings: LoadSettings, make_index: Callable[..., str]
) -> None:
    index = make_index(auto_expand_replicas="0-1")
    settings.join(index, "a")
    (record,) = records_of(cluster, index)
    assert list(record.value["settings"]) == [REFRESH]


def test_a_load_by_an_alias_tunes_the_index_behind_it(
    cluster: Cluster, settings: LoadSettings, make_index: Callable[..., str]
) -> None:
    index = make_index()
    alias = f"{index}-alias"
    cluster.ask("alias", Request("PUT", f"/{index}/_alias/{alias}"), index)
    assert settings.join(alias, "a").name == index
    assert settings_of(cluster, index)[0] == "2s"


def test_an_alias_of_several_indexes_is_refused(
    cluster: Cluster, settings: LoadSettings, make_index: Callable[..., str]
) -> None:
    index = make_index()
    other, alias = f"{index}-other", f"{index}-alias"
    cluster.create_index(other, {"aliases": {alias: {}}})
    cluster.ask("alias", Request("PUT", f"/{index}/_alias/{alias}"), index)
    try:
        with pytest.raises(NotASidecarIndex, match="stands for 2 indexes"):
            settings.join(alias, "a")
    finally:
        cluster.delete_index(other)


def test_a_load_into_an_index_that_is_not_there_is_refused(settings: LoadSettings, index_name: str) -> None:
    with pytest.raises(IndexNotFound):
        settings.join(index_name, "a")


def test_the_last_of_several_jobs_restores(
    cluster: Cluster, settings: LoadSettings, make_index: Callable[..., str]
) -> None:
    index = make_index()
    first, second = settings.join(index, "a"), settings.join(index, "b")
    settings.leave(first, "a")
    assert settings_of(cluster, index) == ("2s", "0")
    settings.leave(second, "b")
    assert settings_of(cluster, index) == (None, "1")


def test_leaving_lets_searches_see_all_documents(
    cluster: Cluster, settings: LoadSettings, make_index: Callable[..., str]
) -> None:
    index = make_index()
    loaded = settings.join(index, "a")
    cluster.ask("add", Request("POST", f"/{index}/_doc", b'{"a":1}'), index)
    assert cluster.count(index, ())[0] == 0
    settings.leave(loaded, "a")
    assert cluster.count(index, ())[0] == 1


def test_a_setting_that_somebody_changed_meanwhile_keeps_its_value(
    cluster: Cluster, settings: LoadSettings, make_index: Callable[..., str]
) -> None:
    index = make_index()
    loaded = settings.join(index, "a")
    change(cluster, index, refresh_interval="7s")
    settings.renew(loaded, "a")
    settings.leave(loaded, "a")
    assert settings_of(cluster, index) == ("7s", "1")


def test_a_job_that_gives_signs_of_life_is_not_abandoned(
    cluster: Cluster, settings: LoadSettings, make_index: Callable[..., str], clock: Clock
) -> None:
    index = make_index()
    loaded = settings.join(index, "a")
    for _ in range(3):
        clock.now += 0.9 * LEASE_SECONDS
        settings.renew(loaded, "a")
        assert index not in settings.restore_abandoned()
    assert settings_of(cluster, index) == ("2s", "0")


def test_what_dead_jobs_have_left_is_restored_once(
    cluster: Cluster, settings: LoadSettings, make_index: Callable[..., str], clock: Clock
) -> None:
    index = make_index(refresh_interval="500ms")
    settings.join(index, "a")
    settings.join(index, "b")
    assert index not in settings.restore_abandoned()
    clock.now += LEASE_SECONDS + 1
    assert index in settings.restore_abandoned()
    assert settings_of(cluster, index) == ("500ms", "1")
    assert index not in settings.restore_abandoned()


def test_a_job_that_was_thought_dead_joins_anew(
    cluster: Cluster, settings: LoadSettings, make_index: Callable[..., str], clock: Clock
) -> None:
    index = make_index()
    loaded = settings.join(index, "a")
    clock.now += LEASE_SECONDS + 1
    settings.restore_abandoned()
    settings.renew(loaded, "a")
    assert settings_of(cluster, index) == ("2s", "0")
    settings.leave(loaded, "a")
    assert settings_of(cluster, index) == (None, "1")


@pytest.mark.parametrize("next_job", ["a", "b"])
def test_a_job_after_a_crash_restores_what_was_before_the_first(
    cluster: Cluster, settings: LoadSettings, make_index: Callable[..., str], clock: Clock, next_job: str
) -> None:
    index = make_index(refresh_interval="1s", number_of_replicas=1)
    settings.join(index, "a")
    add_document(cluster, index)
    clock.now += LEASE_SECONDS + 1
    loaded = settings.join(index, next_job)
    assert settings_of(cluster, index) == ("2s", "0")
    settings.leave(loaded, next_job)
    assert settings_of(cluster, index) == ("1s", "1")


def test_a_crash_between_the_record_and_the_settings_loses_nothing(
    cluster: Cluster, dying: DyingCluster, settings: LoadSettings, make_index: Callable[..., str], clock: Clock
) -> None:
    index = make_index()
    dying.dies_at = "change_settings"
    with pytest.raises(Killed):
        LoadSettings(dying, clock=clock).join(index, "a")
    assert settings_of(cluster, index) == (None, "1")
    assert len(records_of(cluster, index)) == 1
    loaded = settings.join(index, "a")
    assert settings_of(cluster, index) == ("2s", "0")
    settings.leave(loaded, "a")
    assert settings_of(cluster, index) == (None, "1")


def test_copies_of_an_index_that_has_documents_since_are_not_taken_after_a_crash(
    cluster: Cluster, dying: DyingCluster, settings: LoadSettings, make_index: Callable[..., str], clock: Clock
) -> None:
    index = make_index()
    dying.dies_at = "change_settings"
    with pytest.raises(Killed):
        LoadSettings(dying, clock=clock).join(index, "a")
    add_document(cluster, index)
    settings.join(index, "a")
    assert settings_of(cluster, index) == ("2s", "1")


@pytest.mark.parametrize("moment", ["change_settings", "refresh", "delete_job"])
def test_a_crash_while_the_settings_are_restored_is_made_good_by_the_next_start(
    cluster: Cluster,
    dying: DyingCluster,
    settings: LoadSettings,
    make_index: Callable[..., str],
    clock: Clock,
    moment: str,
) -> None:
    index = make_index()
    loaded = settings.join(index, "a")
    dying.dies_at = moment
    with pytest.raises(Killed):
        LoadSettings(dying, clock=clock).leave(loaded, "a")
    clock.now += LEASE_SECONDS + 1
    assert index in settings.restore_abandoned()
    assert settings_of(cluster, index) == (None, "1")
    assert records_of(cluster, index) == []


def test_the_record_of_an_index_that_is_gone_is_dropped_and_its_successor_left_alone(
    cluster: Cluster, settings: LoadSettings, make_index: Callable[..., str], clock: Clock
) -> None:
    index = make_index()
    settings.join(index, "a")
    cluster.delete_index(index)
    make_index(refresh_interval="2s", number_of_replicas=0)
    clock.now += LEASE_SECONDS + 1
    settings.restore_abandoned()
    assert records_of(cluster, index) == []
    assert settings_of(cluster, index) == ("2s", "0")
    cluster.delete_index(index)
    make_index()
    settings.join(index, "a")
    cluster.delete_index(index)
    clock.now += LEASE_SECONDS + 1
    settings.restore_abandoned()
    assert records_of(cluster, index) == []


def test_an_index_that_can_t_be_restored_now_is_told_and_does_not_stop_the_others(
    cluster: Cluster,
    settings: LoadSettings,
    make_index: Callable[..., str],
    clock: Clock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    index = make_index()
    other = f"{index}-other"
    cluster.create_index(other, {})
    try:
        settings.join(index, "a")
        settings.join(other, "b")
        clock.now += LEASE_SECONDS + 1
        cluster.ask("close", Request("POST", f"/{index}/_close"), index)
        with caplog.at_level(logging.WARNING):
            restored = settings.restore_abandoned()
        assert other in restored
        assert index not in restored
        assert f"index '{index}', which a dead load has left, can't be restored" in caplog.text
        cluster.ask("open", Request("POST", f"/{index}/_open"), index)
        assert index in settings.restore_abandoned()
        assert settings_of(cluster, index) == (None, "1")
    finally:
        cluster.delete_index(other)


def test_a_job_that_joins_while_the_last_one_leaves_finds_the_index_tuned(
    cluster: Cluster, transport: Transport, settings: LoadSettings, make_index: Callable[..., str], clock: Clock
) -> None:
    index = make_index()

    class Overtaken(Cluster):
        """Another job joins in the moment before the record is deleted: it finds the settings as they were."""

        def ask(self, operation: str, request: Request, index: str | None = None) -> dict[str, Any]:
            if operation == "delete_job" and len(joined) == 0:
                joined.append(settings.join(str(name), "b"))
                change(cluster, str(name), refresh_interval=None, number_of_replicas=1)
            return super().ask(operation, request, index)

    name = index
    joined: list[LoadedIndex] = []
    loaded = settings.join(index, "a")
    LoadSettings(Overtaken(transport), clock=clock).leave(loaded, "a")
    assert settings_of(cluster, index) == ("2s", "0")
    (record,) = records_of(cluster, index)
    assert list(record.value["jobs"]) == ["b"]
    settings.leave(joined[0], "b")
    assert settings_of(cluster, index) == (None, "1")


def test_jobs_that_join_at_once_all_stand_in_the_record(
    cluster: Cluster, settings: LoadSettings, make_index: Callable[..., str]
) -> None:
    index = make_index()
    jobs = [f"job-{number}" for number in range(6)]
    with ThreadPoolExecutor(len(jobs)) as pool:
        loaded = list(pool.map(lambda job: settings.join(index, job), jobs))
        (record,) = records_of(cluster, index)
        assert sorted(record.value["jobs"]) == jobs
        list(pool.map(settings.leave, loaded, jobs))
    assert settings_of(cluster, index) == (None, "1")
    assert records_of(cluster, index) == []
