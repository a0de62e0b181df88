"""HTTP to the cluster over kept-open connections; a failure to get an answer becomes one of our errors."""

from __future__ import annotations

import select
import ssl
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection, RemoteDisconnected
from pathlib import Path
from socket import gaierror

from sidecar.errors import ConfigurationError, OpenSearchTimeout, OpenSearchUnreachable
from sidecar.opensearch.address import ClusterAddress, Endpoint

JSON = "application/json"
NDJSON = "application/x-ndjson"
# A host that does not even accept a connection is down, not slow.
CONNECT_TIMEOUT_SECONDS = 5.0


@dataclass(frozen=True)
class TransportOptions:
    """How to talk to the cluster; the fields are the settings of the same names."""

    timeout_seconds: float = 60.0
    connections: int = 32
    verify_tls: bool = True
    ca_file: Path | None = None


@dataclass(frozen=True)
class Response:
    """An answer of the cluster, whatever its status; the body is read to its end."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Request:
    """What to send.

    `target` is the path with its query, already quoted. A request `is_repeatable` where doing it twice ends
    as doing it once; a GET always is.
    """

    method: str
    target: str
    body: bytes | None = None
    content_type: str = JSON
    is_repeatable: bool = False


class Transport:
    """Sends requests to the cluster; safe to use from any thread.

    The connection used last is used next (LIFO), so that a burst's spare connections go idle and the server
    may drop them. There is no limit on how many are in use, that is the number of calling threads;
    `connections` bounds how many are kept for later. http.client costs 0.05 ms of processor time a request,
    opensearch-py 0.6.
    """

    def __init__(self, address: ClusterAddress, options: TransportOptions) -> None:
        self._address = address
        self._options = options
        self._tls = _tls_context(options)
        # append and pop of a deque are atomic, so the pool needs no lock.
        self._idle: deque[tuple[Endpoint, HTTPConnection]] = deque()

    def send(self, request: Request, *, timeout_seconds: float | None = None) -> Response:
        """Send one request and read its answer; error statuses are answers too.

        A kept connection that the server closes in the moment of its reuse is replaced, and the request sent
        once more, if it is repeatable. Nothing else is retried here.
        Raises: OpenSearchUnreachable, OpenSearchTimeout; what `ClusterAddress.endpoint` raises.
        """
        timeout = timeout_seconds or self._options.timeout_seconds
        endpoint = self._address.endpoint()
        with translated_errors(endpoint, timeout):
            connection = self._take_idle(endpoint)
            if connection is not None:
                try:
                    return self._exchange(endpoint, connection, request, timeout)
                except (RemoteDisconnected, ConnectionResetError):
                    if not (request.is_repeatable or request.method == "GET"):
                        raise
            return self._exchange(endpoint, self._connect(endpoint), request, timeout)

    def close(self) -> None:
        """Close the kept connections; a later request opens new ones."""
        while self._idle:
            self._idle.pop()[1].close()

    def _take_idle(self, endpoint: Endpoint) -> HTTPConnection | None:
        while True:
            try:
                kept_endpoint, connection = self._idle.pop()
            except IndexError:
                return None
            if kept_endpoint is endpoint and not _was_closed_by_server(connection):
                return connection
            connection.close()

    def _connect(self, endpoint: Endpoint) -> HTTPConnection:
        if endpoint.is_tls:
            connection: HTTPConnection = HTTPSConnection(
                endpoint.host, endpoint.port, timeout=CONNECT_TIMEOUT_SECONDS, context=self._tls
            )
        else:
            connection = HTTPConnection(endpoint.host, endpoint.port, timeout=CONNECT_TIMEOUT_SECONDS)
        try:
            connection.connect()  # http.client sets TCP_NODELAY
        except TimeoutError as error:
            raise ConnectionError(f"no connection within {CONNECT_TIMEOUT_SECONDS:g} s") from error
        return connection

    def _exchange(
        self, endpoint: Endpoint, connection: HTTPConnection, request: Request, timeout_seconds: float
    ) -> Response:
        headers = {"Content-Type": request.content_type} if request.body is not None else {}
        if endpoint.authorization is not None:
            headers["Authorization"] = endpoint.authorization
        try:
            connection.sock.settimeout(timeout_seconds)
            # A server may answer (413) and hang up before it has read a long body: then the answer is there
            # to be read.
            with suppress(BrokenPipeError):
                connection.request(request.method, endpoint.path_prefix + request.target, request.body, headers)
            answer = connection.getresponse()
            response = Response(answer.status, dict(answer.getheaders()), answer.read())
        except BaseException:
            connection.close()
            raise
        if answer.will_close or len(self._idle) >= self._options.connections:
            connection.close()
        else:
            self._idle.append((endpoint, connection))
        return response


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
    except (OSError, ssl.SSLError) as error:
        raise ConfigurationError(f"SIDECAR_OPENSEARCH_CA_FILE: {options.ca_file} can't be read: {error}.") from error
    if not options.verify_tls:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
