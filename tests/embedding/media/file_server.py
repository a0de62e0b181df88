"""A web server for the tests of fetching: each path answers as a test wants it to."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType

Answer = Callable[[BaseHTTPRequestHandler], None]


class FileServer:
    """Serves ``answers``: path -> what answers it. ``requests`` are the paths and headers that came, in order."""

    def __init__(self, *, address: str = "127.0.0.1", port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        self.answers: dict[str, Answer] = {}
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.connections = 0
        self.stopping = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                super().setup()
                outer.connections += 1

            def do_GET(self) -> None:
                outer.requests.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
                # A client that has had enough hangs up.
                with suppress(OSError):
                    outer.answers.get(self.path, status(404))(self)

            def log_message(self, format: str, *args: object) -> None:
                """Tests print nothing."""

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request: object, client_address: object) -> None:
                """A client that refuses the certificate is no fault of the server's."""

            def finish_request(self, request: object, client_address: object) -> None:
                # In the connection's own thread: a handshake that fails must not end the server.
                wrapped = tls.wrap_socket(request, server_side=True) if tls is not None else request  # type: ignore[arg-type]
                super().finish_request(wrapped, client_address)  # type: ignore[arg-type]

        self._server = Server((address, port), Handler)
        self._scheme = "https" if tls is not None else "http"

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def url(self, path: str, *, host: str = "127.0.0.1") -> str:
        return f"{self._scheme}://{host}:{self.port}{path}"

    def __enter__(self) -> FileServer:
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stopping.set()
        self._server.shutdown()
        self._server.server_close()


def file(content: bytes, **headers: str) -> Answer:
    """The content, with its length and these headers, of which underscores are hyphens."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        for name, value in {"Content_Length": str(len(content)), **headers}.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(content)

    return answer


def chunked(*parts: bytes) -> Answer:
    """The parts, without a length before them."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        for part in (*parts, b""):
            handler.wfile.write(b"%x\r\n%b\r\n" % (len(part), part))

    return answer


def status(code: int) -> Answer:
    """An empty answer of that status."""
    return redirect("", code)


def redirect(location: str, code: int = 302) -> Answer:
    """A redirect."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(code)
        handler.send_header("Content-Length", "0")
        if location:
            handler.send_header("Location", location)
        handler.end_headers()

    return answer


def raw(content: bytes) -> Answer:
    """These bytes, whatever they are, and the end of the connection."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(content)
        handler.close_connection = True

    return answer


def drip(server: FileServer, start: bytes) -> Answer:
    """A byte every 50 ms behind the start, until the client or the server goes."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(start)
        while not server.stopping.wait(0.05):
            handler.wfile.write(b"x")

    return answer
