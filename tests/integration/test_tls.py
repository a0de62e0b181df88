"""Both faces over TLS, as clients meet them."""

from __future__ import annotations

import datetime
import http.client
import signal
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import trustme
from cryptography.hazmat.primitives import serialization

from sidecar.errors import ConfigurationError
from sidecar.tls import server_context, validity_problem
from tests.cli.test_serve import refusal
from tests.fix_server import Sidecar

_AUTHORITY = trustme.CA()


def written(folder: Path, name: str, *, first_year: int = 2020, last_year: int = 2090) -> tuple[Path, Path]:
    """The files of a new certificate, valid in these years, and of its key."""
    issued = _AUTHORITY.issue_cert(
        *("localhost", "127.0.0.1"),
        not_before=datetime.datetime(first_year, 1, 1),
        not_after=datetime.datetime(last_year, 1, 1),
    )
    certificate, key = folder / f"{name}.pem", folder / f"{name}.key"
    issued.cert_chain_pems[0].write_to_path(certificate)
    issued.private_key_pem.write_to_path(key)
    return certificate, key


@pytest.fixture(scope="module")
def secured(node: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sidecar]:
    """A sidecar with a certificate that replaces an expired one in the middle of the tests."""
    certificate, key = written(tmp_path_factory.mktemp("tls"), "server")
    environment = {"SIDECAR_TLS_CERTIFICATE": str(certificate), "SIDECAR_TLS_KEY": str(key)}
    with Sidecar({"OPENSEARCH_URL": node, **environment}) as sidecar:
        yield sidecar


def secure_client() -> ssl.SSLContext:
    """What a client that trusts the tests' authority speaks TLS with."""
    context = ssl.create_default_context()
    _AUTHORITY.configure_trust(context)
    return context


def serial_number(url: str) -> str:
    """The number of the certificate that the server shows."""
    parts = urlsplit(url)
    with (
        socket.create_connection((parts.hostname, parts.port), timeout=30) as plain,
        secure_client().wrap_socket(plain, server_hostname="localhost") as connection,
    ):
        shown = connection.getpeercert()
    assert shown is not None
    return str(shown["serialNumber"])


def test_both_faces_speak_tls_and_say_so(secured: Sidecar, node: str) -> None:
    for url, path in ((secured.url, "/indexes"), (secured.native_url, "/_cluster/health")):
        assert url.startswith("https://")
        connection = http.client.HTTPSConnection(urlsplit(url).netloc, timeout=30, context=secure_client())
        for _ in range(2):
            connection.request("GET", path)
            answered = connection.getresponse()
            assert answered.status == 200
            answered.read()
            assert not answered.will_close
        connection.close()


def test_long_bodies_pass_over_tls_both_ways(secured: Sidecar, index_name: str) -> None:
    connection = http.client.HTTPSConnection(urlsplit(secured.native_url).netloc, timeout=30, context=secure_client())
    document = b'{"text": "%b"}' % (b"x" * 3_000_000)
    connection.request("PUT", f"/{index_name}/_doc/1", document, {"Content-Type": "application/json"})
    connection.getresponse().read()
    connection.request("GET", f"/{index_name}/_source/1")
    assert connection.getresponse().read() == document
    connection.close()


def test_client_that_speaks_no_tls_is_let_go_and_harms_nobody(secured: Sidecar) -> None:
    for url in (secured.url, secured.native_url):
        parts = urlsplit(url)
        with socket.create_connection((parts.hostname, parts.port), timeout=30) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            while connection.recv(1000):
                pass
        assert serial_number(url)


def test_client_that_does_not_trust_the_certificate_refuses(secured: Sidecar) -> None:
    connection = http.client.HTTPSConnection(urlsplit(secured.native_url).netloc, timeout=30)
    with pytest.raises(ssl.SSLCertVerificationError):
        connection.request("GET", "/")


def test_renewed_certificate_is_taken_up_at_sighup(secured: Sidecar) -> None:
    before = serial_number(secured.native_url)
    certificate = Path(secured.environment["SIDECAR_TLS_CERTIFICATE"])
    written(certificate.parent, certificate.stem)
    secured.process.send_signal(signal.SIGHUP)
    deadline = datetime.datetime.now() + datetime.timedelta(seconds=60)
    while serial_number(secured.native_url) == before:
        assert datetime.datetime.now() < deadline


def test_expired_certificate_is_warned_about_at_start(node: str, tmp_path: Path) -> None:
    certificate, key = written(tmp_path, "old", last_year=2021)
    environment = {"SIDECAR_TLS_CERTIFICATE": str(certificate), "SIDECAR_TLS_KEY": str(key)}
    with Sidecar({"OPENSEARCH_URL": node, **environment}) as sidecar:
        assert sidecar.wait_for_log("WARNING .* the certificate has expired: clients will refuse it")
        connection = http.client.HTTPSConnection(urlsplit(sidecar.url).netloc, timeout=30, context=secure_client())
        with pytest.raises(ssl.SSLCertVerificationError, match="expired"):
            connection.request("GET", "/")


def test_dates_of_a_certificate_are_told(tmp_path: Path) -> None:
    for name, years, told in (
        ("good", (2020, 2090), None),
        ("old", (2020, 2021), "has expired"),
        ("early", (2080, 2090), "is not valid yet"),
    ):
        certificate, key = written(tmp_path, name, first_year=years[0], last_year=years[1])
        context = server_context(certificate, key)
        assert context is not None
        assert validity_problem(context, certificate) == told


def test_key_may_stand_in_the_certificates_file(tmp_path: Path) -> None:
    certificate, key = written(tmp_path, "good")
    both = tmp_path / "both.pem"
    both.write_text(key.read_text() + certificate.read_text())
    assert server_context(both, None) is not None
    assert server_context(None, None) is None


def test_files_that_can_not_be_used_stop_the_start_in_one_line(tmp_path: Path) -> None:
    certificate, key = written(tmp_path, "good")
    _, other = written(tmp_path, "other")
    junk = tmp_path / "junk"
    junk.write_text("no PEM")

    def told(certificate: Path, *rest: Path) -> str:
        return refusal("--tls-certificate", str(certificate), *(f"--tls-key={key}" for key in rest))

    assert refusal("--tls-key", str(key)).startswith("SIDECAR_TLS_KEY: there is no SIDECAR_TLS_CERTIFICATE")
    assert "SIDECAR_TLS_CERTIFICATE: " in told(tmp_path / "none")
    assert "none can't be read: No such file" in told(tmp_path / "none")
    assert f"SIDECAR_TLS_KEY: {tmp_path / 'none'} can't be read" in told(certificate, tmp_path / "none")
    assert f"{other} is not the key of {certificate}" in told(certificate, other)
    assert "both must be PEM" in told(junk, key)
    assert "both must be PEM" in told(certificate)


def test_encrypted_key_is_refused_without_asking_for_its_password(tmp_path: Path) -> None:
    certificate, key = written(tmp_path, "good")
    loaded = serialization.load_pem_private_key(key.read_bytes(), None)
    encrypted = tmp_path / "encrypted.key"
    encryption = serialization.BestAvailableEncryption(b"secret")
    text = loaded.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)
    encrypted.write_bytes(text)
    with pytest.raises(ConfigurationError, match="the key is encrypted"):
        server_context(certificate, encrypted)
