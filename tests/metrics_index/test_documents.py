"""The documents of one interval."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from prometheus_client import ProcessCollector

from sidecar.metrics import Metrics, ModelInMemory
from sidecar.metrics_index.counts import read_counts
from sidecar.metrics_index.documents import Interval, documents_of
from sidecar.metrics_index.writer import index_body

INTERVAL = Interval("2026-01-31T10:20:30.000Z", 60.0, "machine", "one")


def used_metrics() -> Metrics:
    """Metrics in which everything has happened."""
    metrics = Metrics()
    ProcessCollector(registry=metrics.registry)
    metrics.requests.labels("/indexes/<index>/search", "POST", 200).observe(0.02)
    metrics.requests.labels("/indexes/<index>/search", "POST", 400).observe(0.01)
    metrics.requests.labels("native /{index}/_search", "POST", 200).observe(0.2)
    metrics.requests.labels("native raw", "GET", 503).observe(0.1)
    metrics.cluster.labels("search").observe(0.015)
    metrics.query_embedding.observe(0.004)
    for texts in (8, 2):
        metrics.batch_texts.observe(texts)
    metrics.tokens.inc(120)
    metrics.padding.inc(30)
    metrics.queue.set(3)
    metrics.query_cache_hits.inc(5)
    metrics.query_cache_misses.inc(4)
    metrics.batch_images.observe(3)
    metrics.rejected.labels("queue").inc(2)
    metrics.cluster_failures.inc()
    metrics.media_fetches.labels("ok").inc(8)
    metrics.media_fetches.labels("failed").inc()
    metrics.media_bytes.inc(9000)
    metrics.models.watch(lambda: [ModelInMemory("random/small", "cpu", 2048)], budgets={"cpu": 4096})
    for stage in ("queue", "embed", "cluster"):
        metrics.stages.labels("search", stage).observe(0.003)
    metrics.stages.labels("documents", "embed").observe(0.2)
    metrics.unchanged.inc(6)
    metrics.retries.inc(7)
    return metrics


def documents(metrics: Metrics) -> dict[str, dict[str, Any]]:
    return documents_of(read_counts(metrics.registry), INTERVAL)


def paths(value: dict[str, Any], start: str = "") -> Iterator[str]:
    for key, entry in value.items():
        if isinstance(entry, dict):
            yield from paths(entry, f"{start}{key}.")
        else:
            yield start + key


def mapped(properties: dict[str, Any], start: str = "") -> Iterator[str]:
    for key, entry in properties.items():
        if "properties" in entry:
            yield from mapped(entry["properties"], f"{start}{key}.")
        else:
            yield start + key


def test_process_document_has_the_sums_of_all() -> None:
    process = documents(used_metrics())["process"]
    told = {key: process[key] for key in ("requests", "client_errors", "server_errors", "texts", "batches", "tokens")}
    assert told == {
        "requests": 4,
        "client_errors": 1,
        "server_errors": 1,
        "texts": 10,
        "batches": 2,
        "tokens": 120,
    }
    assert process["queue_texts"] == 3
    assert (process["query_cache_hits"], process["unchanged_fields"], process["write_retries"]) == (5, 6, 7)
    assert process["cluster_ms"]["mean"] == 15.0
    assert process["memory_bytes"] > 1_000_000


def test_each_route_has_a_document_with_its_face() -> None:
    found = documents(used_metrics())
    routes = {(one["face"], one["route"], one["method"]): one for one in found.values() if one["kind"] == "route"}
    assert set(routes) == {
        ("indexes", "/indexes/<index>/search", "POST"),
        ("native", "/{index}/_search", "POST"),
        ("native", "raw", "GET"),
    }
    search = routes["indexes", "/indexes/<index>/search", "POST"]
    assert (search["requests"], search["client_errors"], search["latency_ms"]["mean"]) == (2, 1, 15.0)


def test_process_document_tells_of_files_models_and_refusals() -> None:
    process = documents(used_metrics())["process"]
    told = ("images", "rejected", "media_fetches", "media_failures", "media_bytes", "models", "model_bytes")
    assert [process[key] for key in told] == [3, 2, 9, 1, 9000, 1, 2048]
    assert (process["query_cache_misses"], process["cluster_failures"]) == (4, 1)


def test_each_stage_has_a_document_for_what_requests_are_for() -> None:
    found = documents(used_metrics())
    stages = {(one["work"], one["stage"]): one for one in found.values() if one["kind"] == "stage"}
    assert set(stages) == {("search", "queue"), ("search", "embed"), ("search", "cluster"), ("documents", "embed")}
    assert (stages["search", "embed"]["stage_count"], stages["search", "embed"]["stage_ms"]["mean"]) == (1, 3.0)


def test_routes_and_operations_that_nobody_asked_for_in_the_interval_have_no_document() -> None:
    metrics = used_metrics()
    before = read_counts(metrics.registry)
    found = documents_of(read_counts(metrics.registry).since(before), INTERVAL)
    assert list(found) == ["process"]
    assert found["process"]["requests"] == 0
    assert found["process"]["latency_ms"] is None


def test_every_document_says_when_where_and_how_long() -> None:
    for document in documents(used_metrics()).values():
        assert document["@timestamp"] == INTERVAL.ended
        assert (document["interval_seconds"], document["host"], document["instance"]) == (60.0, "machine", "one")


def test_every_field_that_is_written_is_mapped_and_the_other_way_round() -> None:
    written = {path for document in documents(used_metrics()).values() for path in paths(document)}
    assert written == set(mapped(index_body()["mappings"]["properties"]))
