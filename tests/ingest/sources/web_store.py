"""A web server that is a bucket too: as much of S3 as readers use, in the addresses of the path style."""

from __future__ import annotations

import hashlib
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape


class WebStore:
    """Serves ``files``, by path. ``wants`` is what a request's Authorization must have in it. Where it gives no ranges,
    every answer is the whole file; where it tells no sizes, none has a length. ``asked`` are the requests: method,
    path, range."""

    def __init__(self, *, gives_ranges: bool = True, tells_sizes: bool = True, wants: str = "") -> None:
        self.files: dict[str, bytes] = {}
        self.gives_ranges = gives_ranges
        self.tells_sizes = tells_sizes
        self.wants = wants
        self.status: int | None = None
        self.asked: list[tuple[str, str, str | None]] = []
        store = self

        class Handler(_Handler):
            pass

        Handler.store = store
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> WebStore:
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    store: WebStore

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def _answer(self) -> None:
        store, parts = self.store, urlsplit(self.path)
        path = unquote(parts.path)
        self.store.asked.append((self.command, path, self.headers.get("Range")))
        if store.status is not None or store.wants not in self.headers.get("Authorization", ""):
            self._send(store.status or 403, b"<Error><Code>AccessDenied</Code><Message>no</Message></Error>")
        elif "list-type" in parse_qs(parts.query):
            self._send(200, self._listing(path.strip("/"), parse_qs(parts.query).get("prefix", [""])[0]))
        elif (content := store.files.get(path)) is None:
            self._send(404, b"<Error><Code>NoSuchKey</Code><Message>none</Message></Error>")
        else:
            self._send_range(content)

    def _send_range(self, content: bytes) -> None:
        wished = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if wished is None or not self.store.gives_ranges:
            self._send(200, content)
            return
        begin, end = int(wished[1]), min(int(wished[2] or len(content)), len(content) - 1)
        self._send(206, content[begin : end + 1], f"bytes {begin}-{end}/{len(content)}", of=content)

    def _send(self, status: int, body: bytes, part: str | None = None, *, of: bytes | None = None) -> None:
        self.send_response(status)
        if self.store.tells_sizes or status >= 400:
            self.send_header("Content-Length", str(len(body)))
        else:
            self.send_header("Connection", "close")
        if part is not None:
            self.send_header("Content-Range", part)
        self.send_header("ETag", f'"{hashlib.md5(body if of is None else of).hexdigest()}"')
        self.send_header("Last-Modified", "Thu, 29 Feb 2024 12:00:00 GMT")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _listing(self, bucket: str, prefix: str) -> bytes:
        start = f"/{bucket}/"
        keys = sorted(path[len(start) :] for path in self.store.files if path.startswith(start + prefix))
        items = "".join(
            f"<Contents><Key>{escape(key)}</Key><Size>{len(self.store.files[start + key])}</Size>"
            f'<ETag>"{hashlib.md5(self.store.files[start + key]).hexdigest()}"</ETag>'
            "<LastModified>2024-02-29T12:00:00.000Z</LastModified></Contents>"
            for key in keys
        )
        return (
            '<?xml version="1.0"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
            f"<Name>{bucket}</Name><Prefix>{escape(prefix)}</Prefix><KeyCount>{len(keys)}</KeyCount>"
            f"<MaxKeys>1000</MaxKeys><IsTruncated>false</IsTruncated>{items}</ListBucketResult>"
        ).encode()

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""
