"""A cluster that answers what no cluster answers: a real one, whose answers are replaced on their way."""

from __future__ import annotations

import http.client
import re
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from types import TracebackType
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Garbage:
    """What comes in place of an answer: its status, body and content type."""

    name: str
    body: bytes
    status: int = 200
    content_type: str = "application/json"


class GarblingProxy:
    """Passes requests on; while ``garbage`` is set, it is sent in place of the answers to requests whose path matches
    ``path``."""

    def __init__(self, url: str) -> None:
        self.garbage: Garbage | None = None
        self.path = re.compile("")
        target = urlsplit(url).netloc
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _pass_on(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                connection = http.client.HTTPConnection(target, timeout=60)
                headers = {name: value for name, value in self.headers.items() if name.lower() != "host"}
                connection.request(self.command, self.path, body, headers)
                answer = connection.getresponse()
                content = answer.read()
                connection.close()
                garbage = proxy.garbage if proxy.path.search(self.path) else None
                sent = garbage or Garbage(
                    "", content, answer.status, answer.headers.get("Content-Type", "application/json")
                )
                self.send_response(sent.status)
                self.send_header("Content-Type", sent.content_type)
                self.send_header("Content-Length", str(len(sent.body)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(sent.body)

            do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = _pass_on

            def log_message(self, format: str, *args: object) -> None:
                """Nothing: a test prints what it has to say."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> GarblingProxy:
        Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
