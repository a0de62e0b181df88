"""What of a request's head reaches the cluster."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fix_server import Sidecar
from tests.native.exchanges import PATIENCE_SECONDS, Header, answer_on, connect, exchange, request_bytes
from tests.native.scripted_cluster import OK, ScriptedCluster, Visit


@pytest.fixture(scope="module")
def cluster() -> Iterator[ScriptedCluster]:
    with ScriptedCluster() as running:
        yield running


@pytest.fixture(scope="module")
def native_url(cluster: ScriptedCluster) -> Iterator[str]:
    is_started = cluster.answers_start()
    with Sidecar({"OPENSEARCH_URL": cluster.url + "/behind"}) as sidecar:
        assert is_started.wait(PATIENCE_SECONDS)
        yield sidecar.native_url


def seen(
    cluster: ScriptedCluster, native_url: str, data: bytes, answer: bytes = OK
) -> tuple[str, list[tuple[str, str]], bytes]:
    """The line, the headers and the body of a request as the cluster sees it."""
    with connect(native_url) as client:
        client.sendall(data)
        visit = cluster.visit()
        head, body = visit.request()
        visit.send(answer.replace(b"\r\n", b"\r\nConnection: close\r\n", 1))
        answer_on(client)
    line, *lines = head.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
    return line, [(name, value) for name, _, value in (one.partition(": ") for one in lines)], body


@pytest.mark.parametrize(
    "target",
    ["/", "/a%2Fb/_doc/x%20y+z?q=%41;b#c", "/%zz", "//a//b//", "/a/../b/./c", "/\xff\xc3\xa9", "/a?b?c=//d", "*"],
)
def test_target_arrives_as_it_was_sent(cluster: ScriptedCluster, native_url: str, target: str) -> None:
    method = "OPTIONS" if target == "*" else "GET"
    assert seen(cluster, native_url, request_bytes(method, target))[0] == f"{method} /behind{target} HTTP/1.1"


@pytest.mark.parametrize(
    "target",
    [
        *("http://other.example/x", "https://127.0.0.1/x", "ftp://x", "/../x", "/a/../../x", "/%2e%2e/x", "/.%2E/x"),
        *("/a%2f..%2f..%2fx", "/a%5c..%5c..%5cx", "/..;/x", "/a//../../x", "/./../x", "/..", "/a/b/../../.."),
    ],
)
def test_target_that_leads_elsewhere_is_refused(cluster: ScriptedCluster, native_url: str, target: str) -> None:
    # What stands before a cluster may serve others too, by the server that a target names, or by another path.
    answered = exchange(native_url, "GET", target)
    assert answered.status == 400
    assert b"names another server, or leads out" in answered.body
    assert not cluster.has_visit


def test_tunnel_is_refused(cluster: ScriptedCluster, native_url: str) -> None:
    assert exchange(native_url, "CONNECT", "other.example:80").status == 400
    assert not cluster.has_visit


def test_headers_arrive_in_their_order_each_by_itself(cluster: ScriptedCluster, native_url: str) -> None:
    given: list[Header] = [
        *(("X-A", "1"), ("X-B", "2"), ("X-A", "3,4"), ("Authorization", "Basic eA=="), ("securitytenant", "t")),
        *(("X-Opaque-Id", "Ã©\xff"), ("traceparent", "00"), ("X-OpenSearch-Product-Origin", "x"), ("Cookie", "a=1")),
        *(("Accept", "*/*"), ("Accept-Encoding", "gzip"), ("User-Agent", ""), ("X-Request-Id", "mine")),
    ]
    _, headers, body = seen(cluster, native_url, request_bytes("GET", "/", None, given))
    assert headers == [("Host", cluster.url.partition("//")[2]), *((name.lower(), value) for name, value in given)]
    assert body == b""


def test_headers_between_neighbours_and_those_that_vouch_for_a_caller_are_dropped(
    cluster: ScriptedCluster, native_url: str
) -> None:
    dropped: list[Header] = [
        *(("Connection", "keep-alive, X-Mine"), ("X-Mine", "1"), ("Keep-Alive", "1"), ("TE", "trailers")),
        *(("Proxy-Authorization", "x"), ("Upgrade", "h2c"), ("Expect", "100-continue"), ("X-Forwarded-For", "::1")),
        *(("X-Proxy-User", "admin"), ("x-proxy-roles", "all"), ("opendistro-security-user", "admin")),
        *(("_opendistro_security_user", "admin"), ("opendistro_security_impersonate_as", "admin")),
    ]
    with connect(native_url) as client:
        client.sendall(request_bytes("GET", "/", None, [*dropped, ("X-Kept", "1")]))
        visit = cluster.visit()
        lines = visit.head().decode().split("\r\n")
        visit.send(OK)
        visit.close()
    assert [line for line in lines[1:] if line] == [f"Host: {cluster.url.partition('//')[2]}", "x-kept: 1"]


@pytest.mark.parametrize(
    ("given", "body", "framing"),
    [
        ([], None, []),
        ([("Content-Length", "0")], None, [("Content-Length", "0")]),
        ([("Content-Length", "2")], b"{}", [("Content-Length", "2")]),
        ([("Transfer-Encoding", "chunked")], b"2\r\n{}\r\n0\r\n\r\n", [("Transfer-Encoding", "chunked")]),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_body_is_framed_as_it_came(
    cluster: ScriptedCluster,
    native_url: str,
    method: str,
    given: list[Header],
    body: bytes | None,
    framing: list[Header],
) -> None:
    data = request_bytes(method, "/x", None, given) + (body or b"")
    _, headers, arrived = seen(cluster, native_url, data)
    assert [header for header in headers if header[0] in {"Content-Length", "Transfer-Encoding"}] == framing
    assert arrived == (b"" if body is None else b"{}")


@pytest.mark.parametrize("line", ["200 OK", "299 Something Else", "299", "599 ", "404 Not\tFound", "201 Cr\xe9ated"])
def test_status_and_headers_of_the_answer_arrive_as_they_were_sent(
    cluster: ScriptedCluster, native_url: str, line: str
) -> None:
    names = 'Warning: 299 OpenSearch "a"\r\nWarning: 299 OpenSearch "b"\r\nLocation: /x\r\nX-Odd: Ã\x85\xe9\r\n'
    told = f"HTTP/1.1 {line}\r\n{names}Content-Length: 2\r\nConnection: close\r\n\r\n{{}}".encode("latin-1")
    with connect(native_url) as client:
        client.sendall(request_bytes("GET", "/"))
        visit = cluster.visit()
        visit.request()
        visit.send(told)
        received = b""
        while not received.endswith(b"\r\n\r\n{}"):
            received += client.recv(1)
    expected = told.decode("latin-1").replace("Connection: close\r\n", "").replace("299\r\n", "299 \r\n")
    assert received.decode("latin-1") == expected


def test_answers_without_a_body_keep_their_length(cluster: ScriptedCluster, native_url: str) -> None:
    def head_only(visit: Visit) -> None:
        visit.request()
        visit.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n")
        visit.request()
        visit.send(b"HTTP/1.1 304 Not Modified\r\nETag: x\r\n\r\n")

    cluster.answers(head_only)
    answered = exchange(native_url, "HEAD", "/")
    assert (answered.values("content-length"), answered.body) == (["1234"], b"")
    assert exchange(native_url, "GET", "/").status == 304
