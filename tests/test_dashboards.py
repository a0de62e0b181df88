"""What OpenSearch Dashboards is given: its objects fit together, and draw what the metrics index has."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from sidecar.dashboards import DEFAULT_INDEX, saved_objects
from sidecar.metrics_index.counts import read_counts
from sidecar.metrics_index.documents import Interval, documents_of
from sidecar.metrics_index.writer import index_body
from sidecar.opensearch.client import Cluster
from sidecar.opensearch.transport import Request
from tests.fix_opensearch import request
from tests.metrics_index.test_documents import mapped, used_metrics

LINES: list[dict[str, Any]] = [orjson.loads(line) for line in saved_objects().splitlines()]
OBJECTS = LINES[:-1]
BY_ID = {(one["type"], one["id"]): one for one in OBJECTS}
VISUALIZATIONS = [one for one in OBJECTS if one["type"] == "visualization"]
FIELDS = set(mapped(index_body()["mappings"]["properties"]))


def pytest_id(one: Any) -> str:
    return str(one["id"])


def state_of(visualization: dict[str, Any]) -> dict[str, Any]:
    state: dict[str, Any] = json.loads(visualization["attributes"]["visState"])
    return state


def query_of(visualization: dict[str, Any]) -> str:
    source = json.loads(visualization["attributes"]["kibanaSavedObjectMeta"]["searchSourceJSON"])
    assert source["query"]["language"] == "kuery"
    return str(source["query"]["query"])


def test_file_ends_as_dashboards_ends_its_exports() -> None:
    assert LINES[-1] == {"exportedCount": len(OBJECTS), "missingRefCount": 0, "missingReferences": []}


def test_there_is_one_pattern_and_one_dashboard() -> None:
    assert sorted(one["type"] for one in OBJECTS if one["type"] != "visualization") == ["dashboard", "index-pattern"]
    assert len(BY_ID) == len(OBJECTS)


@pytest.mark.parametrize("saved", OBJECTS, ids=pytest_id)
def test_references_lead_to_objects_of_the_file_and_all_are_used(saved: dict[str, Any]) -> None:
    assert [(one["type"], one["id"]) for one in saved["references"] if (one["type"], one["id"]) not in BY_ID] == []
    used = re.findall(r'RefName\\*":\\*"([^"\\]+)', json.dumps(saved["attributes"]))
    assert sorted(used) == sorted(one["name"] for one in saved["references"])


def test_dashboard_shows_every_visualization_once_and_none_over_another() -> None:
    (dashboard,) = (one for one in OBJECTS if one["type"] == "dashboard")
    shown = [one["id"] for one in dashboard["references"]]
    assert sorted(shown) == sorted(one["id"] for one in VISUALIZATIONS)
    cells = [cell for panel in json.loads(dashboard["attributes"]["panelsJSON"]) for cell in _cells(panel["gridData"])]
    assert len(cells) == len(set(cells))
    assert all(0 <= x < 48 for x, _ in cells)


def _cells(place: dict[str, int]) -> Iterator[tuple[int, int]]:
    for x in range(place["x"], place["x"] + place["w"]):
        for y in range(place["y"], place["y"] + place["h"]):
            yield x, y


def test_pattern_knows_the_fields_of_the_mapping() -> None:
    (pattern,) = (one for one in OBJECTS if one["type"] == "index-pattern")
    told = {field["name"]: field["esTypes"] for field in json.loads(pattern["attributes"]["fields"])}
    assert set(told) == FIELDS
    assert told["@timestamp"] == ["date"]
    assert pattern["attributes"]["timeFieldName"] == "@timestamp"
    assert pattern["attributes"]["title"] == f"{DEFAULT_INDEX}*"


def test_pattern_follows_the_name_of_the_index() -> None:
    changed = [orjson.loads(line) for line in saved_objects("our-metrics").splitlines()]
    titles = [one["attributes"]["title"] for one in changed if one.get("type") == "index-pattern"]
    assert titles == ["our-metrics*"]
    assert changed[1:] == LINES[1:]


@pytest.mark.parametrize("visualization", VISUALIZATIONS, ids=pytest_id)
def test_visualization_names_fields_that_there_are(visualization: dict[str, Any]) -> None:
    named = {agg["params"]["field"] for agg in state_of(visualization)["aggs"]}
    assert named
    assert named <= FIELDS
    assert set(re.findall(r"(\w+):", query_of(visualization))) <= FIELDS


@pytest.mark.parametrize("visualization", VISUALIZATIONS, ids=pytest_id)
def test_visualization_has_parameters_of_its_own_type_and_a_series_for_each_metric(
    visualization: dict[str, Any],
) -> None:
    state = state_of(visualization)
    metrics = [agg["id"] for agg in state["aggs"] if agg["schema"] == "metric"]
    assert metrics
    assert state["title"] == visualization["attributes"]["title"]
    if state["type"] in {"line", "histogram"}:
        assert state["params"]["type"] == state["type"]
        assert [series["data"]["id"] for series in state["params"]["seriesParams"]] == metrics


def test_page_tells_every_field() -> None:
    page = Path(__file__).parent.parent / "docs" / "native-security-and-dashboards.md"
    rows = re.findall(r"^\| (`[^|]+) \| ", page.read_text("utf-8"), re.MULTILINE)
    told: set[str] = set()
    for name in re.findall(r"`([^`]+)`", " ".join(rows)):
        told |= {field for field in FIELDS if field == name or field.startswith(name.removesuffix("…"))}
    assert FIELDS - told - {f"latency_ms.{each}" for each in ("p50", "p95", "p99")} == set()


@pytest.fixture(scope="module")
def filled(node: str) -> Iterator[str]:
    """An index of metrics in which everything has happened."""
    name = "test-metrics-drawn"
    request(node, "DELETE", f"/{name}?ignore_unavailable=true")
    request(node, "PUT", f"/{name}", json.dumps(index_body()))
    interval = Interval("2026-01-31T10:20:30.000Z", 60.0, "machine", "one")
    for key, document in documents_of(read_counts(used_metrics().registry), interval).items():
        request(node, "POST", f"/{name}/_doc", json.dumps(document | {"key": key}))
    request(node, "POST", f"/{name}/_refresh")
    yield name
    request(node, "DELETE", f"/{name}")


@pytest.mark.parametrize("visualization", VISUALIZATIONS, ids=pytest_id)
def test_visualization_draws_numbers(visualization: dict[str, Any], filled: str, cluster: Cluster) -> None:
    aggs = state_of(visualization)["aggs"]
    body = {"size": 0, "query": as_query(query_of(visualization)), "aggs": as_aggregations(aggs)}
    answer = cluster.ask("search", Request("POST", f"/{filled}/_search", orjson.dumps(body)))
    assert answer["hits"]["total"]["value"] > 0
    metrics = {agg["id"] for agg in aggs if agg["schema"] == "metric"}
    highest: dict[str, float] = {}
    for metric, number in numbers_of(answer["aggregations"], metrics):
        highest[metric] = max(number, highest.get(metric, 0.0))
    assert {metric for metric, number in highest.items() if number > 0} == metrics


def as_query(text: str) -> dict[str, Any]:
    """The query that Dashboards makes of ``field:value and field:*value*``."""
    parts = [part.partition(":") for part in text.split(" and ")]
    kinds = [("wildcard" if "*" in value else "term", field, value) for field, _, value in parts]
    return {"bool": {"filter": [{kind: {field: value}} for kind, field, value in kinds]}}


def as_aggregations(aggs: list[dict[str, Any]]) -> dict[str, Any]:
    """The aggregations that Dashboards makes of a visualization: its buckets within one another, its metrics in all."""
    metrics = {agg["id"]: {agg["type"]: {"field": agg["params"]["field"]}} for agg in aggs if agg["schema"] == "metric"}
    inner = metrics
    for agg in reversed([agg for agg in aggs if agg["schema"] != "metric"]):
        params = agg["params"]
        if agg["type"] == "date_histogram":
            own = {"field": params["field"], "fixed_interval": "1m", "min_doc_count": params["min_doc_count"]}
        else:
            own = {"field": params["field"], "size": params["size"], "order": {params["orderBy"]: params["order"]}}
        inner = {agg["id"]: {agg["type"]: own, "aggs": {**metrics, **inner}}}
    return inner


def numbers_of(found: dict[str, Any], metrics: set[str]) -> Iterator[tuple[str, Any]]:
    """The values of every metric, in all buckets."""
    for name, value in found.items():
        if name in metrics:
            yield name, value["value"]
        for bucket in value.get("buckets", ()) if isinstance(value, dict) else ():
            yield from numbers_of(bucket, metrics)
