"""gunicorn's threaded worker, made fit to stand open to clients that are slow, gone or not what they should be."""

from __future__ import annotations

import errno
import faulthandler
import logging
import select
import socket
import struct
from contextlib import suppress
from types import FrameType
from typing import Any

from gunicorn.http import wsgi
from gunicorn.http.errors import ParseException
from gunicorn.http.message import Request
from gunicorn.http.parser import RequestParser
from gunicorn.sock import ssl_wrap_socket
from gunicorn.workers.gthread import TConn, ThreadWorker

from sidecar.native.request import HEADERS
from sidecar.native.wire import Answer, LenientRequest, refusal
from sidecar.slow_clients import Pulse, PulseUnreader, SlowClients

logger = logging.getLogger(__name__)

HEAD_SECONDS = 60.0
"""How long a client may take between two pieces of its TLS handshake, or of a request's head."""
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER: on, 0 s


class _Parser(RequestParser):  # type: ignore[misc]
    """Reads requests; a client that stands still in the middle of a head is let go without a word."""

    def __next__(self) -> Any:
        try:
            return super().__next__()
        except TimeoutError as error:
            raise StopIteration from error


class _LenientParser(_Parser):
    mesg_class = LenientRequest


class Connection(TConn):  # type: ignore[misc]
    """A client's connection, to the native face or the other."""

    sock: Any
    initialized: bool

    def __init__(self, worker: Worker, client: socket.socket, address: Any, listener: socket.socket) -> None:
        super().__init__(worker.cfg, client, address, listener.getsockname())
        self.is_native = self.server[1] == worker.app.native_port
        self.pulse = Pulse(self._stop_reading)
        self._is_closed = False

    def init(self) -> None:
        """Make it ready for the next request; on the first call, shake hands. Raises: StopIteration."""
        self.sock.settimeout(HEAD_SECONDS)
        if self.initialized:
            return
        self.initialized = True
        try:
            if self.cfg.is_ssl:
                self.sock = ssl_wrap_socket(self.sock, self.cfg)
                self.sock.do_handshake()
        except TimeoutError as error:
            raise StopIteration from error
        parser = _LenientParser if self.is_native else _Parser
        self.parser = parser(self.cfg, self.sock, self.client)
        self.parser.unreader = PulseUnreader(self.sock, self.pulse)

    def close(self, graceful: bool = False) -> None:
        """End it; a second call does nothing."""
        if not self._is_closed:
            self._is_closed = True
            super().close(graceful)

    def _stop_reading(self) -> None:
        logger.warning("a client that sends too slowly is let go, for others wait client=%s", self.client[0])
        with suppress(OSError):
            self.sock.shutdown(socket.SHUT_RD)

    def abort(self) -> None:
        """End it so that the client can't take what it has for a whole answer."""
        if not self._is_closed:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            self.close()


class Worker(ThreadWorker):  # type: ignore[misc]
    """gunicorn's threaded worker, which on SIGTERM refuses connections instead of leaving them unanswered."""

    def init_process(self) -> None:
        """Serve, until the process is to end."""
        self.slow_clients = SlowClients(self.cfg.threads)
        self.slow_clients.begin()
        super().init_process()

    def enqueue_req(self, conn: Connection) -> None:
        """Have a thread read the connection's next request, and serve it."""
        self.slow_clients.queued()
        super().enqueue_req(conn)

    def init_signals(self) -> None:
        """Take signals; a worker that stands still is aborted by the master, and its log then says where it stood."""
        super().init_signals()
        faulthandler.enable()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """SIGTERM: finish what was accepted."""
        if self.alive:
            self.method_queue.defer(self._refuse_connections)
        super().handle_exit(sig, frame)

    def accept(self, listener: socket.socket) -> None:
        """Take a connection, and have a thread read its first request."""
        try:
            client, address = listener.accept()
        except OSError as error:
            if error.errno not in {errno.EAGAIN, errno.ECONNABORTED, errno.EWOULDBLOCK}:
                raise
            return
        self.nr_conns += 1
        self.enqueue_req(Connection(self, client, address, listener))

    def handle(self, conn: Connection) -> Any:
        """Serve one request, in a thread; true where the connection stays open."""
        self.slow_clients.taken(conn.pulse)
        try:
            is_kept = super().handle(conn)
        finally:
            self.slow_clients.done(conn.pulse)
        if not is_kept:
            # Waits for the client's own end, for up to two seconds: the main loop, where gunicorn does it, has no time.
            conn.close(graceful=True)
        return is_kept

    def handle_request(self, req: Request, conn: Connection) -> bool:
        """Answer a request that was read. Raises: what then ends the connection."""
        if conn.is_native:
            conn.sock.settimeout(self.app.native_client_timeout)
            return self._handle_native(req, conn)
        conn.sock.settimeout(None)
        is_kept: bool = super().handle_request(req, conn)
        return is_kept

    def handle_error(self, req: Request | None, client: socket.socket, addr: Any, exc: Exception) -> None:
        """Tell a client what is wrong with a request that can't be read, on the native port in OpenSearch's words."""
        if client.fileno() < 0:
            logger.error("an answer broke off", exc_info=exc)
        elif client.getsockname()[1] != self.app.native_port:
            super().handle_error(req, client, addr, exc)
        else:
            unexpected = None if isinstance(exc, (ParseException, OSError)) else exc
            logger.warning("a request can't be read client=%s reason=%s", addr[0], exc, exc_info=unexpected)
            with suppress(OSError):
                client.sendall(refusal(exc))

    def _handle_native(self, req: Request, conn: Connection) -> bool:
        answer, environ = wsgi.create(req, conn.sock, conn.client, conn.server, self.cfg, response_class=Answer)
        environ |= {"wsgi.multithread": True, HEADERS: req.headers}
        if not self.alive or len(self.keepalived_conns) >= self.max_keepalived:
            answer.force_close()
        body = self.wsgi(environ, answer.start_response)
        try:
            for piece in body:
                answer.write(piece)
            answer.close()
        except TimeoutError as error:
            conn.abort()
            raise ConnectionResetError(errno.ECONNRESET, "the client stood still for too long") from error
        except BaseException:
            conn.abort()
            raise
        finally:
            body.close()
        return not answer.should_close()

    def _refuse_connections(self) -> None:
        self.set_accept_enabled(False)
        for listener in self.sockets:
            # The system has accepted these already: their clients wait for an answer.
            while select.select([listener], [], [], 0)[0]:
                self.accept(listener)
            listener.close()
        logger.info("stopping connections=%d", self.nr_conns)
