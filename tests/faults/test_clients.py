"""Clients that stall, vanish or send a byte a second: others are served, and nothing of theirs stays behind."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from urllib.parse import urlsplit

import pytest

from tests.faults.machines import held_by
from tests.fix_server import SMALL, Sidecar

pytestmark = pytest.mark.faults

STALLED = 60
"""More than the server has threads."""
SLOW_SECONDS = 20.0
MOST_SECONDS = 5.0
CROWDED_SECONDS = 15.0
MORE_FILES = 10


@pytest.fixture(scope="module")
def served(node: str) -> Iterator[Sidecar]:
    with Sidecar({"OPENSEARCH_URL": node}) as running:
        yield running


@pytest.fixture
def filled(served: Sidecar, index_name: str) -> str:
    assert served.post(f"/indexes/{index_name}", SMALL).status_code == 200
    served.add(index_name, [{"_id": "1", "title": "one"}])
    return index_name


@pytest.fixture(params=["api", "native"])
def address(served: Sidecar, request: pytest.FixtureRequest) -> tuple[str, int]:
    parts = urlsplit(served.url if request.param == "api" else served.native_url)
    return parts.hostname or "", parts.port or 0


def assert_is_served(served: Sidecar, index: str, within: float = MOST_SECONDS) -> None:
    began = time.monotonic()
    for _ in range(5):
        answer = served.post(f"/indexes/{index}/search", {"q": "one"})
        assert answer.json()["hits"][0]["_id"] == "1"
        native = served.session.get(f"{served.native_url}/{index}/_count", timeout=30)
        assert native.json()["count"] == 1
    assert time.monotonic() - began < within


def begun_requests(address: tuple[str, int], index: str, count: int, stack: ExitStack) -> list[socket.socket]:
    """Connections whose request has a head that promises a body, and the body's first byte."""
    head = f"POST /indexes/{index}/documents HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    started = []
    for _ in range(count):
        client = stack.enter_context(socket.create_connection(address, timeout=30))
        client.sendall(f"{head}Content-Length: 1000\r\n\r\n{{".encode())
        started.append(client)
    return started


def test_clients_that_stall_in_a_head_hold_up_nobody_for_long(
    served: Sidecar, filled: str, address: tuple[str, int]
) -> None:
    with ExitStack() as stack:
        for _ in range(STALLED):
            client = stack.enter_context(socket.create_connection(address, timeout=30))
            client.sendall(b"POST /indexes/x/documents HTTP/1.1\r\nHost:")
        assert_is_served(served, filled, CROWDED_SECONDS)
        assert_is_served(served, filled)


def test_clients_that_stall_in_a_body_hold_up_nobody_for_long(
    served: Sidecar, filled: str, address: tuple[str, int]
) -> None:
    with ExitStack() as stack:
        begun_requests(address, filled, STALLED, stack)
        assert_is_served(served, filled, CROWDED_SECONDS)
        assert_is_served(served, filled)


def test_clients_that_vanish_leave_nothing_behind(served: Sidecar, filled: str, address: tuple[str, int]) -> None:
    assert_is_served(served, filled)
    before = held_by(served.process.pid)
    for _ in range(10):
        with ExitStack() as stack:
            begun_requests(address, filled, 8, stack)
    assert_is_served(served, filled)
    until = time.monotonic() + 60
    while (now := held_by(served.process.pid)).files > before.files + MORE_FILES and time.monotonic() < until:
        time.sleep(0.2)
    assert now.files <= before.files + MORE_FILES
    assert served.get(f"/indexes/{filled}/stats").json()["numberOfDocuments"] == 1


def test_a_client_that_sends_a_byte_a_second_is_served_and_holds_up_nobody(
    served: Sidecar, filled: str, address: tuple[str, int]
) -> None:
    body = json.dumps({"q": "one"}).encode()
    path = f"/indexes/{filled}/search" if address[1] == urlsplit(served.url).port else f"/{filled}/_count"
    body = body if "indexes" in path else b'{"query":{"match_all":{}}}'
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    with socket.create_connection(address, timeout=60) as client:
        sent, until = head.encode() + body, time.monotonic() + SLOW_SECONDS
        place = 0
        while place < len(sent) and time.monotonic() < until:
            client.sendall(sent[place : place + 1])
            place += 1
            if place % 5 == 0:
                assert_is_served(served, filled)
            time.sleep(1.0)
        client.sendall(sent[place:])
        assert client.recv(65_536).startswith(b"HTTP/1.1 200")
