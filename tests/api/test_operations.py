"""GET /, /health, /ready and /metrics."""

from __future__ import annotations

import pytest
from packaging.version import Version

from tests.fault_server import FaultServer, answer
from tests.fix_server import MakeClient, Sidecar

NOBODY = "http://127.0.0.1:9"  # the discard port, where nothing listens


def test_greeting_has_a_version_that_clients_accept(sidecar: Sidecar) -> None:
    answered = sidecar.get("/")
    assert answered.status_code == 200
    assert answered.headers["Content-Type"] == "application/json"
    assert answered.json()["message"] == "Welcome to Marqo"
    assert Version(answered.json()["version"]) >= Version("1.0.0")


def test_greeting_needs_no_cluster(make_client: MakeClient) -> None:
    assert make_client(opensearch_url=NOBODY).get("/").status_code == 200


def test_health_tells_of_the_cluster_and_its_disk(sidecar: Sidecar) -> None:
    body = sidecar.get("/health").json()
    assert set(body) == {"status", "backend"}
    assert body["status"] == body["backend"]["status"]
    assert isinstance(body["backend"]["storage_is_available"], bool)


def test_health_is_an_error_when_the_cluster_is_away(make_client: MakeClient) -> None:
    answered = make_client(opensearch_url=NOBODY).get("/health")
    assert answered.status_code == 500
    assert answered.json["code"] == "backend_communication_error"


def test_ready_says_yes_when_the_cluster_answers(sidecar: Sidecar) -> None:
    answered = sidecar.get("/ready")
    assert (answered.status_code, answered.json()) == (200, {"ready": True, "reasons": []})


def test_ready_says_why_not_when_the_cluster_is_away(make_client: MakeClient) -> None:
    answered = make_client(opensearch_url=NOBODY).get("/ready")
    assert answered.status_code == 503
    assert answered.json["ready"] is False
    assert answered.json["reasons"] == [
        "Nothing listens at http://127.0.0.1:9, where OpenSearch should be. Is it running?"
    ]


def test_ready_names_a_preloaded_model_that_can_not_be_had(
    make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with FaultServer([answer(b"{}")] * 100) as cluster:
        client = make_client(opensearch_url=cluster.url, preload_models=["hf/e5-large"])
        answered = client.get("/ready")
        assert answered.status_code == 503
        assert "hf/e5-large" in answered.json["reasons"][0]


def test_metrics_count_requests_by_route_and_the_clusters_time(sidecar: Sidecar, index: str) -> None:
    sidecar.get(f"/indexes/{index}/settings")
    text = sidecar.get("/metrics").text
    assert 'sidecar_request_seconds_count{method="GET",route="/indexes/<index>/settings",status="200"}' in text
    assert 'sidecar_opensearch_seconds_count{operation="read_index"}' in text
    assert "process_resident_memory_bytes" in text
    assert index not in text
