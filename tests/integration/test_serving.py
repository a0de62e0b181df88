"""The life of a real server process: start, stop, kill -9."""

from __future__ import annotations

import http.client
import http.server
import json
import signal
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest

from tests.fix_opensearch import TEST_JAVA_OPTIONS, request
from tests.fix_server import SMALL, Sidecar

BATCH = [
    {"_id": str(number), "title": f"Document {number}. It is one of many. Here it ends."} for number in range(8000)
]
PATIENCE_SECONDS = 60.0


class HeldCluster:
    """A cluster that takes requests and answers none before it is released."""

    def __init__(self) -> None:
        held = self
        self.asked = threading.Semaphore(0)
        self.released = threading.Event()

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                held.asked.release()
                held.released.wait(PATIENCE_SECONDS)
                self.send_response(200)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, format: str, *args: object) -> None:
                return

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def held_cluster() -> Iterator[HeldCluster]:
    cluster = HeldCluster()
    yield cluster
    cluster.close()


def list_indexes(url: str) -> tuple[int, bytes]:
    """GET /indexes over a connection of its own; status and body."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=PATIENCE_SECONDS)
    try:
        connection.request("GET", "/indexes")
        answered = connection.getresponse()
        return answered.status, answered.read()
    finally:
        connection.close()


def test_sigterm_finishes_what_was_accepted_and_refuses_what_is_new(held_cluster: HeldCluster) -> None:
    with Sidecar({"OPENSEARCH_URL": held_cluster.url}) as sidecar, ThreadPoolExecutor() as pool:
        answer = pool.submit(list_indexes, sidecar.url)
        assert held_cluster.asked.acquire(timeout=PATIENCE_SECONDS)
        sidecar.process.terminate()
        sidecar.wait_for_log("stopping connections=1")
        address = urlsplit(sidecar.url)
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((address.hostname, address.port), timeout=PATIENCE_SECONDS)
        assert sidecar.process.poll() is None
        held_cluster.released.set()
        assert answer.result() == (200, b'{"results":[]}')
        assert sidecar.wait() == 0


def test_sigterm_ends_the_process_when_a_request_outlasts_the_grace(held_cluster: HeldCluster) -> None:
    with Sidecar({"OPENSEARCH_URL": held_cluster.url, "SIDECAR_GRACE": "1"}) as sidecar, ThreadPoolExecutor() as pool:
        answer = pool.submit(list_indexes, sidecar.url)
        assert held_cluster.asked.acquire(timeout=PATIENCE_SECONDS)
        began = time.monotonic()
        assert sidecar.stop() == 0
        assert time.monotonic() - began < 10
        assert sidecar.wait_for_log("stopped with connections still open connections=1")
        with pytest.raises((http.client.HTTPException, ConnectionError)):
            answer.result()


def test_stop_leaves_no_thread_of_a_model_to_abort_the_process(node: str) -> None:
    with Sidecar({"OPENSEARCH_URL": node, "SIDECAR_PRELOAD_MODELS": '["random/small"]'}) as sidecar:
        sidecar.wait_for_log("loaded model name=random/small")
        assert sidecar.stop() == 0
    assert not [line for line in sidecar.log if "Traceback" in line or "exited with code" in line]


def test_requests_of_one_client_share_a_connection(sidecar: Sidecar) -> None:
    connection = http.client.HTTPConnection(urlsplit(sidecar.url).netloc, timeout=PATIENCE_SECONDS)
    for method, path, body in (("GET", "/", None), ("POST", "/indexes/zzz/search", b"{"), ("GET", "/nope", None)):
        connection.request(method, path, body)
        answered = connection.getresponse()
        answered.read()
        assert not answered.will_close
    connection.close()


def test_worker_that_dies_is_started_anew(node: str) -> None:
    with Sidecar({"OPENSEARCH_URL": node}) as sidecar:
        assert sidecar.get("/").status_code == 200
        worker = worker_of(sidecar)
        worker.kill()
        worker.wait(PATIENCE_SECONDS)
        sidecar.session.close()
        assert sidecar.get("/").status_code == 200


def test_worker_that_is_aborted_tells_where_its_threads_stood(node: str) -> None:
    with Sidecar({"OPENSEARCH_URL": node}) as sidecar:
        assert sidecar.get("/").status_code == 200
        worker_of(sidecar).send_signal(signal.SIGABRT)
        sidecar.wait_for_log(r"Thread 0x\w+")
        sidecar.wait_for_log("wait_for_and_dispatch_events")
        sidecar.session.close()
        assert sidecar.get("/").status_code == 200


def test_batch_that_kill_9_cut_off_is_complete_when_sent_again(node: str, index_name: str) -> None:
    body = {"documents": BATCH, "tensorFields": ["title"]}
    environment = {"OPENSEARCH_URL": node}
    with Sidecar(environment) as sidecar, ThreadPoolExecutor() as pool:
        assert sidecar.post(f"/indexes/{index_name}", SMALL).status_code == 200
        cut_off = pool.submit(sidecar.post, f"/indexes/{index_name}/documents", body)
        while not 0 < stored(node, index_name) < len(BATCH):
            assert not cut_off.done(), "the batch was through before it could be cut off"
        sidecar.kill()
        with pytest.raises(OSError):
            cut_off.result()
    assert 0 < stored(node, index_name) < len(BATCH)
    with Sidecar(environment) as sidecar:
        answered = sidecar.post(f"/indexes/{index_name}/documents?refresh=true", body).json()
        assert answered["errors"] is False
        assert [item["_id"] for item in answered["items"]] == [document["_id"] for document in BATCH]
        assert {item["status"] for item in answered["items"]} == {200, 201}
        counts = {"numberOfDocuments": len(BATCH), "numberOfVectors": 2 * len(BATCH)}
        assert sidecar.get(f"/indexes/{index_name}/stats").json() == counts


def stored(node: str, index: str) -> int:
    """How many documents the cluster has."""
    request(node, "POST", f"/{index}/_refresh")
    count: int = json.loads(request(node, "GET", f"/{index}/_count")[1])["count"]
    return count


def embedded(home: Path) -> dict[str, str]:
    """The environment of a sidecar with an embedded node of its own."""
    return {
        "SIDECAR_HOME": str(home),
        "SIDECAR_NODE_PORT": "0",
        "SIDECAR_NODE_HEAP": "512m",
        "OPENSEARCH_JAVA_OPTS": TEST_JAVA_OPTIONS,
    }


def test_embedded_node_comes_behind_the_open_port_and_goes_with_the_server(home: Path) -> None:
    with Sidecar(embedded(home)) as sidecar:
        assert sidecar.get("/").status_code == 200
        not_yet = sidecar.get("/ready")
        assert not_yet.status_code == 503
        assert "embedded OpenSearch" in not_yet.json()["reasons"][0]
        there = sidecar.wait_for_log("the embedded OpenSearch is there", seconds=3 * PATIENCE_SECONDS)
        assert sidecar.get("/ready").json() == {"ready": True, "reasons": []}
        assert sidecar.post("/indexes/first", SMALL).status_code == 200
        faiss = {"index_defaults": {"ann_parameters": {"engine": "faiss"}}}
        assert sidecar.post("/indexes/other", faiss).json()["code"] == "invalid_argument"
        (node,) = nodes_of(home)
        worker_of(sidecar).kill()
        sidecar.session.close()
        assert sidecar.get("/").status_code == 200
        sidecar.log.remove(there.string)
        sidecar.wait_for_log("the embedded OpenSearch is there")
        assert nodes_of(home) == [node], "the new worker takes over the node of the dead one"
        assert sidecar.stop() == 0
        assert nodes_of(home) == []


def test_embedded_node_that_dies_is_started_again_with_its_data(home: Path) -> None:
    with Sidecar(embedded(home)) as sidecar:
        there = sidecar.wait_for_log("the embedded OpenSearch is there", seconds=3 * PATIENCE_SECONDS)
        assert sidecar.post("/indexes/first", SMALL).status_code == 200
        sidecar.log.remove(there.string)
        (node,) = nodes_of(home)
        node.kill()
        sidecar.wait_for_log("the embedded OpenSearch is there", seconds=3 * PATIENCE_SECONDS)
        assert sidecar.get("/indexes").json() == {"results": [{"index_name": "first"}]}
        assert sidecar.stop() == 0
        assert nodes_of(home) == []


def test_sigterm_leaves_no_node_when_it_was_just_starting(home: Path) -> None:
    with Sidecar(embedded(home)) as sidecar:
        sidecar.wait_for_log("embedded node started")
        assert nodes_of(home)
        assert sidecar.stop() == 0
        assert nodes_of(home) == []


def worker_of(sidecar: Sidecar) -> psutil.Process:
    """The process that serves, below the one that keeps it running."""
    workers = [child for child in psutil.Process(sidecar.process.pid).children() if "java" not in child.name()]
    assert len(workers) == 1
    return workers[0]


def nodes_of(home: Path) -> list[psutil.Process]:
    """The OpenSearch processes whose files lie under this home."""
    return [
        process
        for process in psutil.process_iter(["cmdline"])
        if any(str(home) in word for word in process.info["cmdline"] or []) and "java" in process.info["cmdline"][0]
    ]
