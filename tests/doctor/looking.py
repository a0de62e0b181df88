"""What the checks' tests share: surroundings by settings, and a stand-in for a cluster that can't be had."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import orjson

from sidecar.doctor.finding import Finding, Level
from sidecar.doctor.sound_settings import SoundSettings
from sidecar.doctor.surroundings import Surroundings
from sidecar.given_settings import load_settings

NOBODY = "http://127.0.0.1:9"  # the discard port, where nothing listens


def about(**settings: Any) -> Surroundings:
    """Surroundings of these settings."""
    return Surroundings(SoundSettings(load_settings(**settings), (), ()))


def levels(findings: Iterable[Finding]) -> list[Level]:
    """How bad each is."""
    return [finding.level for finding in findings]


def worst(findings: Iterable[Finding]) -> Finding:
    """The worst of them, of which all that is not right has advice."""
    found = list(findings)
    assert all(bool(each.advice) is (each.level is not Level.OK) for each in found)
    return max(found, key=lambda each: list(Level).index(each.level))


@contextmanager
def answering(answers: Mapping[str, Any], *, status: int = 200) -> Iterator[str]:
    """The URL of a server that answers each path with JSON; others with an empty object."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = orjson.dumps(answers.get(self.path.partition("?")[0], {}))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
