"""Addresses inside, however they are written: nothing is asked there, and nothing is told of what there is."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import pytest

from sidecar.embedding.endpoint_client import EndpointAccess, EndpointClient
from sidecar.embedding.media.fetching import Fetcher, FetchRules
from sidecar.embedding.media.unreadable import Unreadable
from sidecar.errors import EndpointError
from tests.embedding.media.file_server import FileServer, file, redirect
from tests.embedding.media.test_fetching import call_public, resolve_as

THIS_MACHINE = [
    "127.0.0.1",
    "127.0.0.1.",
    "127.1",
    "127.0.1",
    "2130706433",
    "0x7f000001",
    "0x7f.1",
    "0x7f.0.0.0x1",
    "0177.0.0.1",
    "017700000001",
    "0",
    "0.0.0.0",
    "127.0.0.1%00.good.example",
    "good.example@127.0.0.1",
    "good.example:80@127.0.0.1",
    "good.example%40127.0.0.1@127.0.0.1",
    "127.0.0.1\\@good.example",
    "127.0.0.1#@good.example",
    "127.0.0.1?@good.example",
    "127。0。0。1",
    "①②⑦.0.0.1",
    "localhost",
    "LOCALHOST.",
    "loc%61lhost",
    "[::1]",
    "[0:0:0:0:0:0:0:1]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::127.0.0.1]",
    "[64:ff9b::127.0.0.1]",
    "[2002:7f00:1::]",
    "[fe80::1%25lo]",
    "[::1%25lo]",
]
INSIDE = [
    "10.0.0.1",
    "0xa.1",
    "012.0.0.1",
    "169.254.169.254",
    "2852039166",
    "0251.0376.0251.0376",
    "[::ffff:169.254.169.254]",
    "[64:ff9b::a9fe:a9fe]",
    "[fd00:ec2::254]",
    "100.100.100.200",
    "192.0.0.192",
    "168.63.129.16",
    "192.168.0.1",
    "172.16.0.1",
    "100.64.0.1",
    "[fc00::1]",
    "[fec0::1]",
    "[ff02::1]",
]


@pytest.fixture
def server() -> Iterator[FileServer]:
    """A server inside; it listens on all addresses of this machine."""
    with FileServer(address="0.0.0.0") as running:
        running.answers["/x"] = file(b"secret")
        yield running


def refusal(url: str) -> str:
    with pytest.raises(Unreadable) as refused:
        Fetcher(FetchRules(timeout_seconds=5)).fetch(url, {})
    return str(refused.value)


@pytest.mark.parametrize("host", THIS_MACHINE)
def test_this_machine_is_not_asked_however_it_is_written(server: FileServer, host: str) -> None:
    told = refusal(f"http://{host}:{server.port}/x")
    assert server.connections == 0
    assert "secret" not in told


@pytest.mark.parametrize("host", INSIDE)
def test_address_inside_is_told_as_such_without_being_asked(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def connect(*arguments: Any, **options: Any) -> None:
        raise AssertionError("a connection was tried")

    monkeypatch.setattr(socket.socket, "connect", connect)
    assert "has an address that is not public" in refusal(f"http://{host}/latest/meta-data/")


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "FILE:///etc/passwd",
        "ftp://127.0.0.1/x",
        "gopher://127.0.0.1:25/x",
        "dict://127.0.0.1:11211/stats",
        "data:text/plain,x",
        "jar:http://127.0.0.1!/x",
        "//127.0.0.1/x",
        "127.0.0.1/x",
        "http:127.0.0.1/x",
        "http:///x",
        "javascript:alert(1)",
        "unix:/var/run/docker.sock",
        "",
    ],
)
def test_nothing_but_http_is_asked(url: str) -> None:
    assert refusal(url)


def test_what_listens_inside_is_told_as_what_does_not(server: FileServer) -> None:
    free = socket.create_server(("127.0.0.1", 0))
    port = free.getsockname()[1]
    free.close()
    open_port, closed_port = (refusal(f"http://127.0.0.1:{one}/x") for one in (server.port, port))
    assert open_port == closed_port
    assert "127.0.0.1" in open_port, "as it was asked for, and not as it was found"


def test_second_redirect_leads_inside_no_more_than_the_first(
    server: FileServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    call_public(monkeypatch, "127.0.0.2")
    with FileServer(address="127.0.0.2") as outside:
        for step, target in ((1, "/2"), (2, "/3"), (3, server.url("/x", host="127.0.0.1"))):
            outside.answers[f"/{step}"] = redirect(target, 307)
        assert "not public" in refusal(outside.url("/1", host="127.0.0.2"))
        assert len(outside.requests) == 3
    assert server.connections == 0


@pytest.mark.parametrize("location", ["http://127.1:{port}/x", "//0x7f.1:{port}/x", "\\\\127.0.0.1:{port}\\x"])
def test_redirect_is_read_as_an_address_is(server: FileServer, location: str, monkeypatch: pytest.MonkeyPatch) -> None:
    call_public(monkeypatch, "127.0.0.2")
    with FileServer(address="127.0.0.2") as outside:
        outside.answers["/x"] = redirect(location.format(port=server.port))
        assert refusal(outside.url("/x", host="127.0.0.2"))
    assert server.connections == 0


def test_name_that_changes_sides_while_a_connection_is_kept_is_asked_anew(
    server: FileServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    call_public(monkeypatch, "127.0.0.2")
    with FileServer(address="127.0.0.2", port=0) as outside:
        outside.answers["/x"] = file(b"outside")
        fetcher = Fetcher(FetchRules())
        resolve_as(monkeypatch, changing_example=["127.0.0.2", "127.0.0.1"])
        url = outside.url("/x", host="changing.example")
        assert fetcher.fetch(url, {}) == b"outside"
        with pytest.raises(Unreadable, match="not public"):
            fetcher.fetch(url, {})
        fetcher.close()


@pytest.mark.parametrize("host", ["127.0.0.1", "2130706433", "localhost", "[::ffff:7f00:1]", "0x7f.1"])
def test_endpoint_inside_is_not_asked_unless_the_operator_names_it(server: FileServer, host: str) -> None:
    access = EndpointAccess(f"http://{host}:{server.port}/v1/embeddings?key=hunter2", "token", False, 5.0, 0)
    with pytest.raises(EndpointError, match="not public") as refused:
        EndpointClient(access).post({"input": ["x"]})
    assert server.connections == 0
    assert "hunter2" not in refused.value.message
