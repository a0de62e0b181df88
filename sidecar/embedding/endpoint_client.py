"""Speaks HTTP with an inference endpoint: to an address that is allowed, in time, and again where that may help."""

from __future__ import annotations

import http.client
import ipaddress
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import orjson
import tenacity
from urllib3.exceptions import HTTPError, NewConnectionError
from urllib3.exceptions import TimeoutError as Urllib3Timeout
from urllib3.response import BaseHTTPResponse

from sidecar.embedding.media.addresses import Resolver, is_public
from sidecar.embedding.media.connections import Connection, Connections, Deadline, Endpoint
from sidecar.embedding.media.unreadable import Unreadable
from sidecar.errors import EndpointError, EndpointUnavailable
from sidecar.observation.request import observed_metrics
from sidecar.observation.spans import trace_headers
from sidecar.observation.stages import call

AGAIN = frozenset({429, 502, 503, 504})
"""Statuses after which the same request may succeed a moment later."""
MAX_WAIT_SECONDS = 30.0
"""Longest pause before a further try; an endpoint that asks for a longer one is given up."""
MAX_ANSWER_BYTES = 256 * 1024 * 1024
_PORTS = {"http": 80, "https": 443}
_TOLD_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class EndpointAccess:
    """How one endpoint is reached: whole URL, token (empty for none), whether it may have a private address."""

    url: str
    token: str = field(repr=False)
    allow_private: bool
    timeout_seconds: float
    retries: int


class _TryAgain(Exception):
    """A try failed in a way that may pass; ``wait_seconds`` is what the endpoint asked for, or None."""

    def __init__(self, reason: str, wait_seconds: float | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.wait_seconds = wait_seconds


class EndpointClient:
    """Posts JSON to one URL and reads JSON. Safe to use from any thread; connections are kept open."""

    def __init__(self, access: EndpointAccess) -> None:
        # What stands behind the path may be a key.
        self.url = access.url.partition("?")[0]
        self._access = access
        self._parts = urlsplit(access.url)
        self._resolver = Resolver(allow_private=True)
        self._connections = Connections()
        self._backoff = tenacity.wait_exponential_jitter(initial=0.2, max=5.0, jitter=0.2)

    def post(self, body: Mapping[str, Any]) -> Any:
        """The parsed answer to the body, with further tries as far as they are allowed.

        Raises: EndpointError naming the URL and the reason of the last try.
        """
        text = orjson.dumps(body)
        tries = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(_TryAgain),
            stop=self._is_given_up,
            wait=self._wait,
            before_sleep=_count_retry,
            reraise=True,
        )
        try:
            return tries(self._try, text)
        except _TryAgain as error:
            count = tries.statistics["attempt_number"]
            tried = f", {count} times" if count > 1 else ""
            raise self._unavailable(f"{error.reason}{tried}") from error

    def _unavailable(self, reason: str) -> EndpointUnavailable:
        return EndpointUnavailable(f"the inference endpoint {self.url} {reason}. Look after it, or try again later")

    def failure(self, reason: str) -> EndpointError:
        """The error of this endpoint for that reason, which goes on behind its URL."""
        return EndpointError(f"the inference endpoint {self.url} {reason}")

    def _is_given_up(self, state: tenacity.RetryCallState) -> bool:
        return state.attempt_number > self._access.retries or (_asked_wait(state) or 0) > MAX_WAIT_SECONDS

    def _wait(self, state: tenacity.RetryCallState) -> float:
        asked = _asked_wait(state)
        return self._backoff(state) if asked is None else asked

    def _try(self, text: bytes) -> Any:
        seconds = self._access.timeout_seconds
        deadline = Deadline(time.monotonic() + seconds, seconds)
        try:
            with call("inference endpoint") as timed:
                timed.note("server.address", self._parts.hostname or "")
                response, body = self._exchange(text, deadline)
                timed.note("http.response.status_code", response.status)
        except Unreadable as error:
            raise self.failure(f"can't be used: {error}") from error
        except NewConnectionError as error:
            raise _TryAgain(f"can't be reached ({error.__cause__ or error})") from error
        except (TimeoutError, Urllib3Timeout) as error:
            # Not tried again: it would hold up for as long once more all who wait.
            raise self._unavailable(f"did not answer within {seconds:g} s") from error
        except (OSError, HTTPError, http.client.HTTPException) as error:
            raise _TryAgain(f"can't be reached ({type(error).__name__}: {error})") from error
        if response.status in AGAIN:
            wait = _seconds(response.headers.get("Retry-After"))
            raise _TryAgain(f"answered with status {response.status}{_told(body)}", wait)
        return self._read(response.status, body)

    def _exchange(self, text: bytes, deadline: Deadline) -> tuple[BaseHTTPResponse, bytes]:
        """One answer and its body."""
        endpoint, connection, is_used = self._connect(deadline)
        try:
            response = self._send(connection, text, deadline)
            body = response.read(MAX_ANSWER_BYTES)
        except (ConnectionError, http.client.HTTPException, HTTPError) as error:
            connection.close()
            if is_used and not isinstance(error, Urllib3Timeout):
                # The endpoint had closed the kept connection at that moment; there are ever fewer of them.
                return self._exchange(text, deadline)
            raise
        except BaseException:
            connection.close()
            raise
        if len(body) < MAX_ANSWER_BYTES:
            self._connections.give(endpoint, connection)
        else:
            connection.close()
        return response, body

    def _connect(self, deadline: Deadline) -> tuple[Endpoint, Connection, bool]:
        scheme, host = self._parts.scheme, self._parts.hostname or ""
        port = self._parts.port or _PORTS[scheme]
        failure: Exception = Unreadable("its host has no address. Check its name")
        addresses = self._addresses(host, deadline)
        for tried, address in enumerate(addresses):
            endpoint = Endpoint(scheme, host, port, address)
            # An address that is silent must leave time for those behind it.
            share = deadline.left() / (len(addresses) - tried)
            try:
                return endpoint, *self._connections.take(endpoint, deadline, share)
            except (OSError, HTTPError) as error:
                failure = error
        raise failure

    def _addresses(self, host: str, deadline: Deadline) -> list[str]:
        addresses = self._resolver.resolve(host, deadline.at)
        if self._access.allow_private or all(is_public(ipaddress.ip_address(address)) for address in addresses):
            return addresses
        # The address is not told: it would show a stranger what is in our network.
        raise Unreadable(
            f"its host {host!r} has an address that is not public. Let the operator name it in SIDECAR_ENDPOINTS"
        )

    def _send(self, connection: Connection, text: bytes, deadline: Deadline) -> BaseHTTPResponse:
        connection.timeout = deadline.left()
        headers = {
            "Host": self._parts.netloc,
            "Content-Type": "application/json",
            "Accept": "application/json",
            "User-Agent": "vector-sidecar",
            **trace_headers(),
        }
        if self._access.token:
            headers["Authorization"] = f"Bearer {self._access.token}"
        path = self._parts.path or "/"
        target = f"{path}?{self._parts.query}" if self._parts.query else path
        connection.request("POST", target, body=text, headers=headers, preload_content=False)
        return connection.getresponse()

    def _read(self, status: int, body: bytes) -> Any:
        if status in (401, 403):
            raise self.failure(
                f"refused access with status {status}{_told(body)}. Give its token as modelAuth.endpoint.token, or let "
                "the operator set it in SIDECAR_ENDPOINTS"
            )
        if status != 200:
            raise self.failure(f"answered with status {status}{_told(body)}. Check 'url' and 'name'")
        try:
            return orjson.loads(body)
        except orjson.JSONDecodeError as error:
            raise self.failure(f"answered with what is no JSON ({error}). Check 'url' and 'protocol'") from error


def _count_retry(state: tenacity.RetryCallState) -> None:
    if (metrics := observed_metrics()) is not None:
        metrics.endpoint_retries.inc()


def _asked_wait(state: tenacity.RetryCallState) -> float | None:
    error = state.outcome.exception() if state.outcome is not None else None
    return error.wait_seconds if isinstance(error, _TryAgain) else None


def _seconds(header: str | None) -> float | None:
    """The seconds of a ``Retry-After``; None for none and for a date."""
    return float(header) if header is not None and header.strip().isdecimal() else None


def _told(body: bytes) -> str:
    """The endpoint's own words, as the end of a phrase."""
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        answer = body.decode("utf-8", "replace")
    if isinstance(answer, dict):
        answer = answer.get("error") or answer.get("message") or answer.get("detail") or answer
    if isinstance(answer, dict):
        answer = answer.get("message") or answer
    words = " ".join(str(answer).split())
    return f": {words[:_TOLD_CHARACTERS]}" if words else ""
