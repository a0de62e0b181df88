"""What comes to the native port passes to the cluster as it is, and the cluster's answer comes back as it is."""

from __future__ import annotations

import http.client
from urllib.parse import urlsplit

import pytest

from tests.fix_server import Sidecar

Exchange = tuple[int, list[tuple[str, str]], bytes]
_SERVERS_OWN = {"date", "server", "connection"}


def exchange(url: str, method: str, target: str, body: bytes | None = None, **headers: str) -> Exchange:
    """One exchange without any help of a client library; headers are sorted, by lower-case names."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
    try:
        connection.putrequest(method, target, skip_accept_encoding=True)
        for name, value in headers.items():
            connection.putheader(name.replace("_", "-"), value)
        if body is not None:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        answer = connection.getresponse()
        told = [(name.lower(), value) for name, value in answer.getheaders() if name.lower() not in _SERVERS_OWN]
        return answer.status, sorted(told), answer.read()
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("GET", "/"),
        ("HEAD", "/"),
        ("GET", "/_cat/indices/nothing-*?format=json"),
        ("GET", "/no-such-index/_search"),
        ("OPTIONS", "/"),
        ("PATCH", "/"),
        ("GET", "/a/../_cluster"),
        ("GET", "//_count"),
    ],
)
def test_answers_are_those_of_the_cluster(sidecar: Sidecar, node: str, method: str, target: str) -> None:
    assert exchange(sidecar.native_url, method, target) == exchange(node, method, target)
