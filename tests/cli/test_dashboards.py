"""``sidecar dashboards``, against a server that speaks Dashboards' saved objects API."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import orjson
import pytest
import trustme
from click.testing import CliRunner, Result

from sidecar.cli import main
from sidecar.dashboards import saved_objects

NOBODY = "http://127.0.0.1:9"  # the discard port, where nothing listens


@dataclass
class StandIn:
    """What answers in the place of Dashboards, as its import route does, and what it was sent."""

    url: str = ""
    status: int = 200
    answer: Any = None
    requests: list[tuple[str, Message, bytes]] = field(default_factory=list)

    def take(self, target: str, headers: Message, body: bytes) -> tuple[int, bytes]:
        self.requests.append((target, headers, body))
        if headers["osd-xsrf"] is None:
            return 400, b'{"statusCode":400,"error":"Bad Request","message":"Request must contain a osd-xsrf header."}'
        if self.answer is not None:
            return self.status, self.answer if isinstance(self.answer, bytes) else orjson.dumps(self.answer)
        objects = [orjson.loads(line) for line in self.file().get_payload(decode=True).splitlines()]  # type: ignore[union-attr]
        results = [
            {"type": one["type"], "id": one["id"], "meta": {"title": one["attributes"]["title"], "icon": "x"}}
            for one in objects
            if "exportedCount" not in one
        ]
        return 200, orjson.dumps({"successCount": len(results), "success": True, "successResults": results})

    def file(self) -> Message:
        """The part named ``file`` of the last request."""
        _, headers, body = self.requests[-1]
        whole = message_from_bytes(b"Content-Type: " + headers["Content-Type"].encode() + b"\r\n\r\n" + body)
        (part,) = whole.get_payload()
        assert isinstance(part, Message)
        assert part.get_param("name", header="content-disposition") == "file"
        return part


def serve(stand_in: StandIn, context: ssl.SSLContext | None = None) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status, answer = stand_in.take(self.path, self.headers, body)
            self.send_response(status)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *arguments: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    stand_in.url = f"{'http' if context is None else 'https'}://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    return server


@pytest.fixture
def stand_in() -> Iterator[StandIn]:
    made = StandIn()
    server = serve(made)
    yield made
    server.shutdown()
    server.server_close()


def run(*arguments: str, **environment: str) -> Result:
    return CliRunner(env=environment).invoke(main, ["dashboards", *arguments])


def test_install_imports_the_objects_and_names_them(stand_in: StandIn) -> None:
    done = run("install", "--url", stand_in.url)
    assert done.exit_code == 0, done.output
    assert "Sidecar: ingestion and search" in done.output.splitlines()
    assert "They stay empty until a sidecar runs with SIDECAR_METRICS_INDEX=sidecar-metrics." in done.output
    target, headers, _ = stand_in.requests[-1]
    assert target == "/api/saved_objects/_import?overwrite=true"
    assert headers["osd-xsrf"] == "true"
    assert stand_in.file().get_filename() == "sidecar.ndjson"
    assert stand_in.file().get_payload(decode=True) == saved_objects()


def test_install_names_the_index_of_the_settings(stand_in: StandIn) -> None:
    done = run("install", "--url", stand_in.url, SIDECAR_METRICS_INDEX="ours")
    assert "stay empty" not in done.output
    assert stand_in.file().get_payload(decode=True) == saved_objects("ours")


def test_install_sends_credentials_and_tenant_under_the_base_path(stand_in: StandIn) -> None:
    url = stand_in.url.replace("://", "://some%40one:se:cret@") + "/dashboards/"
    assert run("install", "--url", url, "--tenant", "global").exit_code == 0
    target, headers, _ = stand_in.requests[-1]
    assert target.startswith("/dashboards/api/saved_objects/_import?")
    assert headers["Authorization"] == "Basic c29tZUBvbmU6c2U6Y3JldA=="
    assert headers["securitytenant"] == "global"


def test_install_trusts_the_authority_that_is_named_and_no_other(tmp_path: Path) -> None:
    authority, made = trustme.CA(), StandIn()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    server = serve(made, context)
    try:
        assert run("install", "--url", made.url, "--ca-file", str(tmp_path / "ca.pem")).exit_code == 0
        refused = run("install", "--url", made.url)
        assert refused.exit_code == 3
        assert "certificate verify failed" in refused.output
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(
    ("status", "answer", "told"),
    [
        (401, {"statusCode": 401, "message": "Authentication required"}, "refused the user (401)"),
        (403, {"statusCode": 403, "message": "no"}, "refused the user (403)"),
        (413, {"statusCode": 413, "message": "Payload content length"}, "refused (413): Payload content length"),
        (200, b"<html>hello</html>", "is not OpenSearch Dashboards"),
        (200, {"name": "node", "cluster_name": "docker"}, "is not OpenSearch Dashboards"),
        (404, b"Not Found", "is not OpenSearch Dashboards"),
        (
            200,
            {
                "success": False,
                "successCount": 3,
                "errors": [
                    {
                        "id": "v",
                        "type": "visualization",
                        "meta": {},
                        "error": {"type": "missing_references", "references": [{"type": "index-pattern", "id": "p"}]},
                    },
                    {"id": "w", "type": "dashboard", "meta": {}, "error": {"type": "unknown", "message": "too new"}},
                ],
            },
            "imported 3 saved objects, and not: visualization 'v': it needs index-pattern 'p'; dashboard 'w': too new",
        ),
    ],
)
def test_install_says_what_dashboards_refused(stand_in: StandIn, status: int, answer: Any, told: str) -> None:
    stand_in.status, stand_in.answer = status, answer
    done = run("install", "--url", stand_in.url)
    assert done.exit_code == 3
    assert told in done.output
    assert "Traceback" not in done.output


def test_install_says_where_dashboards_should_be() -> None:
    done = run("install", "--url", NOBODY.replace("://", "://user:secret@"))
    assert done.exit_code == 3
    assert f"Error: OpenSearch Dashboards at {NOBODY} can't be reached: " in done.output
    assert "secret" not in done.output


@pytest.mark.parametrize("url", ["localhost:5601", "ftp://localhost", "http://[", ""])
def test_install_refuses_what_is_not_a_url(url: str) -> None:
    done = run("install", "--url", url)
    assert done.exit_code == 2
    assert "Error: " in done.output


def test_export_writes_what_install_sends(tmp_path: Path) -> None:
    assert run("export", str(tmp_path / "saved.ndjson")).exit_code == 0
    assert (tmp_path / "saved.ndjson").read_bytes() == saved_objects()
    assert run("export", "--index", "ours", "-").output.encode() == saved_objects("ours")
