"""GET /, /health, /ready and /metrics."""

from __future__ import annotations

import io
import threading

import orjson
import pytest
from packaging.version import Version

from sidecar.embedding.engine import EmbeddingEngine
from sidecar.embedding.model_spec import ModelSpec
from sidecar.startup import Startup
from tests.fault_proxy import FaultProxy
from tests.fault_server import FaultServer, answer
from tests.fix_opensearch import request
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


def test_ready_recovers_when_the_cluster_comes_back(make_client: MakeClient, node: str) -> None:
    with FaultProxy(node) as way:
        client = make_client(opensearch_url=way.url)
        assert client.get("/ready").status_code == 200
        way.cut()
        answered = client.get("/ready")
        assert (answered.status_code, answered.json["ready"]) == (503, False)
        assert way.url.removeprefix("http://") in answered.json["reasons"][0]
        way.mend()
        assert client.get("/ready").json == {"ready": True, "reasons": []}


def test_ready_warns_of_a_red_cluster_which_serves_all_its_other_indexes(
    sidecar: Sidecar, node: str, index_name: str
) -> None:
    nowhere = {"settings": {"index.routing.allocation.require._name": "nowhere", "number_of_shards": 1}}
    request(node, "PUT", f"/{index_name}?wait_for_active_shards=0", orjson.dumps(nowhere))
    answered = sidecar.get("/ready")
    assert (answered.status_code, answered.json()["ready"]) == (200, True)
    (warning,) = answered.json()["warnings"]
    assert warning.startswith("The cluster is red: ")
    assert "_cluster/allocation/explain" in warning
    request(node, "DELETE", f"/{index_name}")
    assert sidecar.get("/ready").json() == {"ready": True, "reasons": []}


def test_ready_warns_of_a_disk_that_is_too_full_for_writes(sidecar: Sidecar, node: str, index: str) -> None:
    # What OpenSearch itself sets when a disk passes the flood stage.
    block = "index.blocks.read_only_allow_delete"
    request(node, "PUT", f"/{index}/_settings", orjson.dumps({block: True}))
    answered = sidecar.get("/ready")
    assert answered.status_code == 200
    (warning,) = answered.json()["warnings"]
    assert "flood-stage watermark: 1 of its indexes take no documents. Free disk space" in warning
    request(node, "PUT", f"/{index}/_settings", orjson.dumps({block: None}))
    assert sidecar.get("/ready").json() == {"ready": True, "reasons": []}


def test_ready_says_no_where_the_cluster_has_no_manager(make_client: MakeClient) -> None:
    health = orjson.dumps({"status": "red", "discovered_cluster_manager": False})
    with FaultServer([answer(b"{}"), answer(health)]) as cluster:
        answered = make_client(opensearch_url=cluster.url).get("/ready")
    assert answered.status_code == 503
    assert answered.json["reasons"][0].startswith("The cluster has no cluster manager")


def test_ready_tells_nothing_of_what_the_user_may_not_read(make_client: MakeClient) -> None:
    refused = answer(orjson.dumps({"error": {"type": "security_exception", "reason": "no"}}), "403 Forbidden")
    with FaultServer([answer(b"{}"), refused, refused]) as cluster:
        assert make_client(opensearch_url=cluster.url).get("/ready").json == {"ready": True, "reasons": []}


def test_ready_says_no_to_a_user_whom_the_cluster_does_not_know(make_client: MakeClient) -> None:
    refused = answer(orjson.dumps({"error": {"type": "security_exception", "reason": "who"}}), "401 Unauthorized")
    with FaultServer([refused]) as cluster:
        answered = make_client(opensearch_url=cluster.url).get("/ready")
    assert answered.status_code == 503
    assert "Check the user and the password in OPENSEARCH_URL" in answered.json["reasons"][0]


def test_ready_says_no_when_no_thread_embeds_documents_any_more(
    make_client: MakeClient, node: str, monkeypatch: pytest.MonkeyPatch, logged: io.StringIO
) -> None:
    def fail(self: EmbeddingEngine) -> None:
        raise SystemError("a bug")

    with monkeypatch.context() as broken:
        broken.setattr(EmbeddingEngine, "_run_batches", fail)
        broken.setattr(threading, "excepthook", lambda told: None)
        client = make_client(opensearch_url=node, embedding_threads=2)
        for thread in threading.enumerate():
            if thread.name.startswith("embed-"):
                thread.join(0.2)
    answered = client.get("/ready")
    assert answered.status_code == 503
    assert answered.json["reasons"] == [
        "None of the 2 threads that embed documents runs any more; the log says why. Restart the sidecar."
    ]
    assert "SystemError: a bug" in logged.getvalue()


def test_ready_names_a_preloaded_model_that_can_not_be_had(
    make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with FaultServer([answer(b"{}")] * 100) as cluster:
        client = make_client(opensearch_url=cluster.url, preload_models=["hf/e5-large"])
        answered = client.get("/ready")
        assert answered.status_code == 503
        assert "hf/e5-large" in answered.json["reasons"][0]


def test_ready_tells_why_a_model_can_not_be_preloaded_and_when_it_is_tried_again(
    make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing = threading.Event()
    load = Startup._load

    def watched(self: Startup, spec: ModelSpec) -> bool:
        is_loaded = load(self, spec)
        failing.set()
        return is_loaded

    monkeypatch.setattr(Startup, "_load", watched)
    model = {"model": "ours", "model_properties": {"localpath": "/nowhere", "dimensions": 3, "type": "sbert"}}
    with FaultServer([answer(b"{}")] * 3) as cluster:
        client = make_client(opensearch_url=cluster.url, preload_models=[model])
        assert failing.wait(30)
        (reason,) = client.get("/ready").json["reasons"]
    assert reason.startswith("model 'ours' can't be preloaded: ")
    assert "/nowhere" in reason
    assert reason.endswith("The next try comes within 30 s.")


def test_metrics_count_requests_by_route_and_the_clusters_time(sidecar: Sidecar, index: str) -> None:
    sidecar.get(f"/indexes/{index}/settings")
    text = sidecar.get("/metrics").text
    assert 'sidecar_request_seconds_count{method="GET",route="/indexes/<index>/settings",status="200"}' in text
    assert 'sidecar_opensearch_seconds_count{operation="read_index"}' in text
    assert "process_resident_memory_bytes" in text
    assert index not in text
