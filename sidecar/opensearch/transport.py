"""HTTP to the cluster over kept-open connections; a failure to get an answer becomes one of our errors."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPConnection, RemoteDisconnected

from sidecar.observation.request import observed_metrics
from sidecar.observation.spans import trace_headers
from sidecar.opensearch.address import ClusterAddress, Endpoint
from sidecar.opensearch.connections import ConnectionPool, TransportOptions, translated_errors

JSON = "application/json"
NDJSON = "application/x-ndjson"


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

    http.client costs 0.05 ms of processor time a request, opensearch-py 0.6.
    """

    def __init__(self, address: ClusterAddress, options: TransportOptions) -> None:
        self._pool = ConnectionPool(address, options)

    def send(self, request: Request, *, timeout_seconds: float | None = None) -> Response:
        """Send one request and read its answer; error statuses are answers too.

        A kept connection that the server closes in the moment of its reuse is replaced, and the request sent
        once more, if it is repeatable. Nothing else is retried here.
        Raises: OpenSearchUnreachable, OpenSearchTimeout; what `ClusterAddress.endpoint` raises.
        """
        timeout = timeout_seconds or self._pool.options.timeout_seconds
        endpoint = self._pool.address.endpoint()
        with translated_errors(endpoint, timeout):
            connection = self._pool.take_idle(endpoint)
            if connection is not None:
                try:
                    return self._exchange(endpoint, connection, request, timeout)
                except (RemoteDisconnected, ConnectionResetError):
                    if not (request.is_repeatable or request.method == "GET"):
                        raise
                    if (metrics := observed_metrics()) is not None:
                        metrics.resent.inc()
            return self._exchange(endpoint, self._pool.connect(endpoint), request, timeout)

    def close(self) -> None:
        """Close the kept connections; a later request opens new ones."""
        self._pool.close()

    def _exchange(
        self, endpoint: Endpoint, connection: HTTPConnection, request: Request, timeout_seconds: float
    ) -> Response:
        headers = {"Content-Type": request.content_type} if request.body is not None else {}
        if endpoint.authorization is not None:
            headers["Authorization"] = endpoint.authorization
        headers |= trace_headers()
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
        if answer.will_close:
            connection.close()
        else:
            self._pool.give_back(endpoint, connection)
        return response
