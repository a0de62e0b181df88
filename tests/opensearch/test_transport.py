from __future__ import annotations

import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from sidecar.errors import ConfigurationError, OpenSearchTimeout, OpenSearchUnreachable
from sidecar.opensearch.address import ClusterAddress
from sidecar.opensearch.connections import TransportOptions
from sidecar.opensearch.transport import Request, Transport
from tests.fault_server import HANG_UP, FaultServer, answer

OK = answer(b"{}")
READ = Request("GET", "/")
REPEATABLE = Request("POST", "/a/_search", b"{}", is_repeatable=True)
ONCE = Request("PUT", "/a", b"{}")


def transport_to(url: str, options: TransportOptions | None = None) -> Transport:
    return Transport(ClusterAddress(url), options or TransportOptions(timeout_seconds=30))


def test_send_returns_status_headers_and_body() -> None:
    with FaultServer([answer(b'{"a":1}', "404 Not Found")]) as server:
        response = transport_to(server.url).send(READ)
    assert (response.status, response.body) == (404, b'{"a":1}')
    assert response.headers["Content-Type"] == "application/json"


def test_send_adds_prefix_authorization_and_content_type() -> None:
    with FaultServer([OK]) as server:
        url = server.url.replace("http://", "http://user:pass@") + "/prefix"
        transport_to(url).send(Request("POST", "/a/_bulk", b"x\n", "application/x-ndjson"))
        (request,) = server.requests
    assert request.first_line == "POST /prefix/a/_bulk HTTP/1.1"
    assert "Authorization: Basic dXNlcjpwYXNz" in request.head
    assert "Content-Type: application/x-ndjson" in request.head
    assert request.body == b"x\n"


def test_send_reuses_one_connection() -> None:
    with FaultServer([OK] * 3) as server:
        transport = transport_to(server.url)
        for _ in range(3):
            transport.send(READ)
        assert server.connections == 1


def test_send_opens_a_new_connection_when_the_answer_closes_the_old_one() -> None:
    with FaultServer([answer(b"{}", closes=True), OK]) as server:
        transport = transport_to(server.url)
        assert [transport.send(ONCE).status, transport.send(ONCE).status] == [200, 200]
        assert server.connections == 2


def test_send_does_not_use_an_idle_connection_that_the_server_has_closed() -> None:
    with FaultServer([OK, OK]) as server:
        transport = transport_to(server.url)
        transport.send(ONCE)
        server.drop_connections()
        assert transport.send(ONCE).status == 200
        assert len(server.requests) == 2


@pytest.mark.parametrize("request_", [READ, REPEATABLE])
def test_send_repeats_once_when_a_reused_connection_closes_without_an_answer(request_: Request) -> None:
    with FaultServer([OK, HANG_UP, OK]) as server:
        transport = transport_to(server.url)
        transport.send(request_)
        assert transport.send(request_).status == 200
        assert len(server.requests) == 3


def test_send_does_not_repeat_what_is_not_repeatable() -> None:
    with FaultServer([OK, HANG_UP, OK]) as server:
        transport = transport_to(server.url)
        transport.send(ONCE)
        with pytest.raises(OpenSearchUnreachable):
            transport.send(ONCE)
        assert len(server.requests) == 2


def test_send_does_not_repeat_on_a_fresh_connection() -> None:
    with FaultServer([HANG_UP, OK]) as server:
        with pytest.raises(OpenSearchUnreachable, match="failed"):
            transport_to(server.url).send(READ)
        assert len(server.requests) == 1


def test_send_does_not_repeat_when_the_answer_breaks_off() -> None:
    with FaultServer([OK, OK[:-1], OK]) as server:
        transport = transport_to(server.url)
        transport.send(READ)
        with pytest.raises(OpenSearchUnreachable, match="IncompleteRead"):
            transport.send(READ)
        assert len(server.requests) == 2


def test_send_reads_the_answer_of_a_server_that_hangs_up_on_a_long_body() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def refuse() -> None:
            connection, _ = listener.accept()
            connection.recv(1024)
            connection.sendall(answer(b'{"error":"too long"}', "413 Too Large", closes=True))
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(1 << 20):  # read on, so that no reset destroys the answer
                pass

        threading.Thread(target=refuse, daemon=True).start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        assert transport_to(url).send(Request("POST", "/_bulk", b"x" * 20_000_000)).status == 413


def test_send_keeps_no_more_idle_connections_than_it_is_told() -> None:
    with FaultServer([OK] * 8) as server:
        transport = transport_to(server.url, TransportOptions(connections=2))
        barrier = threading.Barrier(4)

        def send(_: int) -> int:
            barrier.wait()
            return transport.send(READ).status

        with ThreadPoolExecutor(4) as pool:
            assert list(pool.map(send, range(4))) == [200] * 4
        opened = server.connections
        assert [transport.send(READ).status for _ in range(4)] == [200] * 4
        assert server.connections == opened


def test_send_says_where_nothing_listens() -> None:
    with FaultServer() as server:
        url = server.url
    with pytest.raises(OpenSearchUnreachable, match=f"Nothing listens at {url}"):
        transport_to(url).send(READ)


def test_send_names_the_host_that_has_no_address() -> None:
    with pytest.raises(OpenSearchUnreachable, match=r"'no-such-host\.invalid'"):
        transport_to("http://no-such-host.invalid:9200").send(READ)


def test_send_says_which_time_was_not_kept() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        started = time.monotonic()
        with pytest.raises(OpenSearchTimeout, match=r"within 0\.05 s"):
            transport_to(url).send(READ, timeout_seconds=0.05)
        assert time.monotonic() - started < 5


def test_send_asks_whether_the_server_speaks_https_when_it_does_not() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer_plainly() -> None:
            connection, _ = listener.accept()
            connection.recv(1024)
            connection.sendall(answer(b"{}", "400 Bad Request"))

        threading.Thread(target=answer_plainly, daemon=True).start()
        url = f"https://127.0.0.1:{listener.getsockname()[1]}"
        with pytest.raises(OpenSearchUnreachable, match="Does it speak https"):
            transport_to(url).send(READ)


def test_send_follows_an_address_that_changes() -> None:
    with FaultServer([OK]) as first, FaultServer([OK]) as second:
        address = ClusterAddress(first.url)
        transport = Transport(address, TransportOptions())
        transport.send(READ)
        address.announce(second.url)
        transport.send(READ)
        assert (len(first.requests), len(second.requests)) == (1, 1)


def test_a_request_can_not_carry_a_second_header_line() -> None:
    with FaultServer([OK]) as server, pytest.raises(OpenSearchUnreachable):
        transport_to(server.url).send(Request("GET", "/a HTTP/1.1\r\nX-Evil: 1"))


def test_tls_is_verified_unless_told_otherwise(tls_url: str, tls_certificate: Path) -> None:
    with pytest.raises(OpenSearchUnreachable, match="SIDECAR_OPENSEARCH_CA_FILE"):
        transport_to(tls_url).send(READ)
    assert transport_to(tls_url, TransportOptions(ca_file=tls_certificate)).send(READ).status == 200
    assert transport_to(tls_url, TransportOptions(verify_tls=False)).send(READ).status == 200


def test_tls_names_the_authority_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="SIDECAR_OPENSEARCH_CA_FILE"):
        transport_to("https://h", TransportOptions(ca_file=tmp_path / "none.pem"))


@pytest.fixture(scope="module")
def tls_certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate for 127.0.0.1; its key lies beside it."""
    certificate = tmp_path_factory.mktemp("tls") / "cert.pem"
    subprocess.run(
        [
            *(
                "openssl",
                "req",
                "-x509",
                "-newkey",
                "rsa:2048",
                "-nodes",
                "-days",
                "1",
                "-subj",
                "/CN=127.0.0.1",
            ),
            *("-addext", "subjectAltName=IP:127.0.0.1"),
            *("-keyout", str(certificate.with_suffix(".key")), "-out", str(certificate)),
        ],
        check=True,
        capture_output=True,
    )
    return certificate


@pytest.fixture
def tls_url(tls_certificate: Path) -> Iterator[str]:
    with _tls_server(tls_certificate) as url:
        yield url


@contextmanager
def _tls_server(certificate: Path) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, format: str, *args: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, certificate.with_suffix(".key"))
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield f"https://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
