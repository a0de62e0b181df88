"""A sidecar's app in this process behind a real port, for clients that speak HTTP."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from werkzeug.serving import WSGIRequestHandler, make_server

from sidecar.app import close_app, create_app
from sidecar.given_settings import load_settings

NOBODY = "http://127.0.0.1:9"  # the discard port, where nothing listens


class _Silent(WSGIRequestHandler):
    # Kept open, as the real server does.
    protocol_version = "HTTP/1.1"

    def log(self, type: str, message: str, *args: Any) -> None:
        """Nothing: it would stand among the tests' own lines."""


@contextmanager
def served(**settings: Any) -> Iterator[str]:
    """The URL of an app with these settings, and with no cluster unless they name one."""
    app = create_app(load_settings(**{"opensearch_url": NOBODY, **settings}))
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Silent)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        close_app(app)
