from __future__ import annotations

import logging
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import orjson
import pytest

from sidecar.errors import IndexNotFound
from sidecar.ingest.load_settings import tuned_for_load
from sidecar.opensearch.address import ClusterAddress
from sidecar.opensearch.client import Cluster
from sidecar.opensearch.connections import TransportOptions
from sidecar.opensearch.job_records import JobRecords
from sidecar.opensearch.load_settings import KIND, LEASE_SECONDS, LoadSettings
from sidecar.opensearch.transport import Request, Transport
from tests.fault_server import HANG_UP, FaultServer, answer
from tests.fix_server import Sidecar

_LOADS_FOREVER = """
import sys, time
from sidecar.ingest.load_settings import tuned_for_load
from sidecar.opensearch.address import ClusterAddress
from sidecar.opensearch.client import Cluster
from sidecar.opensearch.connections import TransportOptions
from sidecar.opensearch.transport import Transport

url, index = sys.argv[1:]
with tuned_for_load(Cluster(Transport(ClusterAddress(url), TransportOptions())), index, "killed"):
    print("tuned", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def index(cluster: Cluster, index_name: str) -> str:
    cluster.create_index(index_name, {"settings": {"index": {"number_of_shards": 1, "refresh_interval": "1s"}}})
    return index_name


def refresh_interval(cluster: Cluster, index: str) -> str:
    answer = cluster.ask("read", Request("GET", f"/{index}/_settings?flat_settings=true"), index)
    return str(answer[index]["settings"]["index.refresh_interval"])


def expiries(cluster: Cluster, index: str) -> dict[str, float]:
    for record in JobRecords(cluster).list(KIND):
        if record.value["index"] == index:
            return dict(record.value["jobs"])
    return {}


def wait_until(is_so: Callable[[], object], *, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, "it did not become so in time"
        time.sleep(0.02)


def leave_dead_load(cluster: Cluster, index: str) -> None:
    """What a load leaves that died long ago."""
    LoadSettings(cluster, clock=lambda: time.time() - 10 * LEASE_SECONDS).join(index, "dead")
    assert refresh_interval(cluster, index) == "2s"


def test_an_index_is_tuned_in_the_block_and_as_before_after_it(cluster: Cluster, index: str) -> None:
    with tuned_for_load(cluster, index, "a"):
        assert refresh_interval(cluster, index) == "2s"
        assert list(expiries(cluster, index)) == ["a"]
    assert refresh_interval(cluster, index) == "1s"
    assert expiries(cluster, index) == {}


def test_an_index_is_restored_where_the_load_fails(cluster: Cluster, index: str) -> None:
    with pytest.raises(ZeroDivisionError), tuned_for_load(cluster, index, "a"):
        raise ZeroDivisionError
    assert refresh_interval(cluster, index) == "1s"


def test_a_load_gives_signs_of_life(cluster: Cluster, index: str) -> None:
    with tuned_for_load(cluster, index, "a", renewal_seconds=0.05):
        first = expiries(cluster, index)["a"]
        wait_until(lambda: expiries(cluster, index)["a"] > first)


def test_a_load_that_is_killed_is_made_good_by_the_next_one(cluster: Cluster, node: str, index: str) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", _LOADS_FOREVER, node, index], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"tuned\n"
    process.kill()
    process.wait()
    process.stdout.close()
    assert refresh_interval(cluster, index) == "2s"
    # As soon as it is plain that it died, or at once where the same job goes on.
    with tuned_for_load(cluster, index, "killed"):
        assert list(expiries(cluster, index)) == ["killed"]
    assert refresh_interval(cluster, index) == "1s"


def test_a_load_restores_other_indexes_that_dead_loads_have_left(cluster: Cluster, index: str) -> None:
    leave_dead_load(cluster, index)
    other = f"{index}-other"
    cluster.create_index(other, {})
    try:
        with tuned_for_load(cluster, other, "a"):
            assert refresh_interval(cluster, index) == "1s"
    finally:
        cluster.delete_index(other)


def test_a_server_restores_at_its_start_what_dead_loads_have_left(cluster: Cluster, node: str, index: str) -> None:
    leave_dead_load(cluster, index)
    with Sidecar({"OPENSEARCH_URL": node}) as started:
        started.wait_for_log(f"restored index={index}")
    assert refresh_interval(cluster, index) == "1s"


def test_a_load_into_an_index_that_is_not_there_does_not_begin(cluster: Cluster, index_name: str) -> None:
    with pytest.raises(IndexNotFound), tuned_for_load(cluster, index_name, "a"):
        pytest.fail("the block ran")


def _refusal(status: str) -> bytes:
    return answer(orjson.dumps({"error": {"type": "security_exception", "reason": "no permissions"}}), status)


def test_a_user_who_may_not_change_settings_loads_without(caplog: pytest.LogCaptureFixture) -> None:
    with FaultServer([_refusal("403 Forbidden")]) as server, caplog.at_level(logging.WARNING):
        faulty = Cluster(Transport(ClusterAddress(server.url), TransportOptions()))
        with tuned_for_load(faulty, "books", "a"):
            pass
    assert "index 'books' is not tuned for the load" in caplog.text
    assert "no permissions" in caplog.text


def test_settings_that_can_t_be_restored_are_told_and_the_load_is_still_a_success(
    cluster: Cluster, node: str, index: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    with FaultServer([HANG_UP] * 3) as server, caplog.at_level(logging.WARNING):
        address = ClusterAddress(node)
        leaving = Cluster(Transport(address, TransportOptions()))
        with tuned_for_load(leaving, index, "a"):
            address.announce(server.url)
    assert f"the settings of index '{index}' are not restored" in caplog.text
    later = LoadSettings(cluster, clock=lambda: time.time() + 2 * LEASE_SECONDS)
    assert index in later.restore_abandoned()
    assert refresh_interval(cluster, index) == "1s"


def test_a_sign_of_life_that_the_cluster_does_not_get_is_given_again(
    cluster: Cluster, node: str, index: str, caplog: pytest.LogCaptureFixture
) -> None:
    address = ClusterAddress(node)
    unsteady = Cluster(Transport(address, TransportOptions()))
    with (
        FaultServer([HANG_UP] * 1000) as server,
        caplog.at_level(logging.WARNING),
        tuned_for_load(unsteady, index, "a", renewal_seconds=0.02),
    ):
        address.announce(server.url)
        wait_until(lambda: "was not told that the load goes on" in caplog.text)
        address.announce(node)
        known: dict[str, Any] = expiries(cluster, index)
        wait_until(lambda: expiries(cluster, index)["a"] > known["a"])
    assert refresh_interval(cluster, index) == "1s"
