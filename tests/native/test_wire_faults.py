"""What the native face does when the wire fails, on either side of it."""

from __future__ import annotations

import json
import socket
import threading
import uuid
from collections.abc import Iterator
from http.client import HTTPException
from typing import Any

import psutil
import pytest

from tests.fix_server import Sidecar
from tests.native.exchanges import (
    JSON,
    PATIENCE_SECONDS,
    answer_on,
    chunked,
    connect,
    converse,
    exchange,
    request_bytes,
)
from tests.native.scripted_cluster import OK, VERSION, ScriptedCluster, Visit

MEGABYTE = 1024 * 1024
HEAD = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


@pytest.fixture(scope="module")
def scripted() -> Iterator[tuple[ScriptedCluster, Sidecar]]:
    """A cluster that does what tests say, and a sidecar before it that loses patience after a second."""
    settings = {"SIDECAR_NATIVE_TIMEOUT": "1", "SIDECAR_NATIVE_CLIENT_TIMEOUT": "1"}
    with ScriptedCluster() as cluster:
        is_started = cluster.answers_start()
        with Sidecar({"OPENSEARCH_URL": cluster.url, **settings}) as sidecar:
            assert is_started.wait(PATIENCE_SECONDS)
            yield cluster, sidecar


@pytest.fixture
def cluster(scripted: tuple[ScriptedCluster, Sidecar]) -> Iterator[ScriptedCluster]:
    yield scripted[0]
    scripted[0].end_all()


@pytest.fixture
def native_url(scripted: tuple[ScriptedCluster, Sidecar]) -> str:
    return scripted[1].native_url


def serve(visit: Visit) -> None:
    """Answer all requests of a connection."""
    while visit.request()[0]:
        visit.send(OK)


def own_error(body: bytes) -> tuple[int, str, str]:
    """Status, type and reason of an error in OpenSearch's shape."""
    told: dict[str, Any] = json.loads(body)
    error = told["error"]
    assert error["root_cause"] == [{"type": error["type"], "reason": error["reason"]}]
    return told["status"], error["type"], error["reason"]


@pytest.mark.parametrize("method", ["POST", "GET", "PUT"])
@pytest.mark.parametrize("end", [Visit.close, Visit.reset])
def test_nothing_is_sent_twice_when_a_reused_connection_ends(
    cluster: ScriptedCluster, native_url: str, method: str, end: Any
) -> None:
    with connect(native_url) as client:
        client.sendall(request_bytes("GET", "/first"))
        visit = cluster.visit()
        visit.request()
        visit.send(OK)
        assert answer_on(client).status == 200
        client.sendall(request_bytes(method, "/second", b"{}"))
        assert visit.request()[0].startswith(f"{method} /second ".encode())
        end(visit)
        answered = answer_on(client)
        assert (answered.status, own_error(answered.body)[1]) == (502, "status_exception")
    assert not cluster.has_visit


def test_own_errors_carry_the_version_and_the_clients_id(cluster: ScriptedCluster, native_url: str) -> None:
    cluster.answers(serve)
    assert exchange(native_url, "GET", "/").status == 200
    cluster.end_all()
    cluster.answers(Visit.close)
    answered = exchange(native_url, "GET", "/", None, [("X-Opaque-Id", "mine")])
    assert answered.status == 502
    assert answered.values("x-opensearch-version") == [VERSION.partition(": ")[2]]
    assert answered.values("x-opaque-id") == ["mine"]
    assert answered.values("content-type") == ["application/json; charset=UTF-8"]


def test_cluster_that_says_nothing_is_told_as_a_timeout(cluster: ScriptedCluster, native_url: str) -> None:
    with connect(native_url) as client:
        client.sendall(request_bytes("POST", "/slow", b"{}"))
        visit = cluster.visit()
        visit.request()
        answered = answer_on(client)
        assert (answered.status, own_error(answered.body)[:2]) == (504, (504, "status_exception"))
        assert visit.has_ended()
        cluster.answers(serve)
        assert converse(client, "GET", "/").status == 200


@pytest.mark.parametrize(
    "begun",
    [
        HEAD + "Content-Length: 100\r\n\r\n{",
        HEAD + "Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n",
        HEAD + "Transfer-Encoding: chunked\r\n\r\n5\r\n{",
    ],
)
@pytest.mark.parametrize("version", ["HTTP/1.1", "HTTP/1.0"])
@pytest.mark.parametrize("end", [Visit.close, Visit.reset, None])
def test_answer_that_breaks_off_never_looks_whole(
    cluster: ScriptedCluster, native_url: str, begun: str, version: str, end: Any
) -> None:
    with connect(native_url) as client:
        client.sendall(request_bytes("GET", "/").replace(b"HTTP/1.1", version.encode()))
        visit = cluster.visit()
        visit.request()
        visit.send(begun.encode())
        assert client.recv(1, socket.MSG_PEEK)
        if end is not None:
            end(visit)
        with pytest.raises((HTTPException, ConnectionResetError)):
            answer_on(client)


@pytest.mark.parametrize("framing", ["Content-Length: 100", "Transfer-Encoding: chunked"])
def test_answer_that_breaks_off_before_its_first_byte_is_an_error(
    cluster: ScriptedCluster, native_url: str, framing: str
) -> None:
    def begin(visit: Visit) -> None:
        visit.request()
        visit.send(f"{HEAD}{framing}\r\n\r\n".encode())
        visit.close()

    cluster.answers(begin)
    answered = exchange(native_url, "GET", "/")
    assert (answered.status, own_error(answered.body)[0]) == (502, 502)


def test_cluster_that_refuses_a_body_before_its_end_is_heard(cluster: ScriptedCluster, native_url: str) -> None:
    def refuse(visit: Visit) -> None:
        visit.head()
        visit.body(1000)
        visit.send(b"HTTP/1.1 413 Request Entity Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        visit.close()

    cluster.answers(refuse, serve)
    with connect(native_url) as client:
        answered = converse(client, "POST", "/_bulk/", b" " * (20 * MEGABYTE), [("Content-Type", "text/plain")])
        assert (answered.status, answered.body) == (413, b"")
        assert converse(client, "GET", "/").status == 200


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("POST", "/search"),
        ("POST", "/_search"),
        ("POST", "/_msearch"),
        ("PUT", "/an-index"),
        ("PUT", "/_ingest/pipeline/one"),
        ("GET", "/_ingest/pipeline/one"),
    ],
)
def test_client_that_goes_while_the_cluster_works_ends_the_clusters_request(
    scripted: tuple[ScriptedCluster, Sidecar], cluster: ScriptedCluster, native_url: str, method: str, target: str
) -> None:
    body = b"" if method == "GET" else b"{}"
    number = uuid.uuid4().hex
    with connect(native_url) as client:
        headers = [("Content-Type", "application/json"), ("X-Request-Id", number)]
        client.sendall(request_bytes(method, target, body, headers))
        visit = cluster.visit()
        assert visit.request()[1] == body
    assert visit.has_ended()
    # Not because the cluster says nothing for too long, which would be 504.
    scripted[1].wait_for_log(f"answered request_id={number} .*status=499")


@pytest.mark.parametrize(
    "framing", ["Content-Length: 100\r\n\r\n0123456789", "Transfer-Encoding: chunked\r\n\r\n5\r\n012"]
)
@pytest.mark.parametrize("goes", [True, False])
def test_body_that_breaks_off_never_reaches_the_cluster_whole(
    cluster: ScriptedCluster, native_url: str, framing: str, goes: bool
) -> None:
    client = connect(native_url)
    client.sendall(f"POST /half HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\n{framing}".encode())
    if goes:
        client.close()
    visit = cluster.visit()
    body = visit.body(10_000).partition(b"\r\n\r\n")[2]
    assert len(body) < 100
    assert b"0\r\n\r\n" not in body
    client.close()


def test_client_that_goes_in_the_middle_of_an_answer_ends_it(cluster: ScriptedCluster, native_url: str) -> None:
    with connect(native_url) as client:
        client.sendall(request_bytes("GET", "/long"))
        visit = cluster.visit()
        visit.request()
        visit.send(f"{HEAD}Content-Length: {1 << 40}\r\n\r\n".encode() + b" " * MEGABYTE)
        client.recv(1000)
    with pytest.raises(OSError):
        while True:
            visit.send(b" " * MEGABYTE)


def test_client_that_takes_nothing_is_let_go(cluster: ScriptedCluster, native_url: str) -> None:
    with connect(native_url) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.sendall(request_bytes("GET", "/long"))
        visit = cluster.visit()
        visit.request()
        visit.send(f"{HEAD}Content-Length: {1 << 40}\r\n\r\n".encode())
        with pytest.raises(OSError):
            while True:
                visit.send(b" " * MEGABYTE)
        with pytest.raises(ConnectionResetError):
            while client.recv(MEGABYTE):
                pass


def test_slow_clients_and_slow_clusters_lose_nothing(cluster: ScriptedCluster, native_url: str) -> None:
    body = bytes(range(256)) * 10
    with connect(native_url) as client:
        data = request_bytes("PUT", "/slow", body, [("Content-Type", "text/plain")])
        pause = threading.Event()
        for start in range(0, len(data), 700):
            client.sendall(data[start : start + 700])
            pause.wait(0.05)
        visit = cluster.visit()
        assert visit.request()[1] == body
        visit.send(f"{HEAD}Content-Length: {len(body)}\r\n\r\n".encode())
        for start in range(0, len(body), 700):
            visit.send(body[start : start + 700])
            pause.wait(0.05)
        assert answer_on(client).body == body


def test_answers_stream(cluster: ScriptedCluster, native_url: str) -> None:
    with connect(native_url) as client:
        client.sendall(request_bytes("POST", "/_bulk/stream", b"{}"))
        visit = cluster.visit()
        visit.request()
        visit.send(f"{HEAD}Transfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n".encode())
        received = b""
        while not received.endswith(b"5\r\nfirst\r\n"):
            received += client.recv(1)
        visit.send(b"4\r\nlast\r\n0\r\n\r\n")
        while not received.endswith(b"0\r\n\r\n"):
            received += client.recv(1)
        assert received.endswith(b"5\r\nfirst\r\n4\r\nlast\r\n0\r\n\r\n")


def test_requests_stream(cluster: ScriptedCluster, native_url: str) -> None:
    size = 3 * MEGABYTE
    with connect(native_url) as client:
        head = f"PUT /long HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: {size}\r\n\r\n".encode()
        client.sendall(head + b"x" * (size - 1))
        visit = cluster.visit()
        visit.head()
        assert visit.body(2 * MEGABYTE) == b"x" * (2 * MEGABYTE)
        client.sendall(b"y")
        assert visit.body(MEGABYTE) == b"x" * (MEGABYTE - 1) + b"y"
        visit.send(OK)
        assert answer_on(client).status == 200


def test_long_bodies_leave_memory_flat(scripted: tuple[ScriptedCluster, Sidecar], cluster: ScriptedCluster) -> None:
    sidecar = scripted[1]
    (worker,) = psutil.Process(sidecar.process.pid).children()
    count, piece = 150, b"x" * MEGABYTE

    def converse_at_length(visit: Visit) -> None:
        visit.head()
        for _ in range(count):
            visit.body(MEGABYTE)
        visit.send(f"{HEAD}Content-Length: {count * MEGABYTE}\r\n\r\n".encode())
        for _ in range(count):
            visit.send(piece)

    before = worker.memory_info().rss
    cluster.answers(converse_at_length)
    with connect(sidecar.native_url) as client:
        head = f"PUT /long HTTP/1.1\r\nHost: x\r\nContent-Length: {count * MEGABYTE}\r\n\r\n"
        client.sendall(head.encode())
        for _ in range(count):
            client.sendall(piece)
        after_request = worker.memory_info().rss
        received = 0
        while received < count * MEGABYTE:
            received += len(client.recv(MEGABYTE))
        after_answer = worker.memory_info().rss
    assert max(after_request, after_answer) - before < 30 * MEGABYTE


def test_connections_to_the_cluster_are_reused(cluster: ScriptedCluster, native_url: str) -> None:
    cluster.answers(serve)
    with connect(native_url) as client:
        for _ in range(3):
            assert converse(client, "POST", "/", b"{}").body == b"{}"
        client.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked([b"{", b"}"]))
        assert answer_on(client).body == b"{}"
    assert not cluster.has_visit


def test_cluster_that_restarts_is_used_again(cluster: ScriptedCluster, native_url: str) -> None:
    for _ in range(3):
        cluster.answers(serve)
        assert exchange(native_url, "POST", "/", b"{}").status == 200
        cluster.end_all()


def test_client_that_does_not_hang_up_delays_nobody(cluster: ScriptedCluster, native_url: str) -> None:
    cluster.answers(*[serve] * 9)
    lingering = [connect(native_url) for _ in range(8)]
    for client in lingering:
        assert converse(client, "GET", "/", None, [JSON, ("Connection", "close")]).status == 200
    with connect(native_url) as client:
        client.settimeout(1.0)
        assert converse(client, "GET", "/").status == 200
    for client in lingering:
        client.close()
