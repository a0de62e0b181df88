"""Who may come in: the cluster decides by what callers send, and by nothing that the sidecar adds or lets through."""

from __future__ import annotations

import datetime
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests
import trustme
from werkzeug.test import Client, TestResponse

from sidecar.app import close_app, create_app, create_native_face
from sidecar.given_settings import load_settings
from sidecar.metrics import Metrics
from sidecar.metrics_index.writer import MetricsIndex, MetricsIndexOptions
from sidecar.opensearch.address import ClusterAddress
from sidecar.opensearch.client import Cluster
from sidecar.opensearch.connections import TransportOptions
from sidecar.opensearch.transport import Transport
from tests.fix_server import Sidecar
from tests.native.security.fix_secured_node import SecuredNode, ask, sidecar_environment
from tests.native.security.users import ADMIN, METRICS, PASSWORD, READER, basic

PROXY = {"x-proxy-user": ADMIN, "x-proxy-roles": ADMIN, "x-forwarded-for": "10.1.2.3"}
WHO = "/_plugins/_security/authinfo?filter_path=user_name,backend_roles"
_SERVERS_OWN = {"date", "server", "connection", "content-length", "keep-alive"}


def refusal(answer: requests.Response) -> tuple[int, str, dict[str, str]]:
    headers = {name.lower(): value for name, value in answer.headers.items() if name.lower() not in _SERVERS_OWN}
    return answer.status_code, answer.text, headers


@pytest.mark.parametrize(
    ("method", "target", "headers"),
    [
        ("GET", "/", {}),
        ("GET", "/", {"Authorization": "Bearer x"}),
        ("POST", "/books/_search", basic(ADMIN, "wrong")),
        ("POST", "/_bulk", {}),
        ("POST", "/_bulk", basic("unknown")),
    ],
)
def test_wrong_or_no_credentials_get_the_clusters_own_refusal(
    secured_node: SecuredNode, secured_sidecar: Sidecar, method: str, target: str, headers: dict[str, str]
) -> None:
    body = {"query": {"neural": {"body_vector": {"query_text": "x"}}}} if method == "POST" else None
    direct = secured_node.request(method, target, json=body, headers=headers)
    assert direct.status_code == 401
    assert refusal(ask(secured_sidecar, method, target, json=body, headers=headers)) == refusal(direct)


def test_credentials_of_the_sidecars_own_are_lent_to_nobody(secured_sidecar: Sidecar, account_sidecar: Sidecar) -> None:
    for running in (secured_sidecar, account_sidecar):
        assert ask(running, "GET", WHO).status_code == 401
        assert ask(running, "GET", WHO, READER).json() == {"user_name": READER, "backend_roles": []}


def test_cluster_believes_a_proxy_on_this_machine_but_not_those_behind_the_sidecar(
    secured_node: SecuredNode, secured_sidecar: Sidecar
) -> None:
    # The danger is real: sent from this machine, these headers make anyone an administrator.
    assert secured_node.request("GET", WHO, headers=PROXY).json()["user_name"] == ADMIN
    assert ask(secured_sidecar, "GET", WHO, headers=PROXY).status_code == 401
    assert (
        ask(secured_sidecar, "GET", WHO, headers={name.title(): value for name, value in PROXY.items()}).status_code
        == 401
    )
    assert ask(secured_sidecar, "GET", WHO, READER, headers=PROXY).json()["user_name"] == READER


def test_cluster_lets_a_user_act_for_another_but_not_through_the_sidecar(
    secured_node: SecuredNode, secured_sidecar: Sidecar
) -> None:
    acting = {"opendistro_security_impersonate_as": ADMIN}
    assert secured_node.request("GET", WHO, READER, headers=acting).json()["user_name"] == ADMIN
    for name in ("opendistro_security_impersonate_as", "opendistro-security-impersonate-as"):
        assert ask(secured_sidecar, "GET", WHO, READER, headers={name: ADMIN}).json()["user_name"] == READER


@pytest.mark.parametrize("prefix", ["_opendistro_security_", "-opendistro-security-", "opendistro_security_"])
def test_headers_of_the_plugins_inner_life_do_not_pass(
    secured_node: SecuredNode, secured_sidecar: Sidecar, prefix: str
) -> None:
    headers = {f"{prefix}user": ADMIN, f"{prefix}remote_address": "127.0.0.1"}
    answer = ask(secured_sidecar, "GET", WHO, READER, headers=headers)
    assert (answer.status_code, answer.json()["user_name"]) == (200, READER)


def test_sidecar_shows_the_cluster_no_certificate(secured_sidecar: Sidecar) -> None:
    answer = ask(secured_sidecar, "GET", "/_opendistro/_security/sslinfo", ADMIN).json()
    assert answer["ssl_protocol"].startswith("TLS")
    assert answer["principal"] is None
    assert answer["peer_certificates"] == "0"


@contextmanager
def native_face(**settings: Any) -> Iterator[Client]:
    """A client of a native face in this process."""
    app = create_app(load_settings(**settings))
    try:
        yield Client(create_native_face(app))
    finally:
        close_app(app)


@contextmanager
def tls_server(issued: trustme.LeafCert) -> Iterator[str]:
    """A server with that certificate that would answer anything."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *arguments: object) -> None:
            """Nothing."""

    class Server(ThreadingHTTPServer):
        def handle_error(self, *arguments: object) -> None:
            """Nothing: the client hangs up, as it should."""

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    issued.configure_cert(context)
    server = Server(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield f"https://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def refused_reason(answer: TestResponse) -> str:
    body = answer.get_json()
    assert (answer.status_code, body["status"], body["error"]["type"]) == (502, 502, "status_exception")
    return str(body["error"]["reason"])


def test_clusters_expired_certificate_is_refused_and_told(tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    yesterday = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=1)
    with (
        tls_server(authority.issue_cert("127.0.0.1", not_after=yesterday)) as url,
        native_face(opensearch_url=url, opensearch_ca_file=tmp_path / "ca.pem") as face,
    ):
        reason = refused_reason(face.get("/"))
    assert reason.startswith(f"The certificate of OpenSearch at {url} is not trusted: certificate has expired.")


def test_certificate_of_another_host_is_refused_and_told(tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    with (
        tls_server(authority.issue_cert("opensearch.example.org")) as url,
        native_face(opensearch_url=url, opensearch_ca_file=tmp_path / "ca.pem") as face,
    ):
        assert "is not trusted" in refused_reason(face.get("/"))


def test_certificate_of_an_unknown_authority_is_refused_unless_that_is_switched_off(secured_node: SecuredNode) -> None:
    with native_face(opensearch_url=secured_node.url) as face:
        assert "Name its authority in SIDECAR_OPENSEARCH_CA_FILE" in refused_reason(face.get("/", headers=basic(ADMIN)))
    with native_face(opensearch_url=secured_node.url, opensearch_verify_tls=False) as face:
        assert face.get("/", headers=basic(ADMIN)).status_code == 200


def test_tls_on_both_sides_carries_a_callers_credentials(library: SecuredNode, tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(tmp_path / "server.pem"))
    environment = sidecar_environment(library) | {"SIDECAR_TLS_CERTIFICATE": str(tmp_path / "server.pem")}
    with Sidecar(environment) as running:
        assert running.native_url.startswith("https://")
        query = {"query": {"neural": {"body_vector": {"query_text": "wild west", "k": 1}}}}
        found = ask(running, "POST", "/books/_search", READER, json=query, verify=str(tmp_path / "ca.pem"))
        assert found.json()["hits"]["hits"][0]["_id"] == "1"
        assert ask(running, "GET", "/", verify=str(tmp_path / "ca.pem")).status_code == 401
        with pytest.raises(requests.exceptions.SSLError):
            ask(running, "GET", "/", READER)


def test_indexes_api_works_with_the_credentials_of_the_url(secured_sidecar: Sidecar) -> None:
    settings = {"index_defaults": {"model": "random/small"}, "number_of_shards": 1}
    assert secured_sidecar.post("/indexes/made-by-api", settings).status_code == 200
    try:
        secured_sidecar.add("made-by-api", [{"_id": "a", "title": "wild west"}, {"_id": "b", "title": "far east"}])
        hits = secured_sidecar.post("/indexes/made-by-api/search", {"q": "wild west"}).json()["hits"]
        assert [hit["_id"] for hit in hits] == ["a", "b"]
        assert secured_sidecar.get("/indexes/made-by-api/stats").json()["numberOfDocuments"] == 2
    finally:
        assert secured_sidecar.delete("/indexes/made-by-api").status_code == 200


def test_metrics_index_is_written_with_the_role_of_the_page(secured_node: SecuredNode) -> None:
    address = ClusterAddress(secured_node.url_of(METRICS))
    cluster = Cluster(Transport(address, TransportOptions(ca_file=secured_node.ca_file)))
    index = MetricsIndex(cluster, Metrics().registry, MetricsIndexOptions("sidecar-metrics", 60.0, 30))
    index.write()
    assert secured_node.request("POST", "/sidecar-metrics/_refresh", ADMIN).status_code == 200
    index.clean()
    assert secured_node.request("GET", "/sidecar-metrics/_count", ADMIN).json()["count"] == 1


def test_indexes_api_tells_whose_rights_are_missing(secured_sidecar: Sidecar) -> None:
    settings = {"index_defaults": {"model": "random/small"}, "number_of_shards": 1}
    refused = secured_sidecar.post("/indexes/forbidden", settings)
    assert refused.status_code == 500
    assert "Check the user and the password in OPENSEARCH_URL" in refused.json()["message"]
    assert PASSWORD not in refused.text


def test_indexes_api_tells_of_a_wrong_password_and_not_the_password(secured_node: SecuredNode) -> None:
    url = secured_node.url_of("indexer", "not-this-one")
    app = create_app(load_settings(opensearch_url=url, opensearch_ca_file=secured_node.ca_file))
    try:
        refused = app.test_client().get("/indexes")
    finally:
        close_app(app)
    assert refused.status_code == 500
    assert "Check the user and the password in OPENSEARCH_URL" in refused.json["message"]
    assert "not-this-one" not in refused.text
