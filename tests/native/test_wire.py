"""The limits, encodings and manners of HTTP at the native port are OpenSearch's own."""

from __future__ import annotations

import gzip
import json
import socket
import zlib

import pytest

from tests.fix_server import Sidecar
from tests.native.exchanges import (
    JSON,
    NDJSON,
    Answered,
    Header,
    answer_on,
    chunked,
    connect,
    converse,
    exchange,
    request_bytes,
)

QUERY = b'{"query":{"match_all":{}},"size":0}'
CHUNKED: Header = ("Transfer-Encoding", "chunked")


def sent(url: str, data: bytes, method: str = "GET") -> Answered:
    """The answer to bytes sent over a connection of their own."""
    with connect(url) as connection:
        connection.sendall(data)
        return answer_on(connection, method)


def line_of(length: int) -> str:
    """A target that makes a GET line of so many bytes."""
    start = "/_cluster/health?filter_path=status,"
    return start + "x" * (length - len(f"GET {start} HTTP/1.1"))


@pytest.mark.parametrize("length", [4094, 4096, 4097, 8190, 8191, 20_000])
def test_long_lines_are_the_clusters(sidecar: Sidecar, node: str, length: int) -> None:
    direct = exchange(node, "GET", line_of(length))
    assert exchange(sidecar.native_url, "GET", line_of(length)) == direct
    assert direct.status == (200 if length <= 4096 else 400)


def test_line_without_end_is_refused_in_the_clusters_words(sidecar: Sidecar, node: str) -> None:
    answered = exchange(sidecar.native_url, "GET", line_of(70_000))
    assert answered.status == exchange(node, "GET", line_of(70_000)).status == 400
    assert json.loads(answered.body)["error"]["type"] == "too_long_http_line_exception"


@pytest.mark.parametrize(
    "headers",
    [
        [("X-Long", "x" * 12_000)],
        [(f"X-Many-{number}", "x" * 50) for number in range(200)],
        [("X-Long", "x" * 10_000), ("X-Longer", "x" * 10_000)],
        [("Accept", "*/*"), ("X-Empty", ""), ("X-Twice", "1"), ("X-Twice", "2")],
        [("X-Opaque-Id", "Ã\x85")],
    ],
)
def test_large_and_odd_headers_are_the_clusters(sidecar: Sidecar, node: str, headers: list[Header]) -> None:
    assert exchange(sidecar.native_url, "GET", "/", None, headers) == exchange(node, "GET", "/", None, headers)


def test_head_over_the_limit_spoils_no_connection_for_others(sidecar: Sidecar) -> None:
    for _ in range(3):
        assert exchange(sidecar.native_url, "GET", "/", None, [("X-A", "x" * 9000), ("X-B", "x" * 9000)]).status == 400
        assert exchange(sidecar.native_url, "GET", line_of(5000)).status == 400
        assert exchange(sidecar.native_url, "GET", "/").status == 200


def test_body_over_the_limit_is_refused_as_by_the_cluster(sidecar: Sidecar, node: str) -> None:
    length = 100 * 1024 * 1024 + 1
    head = f"POST /x/_nothing HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n"

    def refused(url: str) -> Answered:
        with connect(url) as connection:
            connection.sendall(head.encode())
            for _ in range(100):
                connection.sendall(b" " * (1024 * 1024))
            connection.sendall(b" ")
            return answer_on(connection)

    direct, passed = refused(node), refused(sidecar.native_url)
    assert passed == direct
    assert (passed.status, passed.body, passed.values("content-length")) == (413, b"", ["0"])


@pytest.mark.parametrize("path", ["/_search", "/_count", "/_nope/_nope"])
@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", gzip.compress(QUERY, mtime=0)),
        ("x-gzip", gzip.compress(QUERY, mtime=0)),
        ("GZIP", gzip.compress(QUERY, mtime=0)),
        ("deflate", zlib.compress(QUERY)),
        ("deflate", zlib.compress(QUERY)[2:-4]),
        ("x-deflate", zlib.compress(QUERY)),
        ("identity", QUERY),
        ("gzip", gzip.compress(QUERY, mtime=0) + gzip.compress(QUERY, mtime=0)),
    ],
)
def test_encoded_requests_are_the_clusters(sidecar: Sidecar, node: str, path: str, encoding: str, body: bytes) -> None:
    headers = [JSON, ("Content-Encoding", encoding)]
    target = f"{path}?allow_no_indices=true&filter_path=hits.total.relation,error,_shards.failed"
    direct = exchange(node, "POST", target, body, headers)
    assert exchange(sidecar.native_url, "POST", target, body, headers) == direct


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "gzip, deflate;q=0.5", "identity", "br", "*"])
def test_encoded_answers_are_the_clusters(sidecar: Sidecar, node: str, encoding: str) -> None:
    target = "/_nodes/_all/settings?filter_path=**.path,**.cluster&pretty"
    headers = [("Accept-Encoding", encoding)]
    direct = exchange(node, "GET", target, None, headers)
    assert exchange(sidecar.native_url, "GET", target, None, headers) == direct
    assert direct.values("content-encoding") or not encoding.startswith(("gzip", "deflate"))


@pytest.mark.parametrize(
    "body",
    [
        chunked([QUERY]),
        chunked([QUERY[:1], QUERY[1:20], QUERY[20:]]),
        chunked([]),
        b"5;name=value\r\n" + QUERY[:5] + b"\r\n" + chunked([QUERY[5:]]),
        chunked([QUERY])[:-2] + b"X-Trailer: 1\r\n\r\n",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_chunked_requests_are_the_clusters(sidecar: Sidecar, node: str, method: str, body: bytes) -> None:
    target = "/_search?allow_no_indices=true&filter_path=hits.total.relation,error"
    data = request_bytes(method, target, None, [JSON, CHUNKED]) + body
    assert sent(sidecar.native_url, data) == sent(node, data)


def test_client_that_waits_for_100_is_told_to_go_on(sidecar: Sidecar, node: str) -> None:
    answers = []
    head = request_bytes("POST", "/_count", None, [JSON, ("Expect", "100-continue"), ("Content-Length", "2")])
    for url in (node, sidecar.native_url):
        with connect(url) as connection:
            connection.sendall(head)
            assert connection.recv(12, socket.MSG_PEEK | socket.MSG_WAITALL) == b"HTTP/1.1 100"
            connection.sendall(b"{}")
            answers.append(answer_on(connection).status)
    assert answers == [200, 200]


def test_expectation_that_nobody_meets_is_refused_as_by_the_cluster(sidecar: Sidecar, node: str) -> None:
    data = request_bytes("GET", "/", None, [("Expect", "miracles")])
    assert sent(sidecar.native_url, data) == sent(node, data)


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\nno colon\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost : x\r\n\r\n",
        b"GET / HTTP/9.9\r\nHost: x\r\n\r\n",
        b"nonsense\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: many\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        request_bytes("POST", "/_count", None, [JSON, CHUNKED]) + b"xyz\r\n",
    ],
)
def test_what_is_no_http_is_refused_in_json(sidecar: Sidecar, data: bytes) -> None:
    answered = sent(sidecar.native_url, data)
    assert answered.status == 400
    assert answered.values("content-type") == ["application/json; charset=UTF-8"]
    assert json.loads(answered.body)["error"]["type"] == "illegal_argument_exception"


def test_connection_lives_on_after_errors(sidecar: Sidecar, node: str) -> None:
    requests = [
        ("GET", "/nope/_search", None, [JSON]),
        ("POST", "/_search", b"{", [JSON]),
        ("POST", "/_bulk", b"\n", [NDJSON]),
        ("POST", "/_search", QUERY, []),
        ("PATCH", "/", None, []),
        ("HEAD", "/nope", None, []),
        ("GET", "/%zz", None, []),
        ("OPTIONS", "/", None, []),
        ("GET", "/", None, []),
    ]
    with connect(sidecar.native_url) as passed, connect(node) as direct:
        for request in requests:
            assert converse(passed, *request) == converse(direct, *request)


def test_requests_one_behind_the_other_are_answered_in_turn(sidecar: Sidecar) -> None:
    with connect(sidecar.native_url) as connection:
        connection.sendall(request_bytes("POST", "/_count", b"{}") + request_bytes("GET", "/nope/_count"))
        stream = connection.makefile("rb")
        statuses = []
        for _ in range(2):
            statuses.append(int(stream.readline().split()[1]))
            length = 0
            while (line := stream.readline()) != b"\r\n":
                if line.lower().startswith(b"content-length:"):
                    length = int(line.split(b":")[1])
            stream.read(length)
    assert statuses == [200, 404]


@pytest.mark.parametrize("header", ["", "Connection: keep-alive\r\n", "Connection: close\r\n"])
def test_old_clients_are_answered(sidecar: Sidecar, header: str) -> None:
    with connect(sidecar.native_url) as connection:
        connection.sendall(f"GET / HTTP/1.0\r\n{header}\r\n".encode())
        assert answer_on(connection).status == 200
        if "keep-alive" in header:
            assert converse(connection, "GET", "/").status == 200
        else:
            assert connection.recv(1) == b""
