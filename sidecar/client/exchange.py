"""One call's way to its result: what is sent, when it is sent again, and what its answers mean.

Nothing here waits or speaks HTTP: a call is a generator that yields what is to be done next, and is told how it went.
The two clients differ in nothing but how they do it.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from ipaddress import ip_address
from typing import Any, Generic, TypeVar
from urllib.parse import quote, urlencode, urlsplit

import httpx

from sidecar.client.errors import ApiError, NoAnswer, TooManyRequests, api_error

T = TypeVar("T")
JSON = "application/json"
URL = "http://localhost:8882"
TIMEOUT_SECONDS = 60.0
LONG_TIMEOUT_SECONDS = 600.0
_BUSY = 429


@dataclass(frozen=True, slots=True)
class Retries:
    """How often, and how long apart, a call is sent again.

    A 429 is waited for as its ``Retry-After`` says, else as a broken connection is: ``first_wait_seconds``, and twice
    as long each time. A wait over ``longest_wait_seconds`` is not waited for. ``again`` 0 sends every call once.
    """

    again: int = 3
    first_wait_seconds: float = 0.5
    longest_wait_seconds: float = 30.0


RETRIES = Retries()
ONCE = Retries(again=0)


@dataclass(slots=True)
class Answer:
    """What came back of one try: all of an answer, or a part of it and the fault that ended it."""

    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytearray = field(default_factory=bytearray)
    fault: httpx.RequestError | None = None

    def begin(self, received: httpx.Response) -> None:
        """Take what stands before the body."""
        self.status, self.headers = received.status_code, received.headers

    def json(self) -> Any:
        """The body, parsed. Raises: ValueError where it is no JSON."""
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """A request, and how its answer is read.

    ``target`` is path and query, quoted. ``is_repeatable`` where a second time has no other effect than the first.
    ``is_long`` where models may run for minutes before it is answered.
    """

    method: str
    target: str
    read: Callable[[Answer], T]
    body: bytes | None = None
    content_type: str = JSON
    is_repeatable: bool = True
    is_long: bool = False
    request_id: str = field(default_factory=lambda: uuid.uuid4().hex)

    def headers(self) -> dict[str, str]:
        """The HTTP headers of this call alone."""
        typed = {} if self.body is None else {"Content-Type": self.content_type}
        return {"X-Request-Id": self.request_id, **typed}


@dataclass(frozen=True, slots=True)
class Sidecar:
    """Where a sidecar is, and how it is asked. The times are the longest silences that are borne while an answer is
    awaited: of most calls, and of long ones.

    Raises: ValueError for what is no URL of http.
    """

    url: str
    api_key: str | None = field(repr=False)
    timeout_seconds: float
    long_timeout_seconds: float

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{self.url!r} is not where a sidecar can be: it must look like {URL}")

    def request(self, http: httpx.Client | httpx.AsyncClient, call: Call[Any]) -> httpx.Request:
        """The call as a request of that client."""
        key = {} if self.api_key is None else {"x-api-key": self.api_key}
        timeout = self.long_timeout_seconds if call.is_long else self.timeout_seconds
        url = self.url.rstrip("/") + call.target
        return http.build_request(call.method, url, content=call.body, headers=key | call.headers(), timeout=timeout)


def trusts_environment(url: str) -> bool:
    """Whether the environment's proxies are for that URL. No proxy leads to this machine, whatever it is told."""
    host = urlsplit(url).hostname or ""
    try:
        is_here = ip_address(host).is_loopback
    except ValueError:
        is_here = host == "localhost" or host.endswith(".localhost")
    return not is_here


@dataclass(frozen=True, slots=True)
class Wait:
    """A pause before the next try."""

    seconds: float


Steps = Generator["Call[Any] | Wait", Answer, T]
"""What is to be done next, until there is a result. A wait is answered with an empty `Answer`."""


def exchange(call: Call[T], retries: Retries) -> Steps[T]:
    """Send the call, again where that is safe and may help. Raises: ApiError, NoAnswer."""
    tries = 0
    while True:
        answer = yield call
        tries += 1
        error = _error_of(call, answer)
        if error is None:
            return _read(call, answer)
        wait = _wait_before_next(error, answer, retries, tries)
        if wait is None or not _may_repeat(call, answer):
            raise error from answer.fault
        yield Wait(wait)


def target(*parts: str, parameters: Sequence[tuple[str, str]] = ()) -> str:
    """The path of these parts, quoted, and the query."""
    path = "".join(f"/{quote(part, safe='')}" for part in parts)
    return f"{path}?{urlencode(parameters)}" if parameters else path


def encode(body: Any) -> bytes:
    """The body as JSON. Raises: TypeError and ValueError for what has no JSON, as NaN."""
    return json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode("utf-8", "surrogatepass")


def request_id_of(call: Call[Any], answer: Answer) -> str:
    """The id under which the sidecar has logged it."""
    return answer.headers.get("x-request-id", call.request_id)


def _error_of(call: Call[Any], answer: Answer) -> ApiError | NoAnswer | None:
    request_id = request_id_of(call, answer)
    if answer.fault is not None:
        is_timeout = isinstance(answer.fault, httpx.TimeoutException)
        reason = str(answer.fault) or type(answer.fault).__name__
        return NoAnswer(
            f"no whole answer to {call.method} {call.target.partition('?')[0]}: {reason}",
            is_timeout=is_timeout,
            received=bytes(answer.body),
            request_id=request_id,
        )
    if 200 <= answer.status < 300:
        return None
    error = api_error(bytes(answer.body), status=answer.status, request_id=request_id)
    if isinstance(error, TooManyRequests):
        error.retry_after_seconds = _retry_after(answer.headers)
    return error


def _read(call: Call[T], answer: Answer) -> T:
    try:
        return call.read(answer)
    except (ValueError, KeyError, TypeError) as error:
        begins = bytes(answer.body[:100])
        raise ApiError(
            f"the answer is not one of this API, but begins {begins!r}; is the URL that of a sidecar?",
            code="",
            type="",
            status=answer.status,
            request_id=request_id_of(call, answer),
        ) from error


def _wait_before_next(error: ApiError | NoAnswer, answer: Answer, retries: Retries, tries: int) -> float | None:
    """Seconds, or None where the call is given up."""
    if tries > retries.again or (isinstance(error, ApiError) and answer.status != _BUSY):
        return None
    wait = retries.first_wait_seconds * 2.0 ** (tries - 1)
    if isinstance(error, TooManyRequests) and error.retry_after_seconds is not None:
        wait = error.retry_after_seconds
    return wait if wait <= retries.longest_wait_seconds else None


def _may_repeat(call: Call[Any], answer: Answer) -> bool:
    """What was refused, or never reached the server, may be sent again; else only what does no harm twice.

    After a timeout the server may still be at it: a second try would double its work.
    """
    fault = answer.fault
    if fault is None or isinstance(fault, httpx.ConnectError):
        return True
    return call.is_repeatable and isinstance(fault, httpx.NetworkError | httpx.RemoteProtocolError)


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds from now; the header may be a number or a date."""
    text = headers.get("retry-after", "")
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    return max(0.0, (moment - datetime.now(timezone.utc)).total_seconds())
