import gzip
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import trustme

from sidecar.embedding.media import addresses
from sidecar.embedding.media.fetching import MAX_REDIRECTS, Fetcher, FetchRules, fetch_to_file
from sidecar.embedding.media.unreadable import Unreadable
from sidecar.errors import MediaError
from tests.embedding.media.file_server import FileServer, chunked, drip, file, raw, redirect, status

CONTENT = bytes(range(256)) * 1000
RULES = FetchRules(allow_private=True, max_bytes=300_000, timeout_seconds=5)


@pytest.fixture
def server() -> Iterator[FileServer]:
    with FileServer() as running:
        running.answers["/x"] = file(CONTENT)
        yield running


@pytest.fixture
def fetcher() -> Iterator[Fetcher]:
    opened = Fetcher(RULES)
    yield opened
    opened.close()


def refusal(url: str, rules: FetchRules = RULES, headers: dict[str, str] | None = None) -> str:
    with pytest.raises(Unreadable) as refused:
        Fetcher(rules).fetch(url, headers or {})
    return str(refused.value)


def resolve_as(monkeypatch: pytest.MonkeyPatch, **hosts: list[str]) -> None:
    """Let each host (underscores are dots) have one address after the other; the last one stays."""
    real = socket.getaddrinfo

    def look_up(host: str, *args: Any, **options: Any) -> Any:
        answers = hosts.get(host.replace(".", "_"))
        found = host if answers is None else answers.pop(0) if len(answers) > 1 else answers[0]
        return real(found, *args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)


def call_public(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    """Let an address of this machine count as one of the internet's, where no test server can be."""
    real = addresses.is_public
    monkeypatch.setattr(addresses, "is_public", lambda one: one == ipaddress.ip_address(address) or real(one))


def test_fetch_returns_the_bytes(server: FileServer, fetcher: Fetcher) -> None:
    server.answers["/chunked"] = chunked(CONTENT[:10], CONTENT[10:])
    server.answers["/until-closed"] = raw(b"HTTP/1.1 200 OK\r\n\r\n" + CONTENT)
    for path in ("/x", "/chunked", "/until-closed"):
        assert fetcher.fetch(server.url(path), {}) == CONTENT


def test_fetch_sends_the_headers_and_its_own(server: FileServer, fetcher: Fetcher) -> None:
    fetcher.fetch(server.url("/x"), {"X-Key": "secret", "user-agent": "mine"})
    path, headers = server.requests[0]
    assert path == "/x"
    assert (headers["x-key"], headers["user-agent"]) == ("secret", "mine")
    assert headers["host"] == f"127.0.0.1:{server.port}"


def test_fetch_sends_the_password_of_the_url(server: FileServer, fetcher: Fetcher) -> None:
    fetcher.fetch(server.url("/x", host="me:p%40ss@127.0.0.1"), {})
    assert server.requests[0][1]["authorization"] == "Basic bWU6cEBzcw=="


@pytest.mark.parametrize("name", ["Host", "content-length", "a b", ""])
def test_fetch_refuses_headers_that_would_change_the_request(server: FileServer, name: str) -> None:
    assert "header" in refusal(server.url("/x"), headers={name: "1"})
    assert "header" in refusal(server.url("/x"), headers={"X-Key": "1\r\nHost: other"})
    assert not server.requests


def test_fetch_keeps_the_connection_for_the_next_file(server: FileServer, fetcher: Fetcher) -> None:
    for _ in range(3):
        fetcher.fetch(server.url("/x"), {})
    assert server.connections == 1


def test_fetch_connects_anew_when_the_server_has_closed_the_kept_connection(
    server: FileServer, fetcher: Fetcher
) -> None:
    # Without "Connection: close": the client can't know before it asks again.
    server.answers["/last"] = raw(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx")
    assert fetcher.fetch(server.url("/last"), {}) == b"x"
    assert fetcher.fetch(server.url("/x"), {}) == CONTENT
    assert server.connections == 2


def test_fetch_serves_many_threads(server: FileServer, fetcher: Fetcher) -> None:
    with ThreadPoolExecutor(8) as pool:
        for content in pool.map(lambda _: fetcher.fetch(server.url("/x"), {}), range(40)):
            assert content == CONTENT


def test_fetch_undoes_the_content_encoding(server: FileServer, fetcher: Fetcher) -> None:
    server.answers["/gzip"] = file(gzip.compress(CONTENT), Content_Encoding="gzip")
    assert fetcher.fetch(server.url("/gzip"), {}) == CONTENT
    server.answers["/no-gzip"] = file(b"not at all", Content_Encoding="gzip")
    assert "damaged" in refusal(server.url("/no-gzip"))


def test_fetch_refuses_a_small_answer_that_unpacks_to_a_large_file(server: FileServer) -> None:
    server.answers["/gzip"] = file(gzip.compress(bytes(50_000_000)), Content_Encoding="gzip")
    assert "300,000" in refusal(server.url("/gzip"))


@pytest.mark.parametrize("code", [204, 304, 400, 404, 500])
def test_fetch_tells_an_answer_that_is_no_file(server: FileServer, code: int) -> None:
    server.answers["/x"] = status(code)
    assert f"HTTP status {code}" in refusal(server.url("/x"))


def test_fetch_refuses_too_many_bytes_with_and_without_a_length(server: FileServer) -> None:
    server.answers["/long"] = file(bytes(300_001))
    server.answers["/chunked"] = chunked(bytes(200_000), bytes(100_001))
    server.answers["/lying"] = raw(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n" + bytes(400_000))
    server.answers["/endless"] = raw(b"HTTP/1.1 200 OK\r\n\r\n" + bytes(400_000))
    assert "the file has 300,001 bytes; the limit is 300,000" in refusal(server.url("/long"))
    for path in ("/chunked", "/endless"):
        assert "more than 300,000 bytes" in refusal(server.url(path))
    assert Fetcher(RULES).fetch(server.url("/lying"), {}) == bytes(10)


def test_fetch_refuses_an_empty_file_and_one_that_breaks_off(server: FileServer) -> None:
    server.answers["/empty"] = file(b"")
    server.answers["/part"] = raw(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345")
    server.answers["/garbage"] = raw(b"\x00\x01\x02 no http\r\n\r\n")
    assert "empty" in refusal(server.url("/empty"))
    assert "breaks off" in refusal(server.url("/part"))
    assert "connection failed" in refusal(server.url("/garbage"))


@pytest.mark.parametrize(
    "start", [b"", b"HTTP/1.1 200 OK\r\nX-Slow: ", b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"]
)
def test_fetch_ends_in_time_though_a_byte_comes_now_and_then(server: FileServer, start: bytes) -> None:
    server.answers["/slow"] = drip(server, start)
    began = time.monotonic()
    told = refusal(server.url("/slow"), FetchRules(allow_private=True, timeout_seconds=0.4))
    assert "did not come in time: the limit is 0.4 seconds" in told
    assert time.monotonic() - began < 3


def test_fetch_gives_up_a_silence(server: FileServer) -> None:
    server.answers["/silent"] = lambda handler: (server.stopping.wait(20), None)[1]
    rules = FetchRules(allow_private=True, timeout_seconds=60, idle_seconds=0.2)
    assert "0.2 without a byte" in refusal(server.url("/silent"), rules)


def test_fetch_has_one_deadline_for_all_redirects(server: FileServer) -> None:
    for number in range(MAX_REDIRECTS):
        server.answers[f"/{number}"] = lambda handler, following=number + 1: (
            server.stopping.wait(0.3),
            redirect(f"/{following}")(handler),
        )[1]
    assert "in time" in refusal(server.url("/0"), FetchRules(allow_private=True, timeout_seconds=0.7))
    assert len(server.requests) <= 3


def test_fetch_tells_a_refused_connection_without_the_address() -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    told = refusal(f"http://localhost:{port}/x")
    assert "Connection refused" in told
    assert "127.0.0.1" not in told


def test_fetch_follows_redirects_up_to_a_limit(server: FileServer, fetcher: Fetcher) -> None:
    server.answers["/absolute"] = redirect(server.url("/relative"), 308)
    server.answers["/relative"] = redirect("x", 303)
    server.answers["/loop"] = redirect("/loop")
    assert fetcher.fetch(server.url("/absolute"), {}) == CONTENT
    assert "redirects more than 5 times" in refusal(server.url("/loop"))


def test_fetch_gives_headers_and_password_to_no_other_host(server: FileServer, fetcher: Fetcher) -> None:
    server.answers["/same"] = redirect("/away")
    with FileServer() as other:
        other.answers["/x"] = file(CONTENT)
        server.answers["/away"] = redirect(other.url("/x"))
        fetcher.fetch(server.url("/same", host="me:pass@127.0.0.1"), {"X-Key": "secret"})
        same, away = (headers for _, headers in server.requests)
        assert same["x-key"] == away["x-key"] == "secret"
        assert "authorization" in away
        elsewhere = other.requests[0][1]
    assert "x-key" not in elsewhere
    assert "authorization" not in elsewhere


@pytest.mark.parametrize("location", ["file:///etc/passwd", "ftp://127.0.0.1/x", "data:image/png;base64,AA"])
def test_fetch_follows_no_redirect_to_another_scheme(server: FileServer, location: str) -> None:
    server.answers["/x"] = redirect(location)
    assert "only http and https" in refusal(server.url("/x"))


def test_fetch_refuses_a_redirect_to_a_private_address(server: FileServer, monkeypatch: pytest.MonkeyPatch) -> None:
    call_public(monkeypatch, "127.0.0.1")
    with FileServer(address="127.0.0.2") as private:
        server.answers["/x"] = redirect(private.url("/x", host="127.0.0.2"))
        assert "not public" in refusal(server.url("/x"), FetchRules())
        assert private.connections == 0
    assert len(server.requests) == 1


def test_fetch_refuses_a_name_that_stands_for_a_private_address(
    server: FileServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolve_as(monkeypatch, inside_example=["127.0.0.1"])
    assert "host 'inside.example' has an address that is not public" in refusal(
        server.url("/x", host="inside.example"), FetchRules()
    )
    assert server.connections == 0


def test_fetch_connects_to_the_address_that_was_checked(server: FileServer, monkeypatch: pytest.MonkeyPatch) -> None:
    call_public(monkeypatch, "127.0.0.1")
    # A name that changes sides between the check and a second look.
    resolve_as(monkeypatch, rebound_example=["127.0.0.1", "127.0.0.2"])
    with FileServer(address="127.0.0.2", port=server.port) as private:
        assert Fetcher(FetchRules()).fetch(server.url("/x", host="rebound.example"), {}) == CONTENT
        assert private.connections == 0
    assert server.requests[0][1]["host"] == f"rebound.example:{server.port}"


def test_fetch_takes_the_next_address_when_one_is_dead(server: FileServer, monkeypatch: pytest.MonkeyPatch) -> None:
    entries = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, 0)) for one in ("127.0.0.3", "127.0.0.1")]
    real = socket.getaddrinfo
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda host, *args, **options: entries if host == "two.example" else real(host, *args, **options),
    )
    assert Fetcher(RULES).fetch(server.url("/x", host="two.example"), {}) == CONTENT


@pytest.mark.parametrize("url", ["http://[::1/x", "http://:80/x", "gopher://127.0.0.1/x", "http://a:99999/"])
def test_fetch_tells_what_is_no_url(url: str) -> None:
    assert refusal(url)


@pytest.fixture
def tls_server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FileServer]:
    """A server whose certificate is for pictures.example, signed by an authority that this process trusts."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("pictures.example").configure_cert(context)
    with FileServer(tls=context) as running:
        running.answers["/x"] = file(CONTENT)
        yield running


def test_fetch_checks_the_certificate_for_the_name_and_not_for_the_address(
    tls_server: FileServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolve_as(monkeypatch, pictures_example=["127.0.0.1"], others_example=["127.0.0.1"])
    fetcher = Fetcher(RULES)
    for _ in range(2):
        assert fetcher.fetch(tls_server.url("/x", host="pictures.example"), {}) == CONTENT
    assert tls_server.connections == 1
    for host in ("others.example", "127.0.0.1"):
        assert "certificate is not valid" in refusal(tls_server.url("/x", host=host))


def test_fetch_refuses_a_certificate_that_nobody_signed(
    tls_server: FileServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolve_as(monkeypatch, pictures_example=["127.0.0.1"])
    monkeypatch.delenv("SSL_CERT_FILE")
    assert "certificate is not valid" in refusal(tls_server.url("/x", host="pictures.example"))


def test_fetch_uses_no_proxy_of_the_environment(server: FileServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.9:1")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.9:1")
    assert Fetcher(RULES).fetch(server.url("/x"), {}) == CONTENT


def test_fetch_to_file_writes_the_file_and_tells_its_progress(server: FileServer, tmp_path: Path) -> None:
    told: list[tuple[int, int | None]] = []
    fetch_to_file(
        server.url("/x"), tmp_path / "model", rules=RULES, on_progress=lambda got, total: told.append((got, total))
    )
    assert (tmp_path / "model").read_bytes() == CONTENT
    assert told[-1] == (len(CONTENT), len(CONTENT))
    assert [got for got, _ in told] == sorted(got for got, _ in told)


def test_fetch_to_file_leaves_nothing_behind_when_it_fails(server: FileServer, tmp_path: Path) -> None:
    server.answers["/part"] = raw(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345")
    with pytest.raises(MediaError, match=r"/part' can't be fetched: the server's answer is damaged or breaks off"):
        fetch_to_file(server.url("/part"), tmp_path / "model", rules=RULES)
    assert list(tmp_path.iterdir()) == []


def test_fetch_to_file_lets_the_faults_of_the_disk_be_told_as_such(server: FileServer, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        fetch_to_file(server.url("/x"), tmp_path / "none" / "model", rules=RULES)


def test_fetch_leaves_no_thread_behind(server: FileServer, fetcher: Fetcher) -> None:
    fetcher.fetch(server.url("/x"), {})
    assert not [thread for thread in threading.enumerate() if thread.name == "resolve"]


def test_fetch_to_file_tells_nothing_of_what_signs_the_address(server: FileServer, tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="/none' can't be fetched") as refused:
        fetch_to_file(server.url("/none?X-Amz-Signature=hunter2"), tmp_path / "model", rules=RULES)
    assert "hunter2" not in refused.value.message
    assert server.requests[0][0] == "/none?X-Amz-Signature=hunter2"
