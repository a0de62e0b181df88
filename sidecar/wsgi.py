"""The sidecar under gunicorn: one worker process with threads, which ends only when its requests are answered.

It listens on a port for each face; what comes to a port goes to that port's face.

One process has one engine, which all its threads share. gunicorn's master starts the process anew where it dies.
"""

from __future__ import annotations

import logging
import math
import os
import socket
import ssl
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter
from gunicorn.errors import AppImportError
from gunicorn.glogging import Logger
from gunicorn.workers.base import Worker as BaseWorker

from sidecar.config import Settings
from sidecar.errors import ConfigurationError
from sidecar.listeners import BACKLOG, url_of
from sidecar.tls import server_context
from sidecar.worker import Worker

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication
    from flask import Flask

logger = logging.getLogger(__name__)

KEEPALIVE_SECONDS = 75
"""How long an idle connection is kept: more than the 60 s after which load balancers drop theirs, so that it is never
the server that closes one in the moment of its reuse."""
LONGEST_REQUEST_LINE = 8190
"""Bytes of path and query: the most that gunicorn has a limit for. Parameters of an array body hold JSON."""
LONGEST_HEADER = 16 * 1024
"""Bytes of one header: as many as OpenSearch takes in all of them together."""
MOST_HEADERS = 512
"""Headers of one request, for which OpenSearch has no limit but that of their bytes."""
STOP_SECONDS = 40
"""Beyond the grace period, for the embedded node to stop (30 s at most)."""
STUCK_SECONDS = 300
"""A worker whose main loop does not turn for so long is replaced; requests of any length do not hold it up."""


class Faces:
    """The app, and the native face on a port of its own where there is one, as one WSGI application."""

    def __init__(self, app: Flask, native: WSGIApplication | None, native_port: int | None) -> None:
        self.app = app
        self._native = native
        self.native_port = str(native_port)

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Serve a request with the face of the port that it came to."""
        if self._native is not None and environ["SERVER_PORT"] == self.native_port:
            return self._native(environ, start_response)
        response: Iterable[bytes] = self.app(environ, start_response)
        return response


class Server(BaseApplication):  # type: ignore[misc]
    """Serves the app on open, listening sockets, which it takes over; ``run`` returns when it was told to stop.

    ``native`` is the socket of the native face, None for none.
    """

    def __init__(self, settings: Settings, listener: socket.socket, native: socket.socket | None = None) -> None:
        self._settings = settings
        self.native_port = None if native is None else int(native.getsockname()[1])
        self.native_client_timeout = settings.native_client_timeout
        self._tls: ssl.SSLContext | None = None
        self._descriptors = [one.detach() for one in (listener, native) if one is not None]
        super().__init__()

    def load_config(self) -> None:
        """Tell gunicorn how to run. Called again at SIGHUP, which replaces the worker without a gap."""
        options = {
            "bind": [f"fd://{descriptor}" for descriptor in self._descriptors],
            "backlog": BACKLOG,
            "workers": 1,
            "worker_class": Worker,
            "threads": self._settings.threads,
            "keepalive": KEEPALIVE_SECONDS,
            "limit_request_line": LONGEST_REQUEST_LINE,
            "limit_request_field_size": LONGEST_HEADER,
            "limit_request_fields": MOST_HEADERS,
            # The one in Python, which the native face's requests extend.
            "http_parser": "python",
            # No client is believed when it says by which path, or by which scheme, a proxy was asked.
            "forwarded_allow_ips": "",
            "timeout": STUCK_SECONDS,
            "graceful_timeout": math.ceil(self._settings.grace) + STOP_SECONDS,
            "control_socket_disable": True,
            "logger_class": ForwardingLogger,
            "when_ready": _tell_address,
            "post_fork": self._shorten_grace,
            "worker_exit": _close_app,
            **self._tls_options(),
        }
        for name, value in options.items():
            self.cfg.set(name, value)

    def _tls_options(self) -> dict[str, Any]:
        """gunicorn's options for TLS. It would read the files anew for each connection; here SIGHUP reads them anew."""
        certificate, key = self._settings.tls_certificate, self._settings.tls_key
        if certificate is None:
            return {}
        try:
            self._tls = server_context(certificate, key)
        except ConfigurationError as error:
            if self._tls is None:
                raise
            logger.error("the certificate of before stays in use: %s", error.message)
        return {
            "certfile": str(certificate),
            "keyfile": str(key or certificate),
            "ssl_context": lambda config, make_default: self._tls,
        }

    def load(self) -> Faces:
        """Build the app, in the worker: its threads would not survive a fork."""
        from sidecar.app import create_app, create_native_face, restore_loads

        try:
            app = create_app(self._settings)
            restore_loads(app)
            native = None if self.native_port is None else create_native_face(app)
            return Faces(app, native, self.native_port)
        except ConfigurationError as error:
            raise AppImportError(f"Error: {error.message}") from error

    def _shorten_grace(self, arbiter: Arbiter, worker: BaseWorker) -> None:
        # The master waits for the worker longer than the worker for its requests. This is the worker's copy.
        worker.cfg.set("graceful_timeout", math.ceil(self._settings.grace))


class ForwardingLogger(Logger):  # type: ignore[misc]
    """gunicorn's own words among the sidecar's log lines; requests are logged by the app."""

    def setup(self, cfg: Any) -> None:
        """Let warnings through to the handlers of `configure_logging`."""
        self.error_log.handlers.clear()
        self.error_log.propagate = True
        self.error_log.setLevel(max(logging.WARNING, logging.getLogger().level))
        self.error_log.addFilter(_tells_something)

    def access(self, resp: Any, req: Any, environ: Any, request_time: Any) -> None:
        """Nothing: `api/request_log.py` does it."""


def _tells_something(record: logging.LogRecord) -> bool:
    """False for what gunicorn says behind our own words of an app that could not be built."""
    text = record.getMessage()
    is_of_end = text.startswith("Worker (") and text.endswith(f"exited with code {Arbiter.APP_LOAD_ERROR}.")
    return not is_of_end and text not in ("Shutting down: Master", "Reason: App failed to load.")


def _tell_address(arbiter: Arbiter) -> None:
    for listener, face in zip(arbiter.LISTENERS, ("listening at", "native face at"), strict=False):
        host, port = listener.getsockname()[:2]
        address = url_of(host, port, is_tls=arbiter.cfg.is_ssl)
        logger.info("%s %s", face, address)
        if listener is arbiter.LISTENERS[0]:
            logger.info("playground at %s/ui", address)


def _close_app(arbiter: Arbiter, worker: BaseWorker) -> None:
    """End the app's threads before the process ends."""
    if worker.pid != os.getpid() or worker.app.callable is None:
        return  # called in the master, of a worker that is gone; or the app could not be built
    from sidecar.app import close_app, release_node

    if worker.nr_conns == 0:
        close_app(worker.app.callable.app)
        return
    release_node(worker.app.callable.app)
    logger.warning("stopped with connections still open connections=%d", worker.nr_conns)
    logging.shutdown()
    # The interpreter would wait for the threads of the requests that did not finish in time.
    os._exit(0)
