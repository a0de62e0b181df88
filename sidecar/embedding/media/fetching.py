"""Fetches files over http and https, safely: from checked addresses, within limits, in time."""

from __future__ import annotations

import base64
import http.client
import re
import ssl
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urljoin

from urllib3.exceptions import DecodeError, HTTPError, LocationParseError, NewConnectionError, ProtocolError
from urllib3.exceptions import TimeoutError as TransportTimeout
from urllib3.response import BaseHTTPResponse
from urllib3.util import Url, parse_url

from sidecar import __version__
from sidecar.embedding.media.addresses import Resolver
from sidecar.embedding.media.connections import Connection, Connections, Deadline, Endpoint, send
from sidecar.embedding.media.pointers import shortened
from sidecar.embedding.media.unreadable import Unreadable
from sidecar.errors import MediaError
from sidecar.whole_file import partial_name
from sidecar.whole_numbers import whole_number

MAX_REDIRECTS = 5
CHUNK_BYTES = 64 * 1024
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_PORTS = {"http": 80, "https": 443}
# Images and models are compressed already.
_DEFAULT_HEADERS = {"User-Agent": f"vector-sidecar/{__version__}", "Accept": "*/*", "Accept-Encoding": "identity"}
_FRAMING_HEADERS = frozenset({"host", "content-length", "transfer-encoding", "connection", "upgrade", "te", "expect"})
"""What says where a request goes and ends; a caller who sets them could make two requests of one."""
_HEADER_NAME = re.compile(r"[\w!#$%&'*+.^`|~-]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class FetchRules:
    """Limits of one fetch. ``timeout_seconds`` is for all of it, redirects too; ``idle_seconds`` for any silence."""

    allow_private: bool = False
    max_bytes: int = 20 * 1024 * 1024
    timeout_seconds: float = 3.0
    idle_seconds: float = 30.0


Progress = Callable[[int, int | None], None]
"""Told the bytes that have come, and how many will, where the server says so."""


def fetch_to_file(
    url: str,
    target: Path,
    *,
    rules: FetchRules,
    headers: Mapping[str, str] | None = None,
    on_progress: Progress | None = None,
) -> None:
    """Fetch a file into ``target``, which is there only when it is whole; its folder must exist.

    Raises: MediaError naming the URL and the reason; nothing is left behind. OSError when the disk fails.
    """
    fetcher = Fetcher(rules)
    partial = partial_name(target)
    try:
        with partial.open("wb") as stream, closing(fetcher.chunks(url, headers or {}, on_progress)) as chunks:
            for chunk in chunks:
                stream.write(chunk)
        partial.replace(target)
    except Unreadable as error:
        # What follows the path of a signed URL is a credential.
        raise MediaError(f"{shortened(url.partition('?')[0])!r} can't be fetched: {error}") from error
    finally:
        partial.unlink(missing_ok=True)
        fetcher.close()


@dataclass(frozen=True, slots=True)
class _Request:
    """One step of a fetch."""

    url: Url
    headers: Mapping[str, str]

    @property
    def origin(self) -> tuple[str, str, int]:
        """Scheme, host and port."""
        scheme, host = self.url.scheme or "", (self.url.host or "").strip("[]")
        return scheme, host, self.url.port or _PORTS[scheme]


class Fetcher:
    """Fetches files by one set of rules; keeps connections open. Safe to use from any thread."""

    def __init__(self, rules: FetchRules) -> None:
        self._rules = rules
        self._connections = Connections()
        self._resolver = Resolver(allow_private=rules.allow_private)

    def fetch(self, url: str, headers: Mapping[str, str]) -> bytes:
        """The file's bytes. ``headers`` go to the URL's own host and no other. Raises: Unreadable."""
        return b"".join(self.chunks(url, headers))

    def chunks(
        self, url: str, headers: Mapping[str, str], on_progress: Progress | None = None
    ) -> Generator[bytes, None, None]:
        """The file as it comes. Raises: Unreadable, at the first step or any later one."""
        deadline = Deadline(time.monotonic() + self._rules.timeout_seconds, self._rules.idle_seconds)
        request = _first_request(url, headers)
        for _ in range(MAX_REDIRECTS + 1):
            with self._told_as_reasons(), self._answer(request, deadline) as response:
                location = response.headers.get("location")
                if response.status not in _REDIRECTS or not location:
                    yield from self._body(response, on_progress)
                    return
            request = _redirected(request, location)
        raise Unreadable(f"it redirects more than {MAX_REDIRECTS} times. Give the address where it ends")

    def close(self) -> None:
        """Close the idle connections."""
        self._connections.close()

    @contextmanager
    def _answer(self, request: _Request, deadline: Deadline) -> Iterator[BaseHTTPResponse]:
        """The answer to a request; its connection is kept only where the body was read to the end."""
        scheme, host, port = request.origin
        addresses = self._resolver.resolve(host, deadline.at)
        endpoints = [Endpoint(scheme, host, port, address) for address in addresses]
        endpoint, connection, response = self._ask_first_of(endpoints, request, deadline)
        is_whole = False
        try:
            yield response
            is_whole = response.status not in _REDIRECTS
        finally:
            if is_whole:
                self._connections.give(endpoint, connection)
            else:
                connection.close()
                response.close()

    def _ask_first_of(
        self, endpoints: list[Endpoint], request: _Request, deadline: Deadline
    ) -> tuple[Endpoint, Connection, BaseHTTPResponse]:
        for left in range(len(endpoints), 1, -1):
            try:
                # An address that is silent must leave time for those behind it.
                return self._ask(endpoints[-left], request, deadline, connect_seconds=deadline.left() / left)
            except (OSError, HTTPError):
                continue
        return self._ask(endpoints[-1], request, deadline, connect_seconds=deadline.left())

    def _ask(
        self, endpoint: Endpoint, request: _Request, deadline: Deadline, *, connect_seconds: float
    ) -> tuple[Endpoint, Connection, BaseHTTPResponse]:
        while True:
            connection, is_used = self._connections.take(endpoint, deadline, connect_seconds)
            try:
                return endpoint, connection, send(connection, request.url.request_uri, request.headers)
            except BaseException as error:
                connection.close()
                # The server may have closed the kept connection at that very moment; a new one tells.
                if not (is_used and isinstance(error, ConnectionError)):
                    raise

    def _body(self, response: BaseHTTPResponse, on_progress: Progress | None) -> Iterator[bytes]:
        limit = self._rules.max_bytes
        if response.status != 200:
            raise Unreadable(
                f"the server answered with HTTP status {response.status}. Check the address, or the headers"
            )
        total = whole_number(response.headers.get("content-length", ""), most_digits=19)
        if total is not None and total > limit:
            raise Unreadable(f"the file has {total:,} bytes; the limit is {limit:,}. Name a smaller one")
        received = 0
        while chunk := response.read1(CHUNK_BYTES):
            received += len(chunk)
            if received > limit:
                raise Unreadable(f"the file has more than {limit:,} bytes, which is the limit. Name a smaller one")
            yield chunk
            if on_progress is not None:
                on_progress(received, total)
        if not received:
            raise Unreadable("the server sent an empty file. Check the address")

    @contextmanager
    def _told_as_reasons(self) -> Iterator[None]:
        """The one place where what HTTP libraries raise becomes a reason."""
        try:
            yield
        except NewConnectionError as error:  # urllib3 calls it a time-out too
            raise Unreadable(f"the connection failed ({_cause(error)}). Check the address, or try again") from error
        except (TimeoutError, TransportTimeout) as error:
            limit = f"{self._rules.timeout_seconds:g} seconds"
            if self._rules.idle_seconds < self._rules.timeout_seconds:
                limit += f", {self._rules.idle_seconds:g} without a byte"
            raise Unreadable(f"it did not come in time: the limit is {limit}. Try again") from error
        except ssl.SSLCertVerificationError as error:
            raise Unreadable(f"the server's certificate is not valid: {error.verify_message}") from error
        except (DecodeError, ProtocolError, http.client.IncompleteRead) as error:
            raise Unreadable("the server's answer is damaged or breaks off. Try again") from error
        except (OSError, HTTPError, http.client.HTTPException, ValueError) as error:
            raise Unreadable(f"the connection failed ({_cause(error)}). Check the address, or try again") from error


def _first_request(url: str, headers: Mapping[str, str]) -> _Request:
    parsed = _parse(url)
    sent = {**_DEFAULT_HEADERS, "Host": parsed.netloc or ""}
    if parsed.auth:
        sent["Authorization"] = "Basic " + base64.b64encode(unquote(parsed.auth).encode()).decode()
    given = {name.lower() for name in headers}
    for name, value in headers.items():
        if name.lower() in _FRAMING_HEADERS or not _HEADER_NAME.fullmatch(name) or not _is_header_value(value):
            raise Unreadable(f"the header {name[:100]!r} can't be sent. Correct or remove it")
    return _Request(parsed, {**{name: value for name, value in sent.items() if name.lower() not in given}, **headers})


def _redirected(request: _Request, location: str) -> _Request:
    following = _first_request(urljoin(request.url.url, location), {})
    # A password or token is for the host it was given for.
    return _Request(following.url, request.headers) if following.origin == request.origin else following


def _parse(url: str) -> Url:
    try:
        parsed = parse_url(url)
    except LocationParseError as error:
        raise Unreadable("it is not a valid URL. Correct it") from error
    if parsed.scheme not in _PORTS:
        raise Unreadable(f"only http and https addresses are fetched, and it leads to {parsed.scheme or 'no scheme'!r}")
    if not parsed.host:
        raise Unreadable("the URL has no host. Correct it")
    return parsed


def _is_header_value(value: str) -> bool:
    return value.isprintable() and all(ord(character) < 256 for character in value)


def _cause(error: Exception) -> str:
    """What went wrong, without the address that was tried, which is not for strangers."""
    cause = error.__cause__ if isinstance(error, HTTPError) and isinstance(error.__cause__, OSError) else error
    return cause.strerror if isinstance(cause, OSError) and cause.strerror else type(error).__name__
