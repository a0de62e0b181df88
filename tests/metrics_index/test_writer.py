"""The metrics index on a real node, and what happens where it can't be written."""

from __future__ import annotations

import io
import time
from typing import Any

import orjson
import pytest

from sidecar.errors import OpenSearchError, OpenSearchTimeout, OpenSearchUnreachable
from sidecar.metrics import Metrics
from sidecar.metrics_index.writer import MetricsIndex, MetricsIndexOptions, index_body
from sidecar.opensearch.address import ClusterAddress
from sidecar.opensearch.client import Cluster
from sidecar.opensearch.connections import TransportOptions
from sidecar.opensearch.transport import Request, Transport
from tests.fault_server import FaultServer, answer
from tests.fix_server import MakeClient, Sidecar

NOBODY = "http://127.0.0.1:9"  # the discard port, where nothing listens


def made(cluster: Cluster, name: str, metrics: Metrics | None = None, **options: Any) -> MetricsIndex:
    chosen = MetricsIndexOptions(name, **({"interval_seconds": 60.0, "days": 30} | options))
    return MetricsIndex(cluster, (metrics or Metrics()).registry, chosen)


def hits(cluster: Cluster, name: str) -> list[dict[str, Any]]:
    cluster.refresh(name)
    found = cluster.search(name, {"size": 100, "sort": [{"@timestamp": "asc"}]})["hits"]["hits"]
    return [hit["_source"] for hit in found]


def test_write_makes_the_index_with_its_mapping(cluster: Cluster, index_name: str) -> None:
    made(cluster, index_name).write()
    mapping = cluster.ask("read", Request("GET", f"/{index_name}/_mapping"))[index_name]["mappings"]
    assert mapping == {**index_body()["mappings"], "dynamic": "false"}
    assert [document["kind"] for document in hits(cluster, index_name)] == ["process"]


def test_writes_tell_what_came_between_them(cluster: Cluster, index_name: str) -> None:
    metrics = Metrics()
    index = made(cluster, index_name, metrics)
    for tokens in (5, 7):
        metrics.tokens.inc(tokens)
        index.write()
    assert [document["tokens"] for document in hits(cluster, index_name)] == [5, 7]


def test_index_that_was_deleted_meanwhile_is_made_anew_with_its_mapping(cluster: Cluster, index_name: str) -> None:
    index = made(cluster, index_name)
    index.write()
    cluster.delete_index(index_name)
    index.write()
    (document,) = hits(cluster, index_name)
    fields = cluster.search(index_name, {"aggs": {"kinds": {"terms": {"field": "kind"}}}})["aggregations"]
    assert document["kind"] == fields["kinds"]["buckets"][0]["key"] == "process"


def test_index_of_an_earlier_version_gets_the_fields_that_it_has_not(cluster: Cluster, index_name: str) -> None:
    earlier = index_body()
    for field in ("stage", "model_bytes"):
        del earlier["mappings"]["properties"][field]
    cluster.create_index(index_name, earlier)
    made(cluster, index_name).write()
    mapping = cluster.ask("read", Request("GET", f"/{index_name}/_mapping"))[index_name]["mappings"]
    assert mapping["properties"] == index_body()["mappings"]["properties"]


def test_two_sidecars_write_to_one_index(cluster: Cluster, index_name: str) -> None:
    for _ in range(2):
        made(cluster, index_name).write()
    assert len({document["instance"] for document in hits(cluster, index_name)}) == 2


def test_clean_deletes_what_is_too_old_and_nothing_else(cluster: Cluster, index_name: str) -> None:
    index = made(cluster, index_name, days=2)
    index.write()
    for age in (1, 3):
        body = b'{"@timestamp": "%d"}' % (1000 * (int(time.time()) - age * 86_400))
        cluster.ask("write", Request("PUT", f"/{index_name}/_doc/{age}", body))
    cluster.refresh(index_name)
    cluster.read_task(index.clean(), wait_seconds=10)
    left = {hit["_id"] for hit in _all(cluster, index_name)}
    assert "1" in left
    assert "3" not in left
    assert len(left) == 2


def test_write_that_failed_is_made_up_for_by_the_next(cluster: Cluster, index_name: str, node: str) -> None:
    metrics = Metrics()
    address = ClusterAddress(NOBODY)
    index = made(Cluster(Transport(address, TransportOptions(timeout_seconds=5))), index_name, metrics)
    metrics.tokens.inc(5)
    with pytest.raises(OpenSearchUnreachable):
        index.write()
    address.announce(node)
    metrics.tokens.inc(7)
    index.write()
    assert [document["tokens"] for document in hits(cluster, index_name)] == [12]


class LosingAnswer(Cluster):
    """A cluster whose answer to the first bulk is lost, though it has done what was asked."""

    is_lost = False

    def bulk(self, *arguments: Any, **options: Any) -> list[dict[str, Any]]:
        items = super().bulk(*arguments, **options)
        if not self.is_lost:
            self.is_lost = True
            raise OpenSearchTimeout("OpenSearch did not answer in time.")
        return items


def test_write_of_unknown_fate_is_not_counted_twice(cluster: Cluster, transport: Transport, index_name: str) -> None:
    metrics = Metrics()
    index = made(LosingAnswer(transport), index_name, metrics)
    metrics.tokens.inc(5)
    with pytest.raises(OpenSearchTimeout):
        index.write()
    metrics.tokens.inc(7)
    index.write()
    assert [document["tokens"] for document in hits(cluster, index_name)] == [12]


def test_failures_are_logged_once_and_reach_no_request(make_client: MakeClient, logged: io.StringIO) -> None:
    refused = answer(b'{"error":{"type":"security_exception","reason":"no permissions"},"status":403}', "403 Forbidden")
    with FaultServer([refused] * 1000) as cluster:
        client = make_client(opensearch_url=cluster.url, metrics_index="sidecar-metrics", metrics_interval=0.02)
        while len(cluster.requests) < 5:
            assert client.get("/").status_code == 200
    told = [line for line in logged.getvalue().splitlines() if "the metrics index" in line]
    assert len(told) == 1
    assert "WARNING" in told[0]
    assert "no permissions" in told[0]


def test_server_writes_its_metrics_index_when_that_is_switched_on(node: str, cluster: Cluster, index_name: str) -> None:
    settings = {"SIDECAR_METRICS_INDEX": index_name, "SIDECAR_METRICS_INTERVAL": "0.2"}
    with Sidecar({"OPENSEARCH_URL": node} | settings) as running:
        running.session.get(f"{running.native_url}/_cat/health", timeout=30)
        wanted = {"query": {"term": {"face": "native"}}}
        while not _count(cluster, index_name, wanted):
            running.get("/")
        assert running.stop() == 0
    (first, *_) = cluster.search(index_name, wanted)["hits"]["hits"]
    assert first["_source"]["route"] == "raw"
    assert first["_source"]["latency_ms"]["mean"] > 0


def _count(cluster: Cluster, name: str, body: dict[str, Any]) -> int:
    answered = cluster.ask("refresh", Request("POST", f"/{name}/_refresh?ignore_unavailable=true"))
    assert answered is not None
    target = f"/{name}/_search?ignore_unavailable=true"
    try:
        found: int = cluster.ask("search", Request("GET", target, orjson.dumps(body)))["hits"]["total"]["value"]
    except OpenSearchError as error:
        # In the moment in which the server makes the index, it has no shard that could be searched.
        if error.upstream_status != 503:
            raise
        return 0
    return found


def _all(cluster: Cluster, name: str) -> list[dict[str, Any]]:
    cluster.refresh(name)
    found: list[dict[str, Any]] = cluster.search(name, {"size": 100})["hits"]["hits"]
    return found
