"""Connections to the cluster that are kept open for reuse, and what their failures mean."""

from __future__ import annotations

import select
import socket
import ssl
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from socket import gaierror

from sidecar.errors import ConfigurationError, OpenSearchTimeout, OpenSearchUnreachable, reason_of
from sidecar.opensearch.address import ClusterAddress, Endpoint

# A host that does not even accept a connection is down, not slow.
CONNECT_TIMEOUT_SECONDS = 5.0
MAX_IDLE_SECONDS = 30.0
"""How long a connection may wait for its next use: less than the 60 s after which load balancers drop theirs, so that
none is reused in the moment of its end, when nobody can tell whether the request arrived."""


@dataclass(frozen=True)
class TransportOptions:
    """How to talk to the cluster; the fields are the settings of the same names, where there are such."""

    timeout_seconds: float = 60.0
    connections: int = 32
    verify_tls: bool = True
    ca_file: Path | None = None
    connect_timeout_seconds: float = CONNECT_TIMEOUT_SECONDS


class ConnectionPool:
    """Open connections to the cluster; safe to use from any thread.

    The connection used last is used next (LIFO), so that a burst's spare connections go idle and the server may drop
    them. There is no limit on how many are in use, that is the number of calling threads; ``connections`` bounds how
    many are kept for later.
    """

    def __init__(self, address: ClusterAddress, options: TransportOptions) -> None:
        self.address = address
        self.options = options
        self._tls = _tls_context(options)
        # append and pop of a deque are atomic, so the pool needs no lock.
        self._idle: deque[tuple[Endpoint, HTTPConnection, float]] = deque()

    def take_idle(self, endpoint: Endpoint) -> HTTPConnection | None:
        """A kept connection that the server has not closed yet, as far as can be told; None where there is none."""
        while True:
            try:
                kept_endpoint, connection, since = self._idle.pop()
            except IndexError:
                return None
            is_fresh = time.monotonic() - since < MAX_IDLE_SECONDS
            if is_fresh and kept_endpoint is endpoint and not _was_closed_by_server(connection):
                return connection
            connection.close()

    def connect(self, endpoint: Endpoint) -> HTTPConnection:
        """A new connection."""
        timeout = self.options.connect_timeout_seconds
        if endpoint.is_tls:
            connection: HTTPConnection = HTTPSConnection(
                endpoint.host, endpoint.port, timeout=timeout, context=self._tls
            )
        else:
            connection = HTTPConnection(endpoint.host, endpoint.port, timeout=timeout)
        try:
            connection.connect()  # http.client sets TCP_NODELAY
        except TimeoutError as error:
            raise ConnectionError(f"no connection within {timeout:g} s") from error
        return connection

    def give_back(self, endpoint: Endpoint, connection: HTTPConnection) -> None:
        """Keep a connection whose answer was read to its end, or close it where enough are kept."""
        if len(self._idle) >= self.options.connections:
            connection.close()
        else:
            self._idle.append((endpoint, connection, time.monotonic()))

    def close(self) -> None:
        """Close the kept connections; a later request opens new ones."""
        while self._idle:
            self._idle.pop()[1].close()


class Lease:
    """The use of one connection for one exchange, which ends once."""

    def __init__(self, pool: ConnectionPool, endpoint: Endpoint, connection: HTTPConnection) -> None:
        self.endpoint = endpoint
        self._pool = pool
        self._connection: HTTPConnection | None = connection
        self.socket: socket.socket = connection.sock
        self.timeout_seconds = pool.options.timeout_seconds
        self.socket.settimeout(self.timeout_seconds)

    @classmethod
    def taken(cls, pool: ConnectionPool) -> Lease:
        """The use of a kept connection, or of a new one. Raises: as `translated_errors`."""
        endpoint = pool.address.endpoint()
        with translated_errors(endpoint, pool.options.timeout_seconds):
            return cls(pool, endpoint, pool.take_idle(endpoint) or pool.connect(endpoint))

    def end(self, *, is_reusable: bool) -> None:
        """Give the connection back, or close it where nobody may use it again. A second call does nothing."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        if is_reusable:
            self._pool.give_back(self.endpoint, connection)
        else:
            connection.close()


@contextmanager
def translated_errors(endpoint: Endpoint, timeout_seconds: float) -> Iterator[None]:
    """Turn what sockets, TLS and http.client raise into our errors, with what to look at."""
    try:
        yield
    except TimeoutError as error:
        raise OpenSearchTimeout(f"OpenSearch at {endpoint} did not answer within {timeout_seconds:g} s.") from error
    except ssl.SSLCertVerificationError as error:
        raise OpenSearchUnreachable(
            f"The certificate of OpenSearch at {endpoint} is not trusted: {error.verify_message}. Name its "
            "authority in SIDECAR_OPENSEARCH_CA_FILE, or set SIDECAR_OPENSEARCH_VERIFY_TLS=false on a "
            "network that you trust."
        ) from error
    except ssl.SSLError as error:
        raise OpenSearchUnreachable(
            f"No TLS connection to OpenSearch at {endpoint}: {error.reason or error}. Does it speak https?"
        ) from error
    except gaierror as error:
        raise OpenSearchUnreachable(f"No address is known for the host of OpenSearch, {endpoint.host!r}.") from error
    except ConnectionRefusedError as error:
        raise OpenSearchUnreachable(
            f"Nothing listens at {endpoint}, where OpenSearch should be. Is it running?"
        ) from error
    except (OSError, HTTPException) as error:
        reason = str(error) or type(error).__name__
        raise OpenSearchUnreachable(f"The connection to OpenSearch at {endpoint} failed: {reason}.") from error


def _was_closed_by_server(connection: HTTPConnection) -> bool:
    """True where an idle connection has something to read: its end, or bytes that belong to no request."""
    poll = select.poll()
    poll.register(connection.sock, select.POLLIN)
    return bool(poll.poll(0))


def _tls_context(options: TransportOptions) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=options.ca_file)
    except OSError as error:
        reason = "it has no certificate in PEM" if isinstance(error, ssl.SSLError) else reason_of(error)
        raise ConfigurationError(f"SIDECAR_OPENSEARCH_CA_FILE: {options.ca_file} can't be read: {reason}.") from error
    if not options.verify_tls:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
