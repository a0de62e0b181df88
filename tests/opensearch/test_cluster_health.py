from __future__ import annotations

import orjson
import pytest

from sidecar.errors import OpenSearchUnreachable
from sidecar.opensearch.address import ClusterAddress
from sidecar.opensearch.client import Cluster
from sidecar.opensearch.cluster_health import ClusterHealth, free_bytes_needed, read_health
from sidecar.opensearch.connections import TransportOptions
from sidecar.opensearch.transport import Transport
from tests.fault_server import FaultServer, answer


@pytest.mark.parametrize(
    ("watermark", "needed"),
    [
        ("95%", 50),
        ("0.9", 100),
        ("300b", 300),
        ("2kb", 2048),
        ("1.5MB", 1.5 * 2**20),
        ("nonsense", 50),
        ("", 50),
    ],
)
def test_free_bytes_needed_reads_percentages_ratios_and_bytes(watermark: str, needed: float) -> None:
    assert free_bytes_needed(watermark, 1000) == pytest.approx(needed)


def test_health_is_green_for_an_index_without_replicas_and_red_for_none(cluster: Cluster, index_name: str) -> None:
    missing = read_health(cluster, index_name)
    cluster.create_index(index_name, {"settings": {"number_of_shards": 1, "number_of_replicas": 0}})
    assert (missing.status, read_health(cluster, index_name).status) == ("red", "green")


def test_health_is_yellow_for_a_replica_that_has_no_node(cluster: Cluster, index_name: str) -> None:
    cluster.create_index(index_name, {"settings": {"number_of_shards": 1, "number_of_replicas": 1}})
    assert read_health(cluster, index_name).status == "yellow"


@pytest.mark.parametrize("pattern", ["a*", "_all", "a,b", ""])
def test_health_is_red_for_what_is_no_single_index(cluster: Cluster, pattern: str) -> None:
    assert read_health(cluster, pattern).status == "red"


def _health(status: str, settings: dict[str, str], free: int) -> ClusterHealth:
    def watermark(value: str) -> dict[str, object]:
        return {"cluster": {"routing": {"allocation": {"disk": {"watermark": {"flood_stage": value}}}}}}

    scopes = {scope: watermark(value) for scope, value in settings.items()}
    disk = {"total_in_bytes": 1000, "available_in_bytes": free}
    replies = [{"status": status}, scopes, {"nodes": {"n": {"fs": {"total": disk}}}}]
    with FaultServer([answer(orjson.dumps(reply)) for reply in replies]) as server:
        return read_health(Cluster(Transport(ClusterAddress(server.url), TransportOptions())))


def test_health_is_yellow_when_a_disk_passed_the_flood_stage() -> None:
    assert _health("green", {"defaults": "95%"}, free=50) == ClusterHealth("yellow", storage_is_available=False)
    assert _health("green", {"defaults": "95%"}, free=51) == ClusterHealth("green", storage_is_available=True)
    assert _health("red", {"defaults": "95%"}, free=50) == ClusterHealth("red", storage_is_available=False)


def test_health_takes_the_transient_watermark_over_the_persistent_over_the_default() -> None:
    assert _health("green", {"defaults": "95%", "persistent": "80%"}, free=150).storage_is_available is False
    scopes = {"defaults": "95%", "persistent": "80%", "transient": "90%"}
    assert _health("green", scopes, free=150).storage_is_available is True


def test_health_is_red_for_an_odd_answer() -> None:
    assert _health("purple", {"defaults": "95%"}, free=500).status == "red"


def test_health_raises_when_the_cluster_is_away() -> None:
    with FaultServer() as server, pytest.raises(OpenSearchUnreachable):
        read_health(Cluster(Transport(ClusterAddress(server.url), TransportOptions())))
