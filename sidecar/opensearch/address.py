"""Where the cluster is, which for the embedded node is known only once it runs."""

from __future__ import annotations

import base64
import threading
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from sidecar.errors import ConfigurationError, OpenSearchError, OpenSearchUnreachable

# A request that comes while the embedded node starts (about 13 s) waits this long before it is refused.
WAIT_SECONDS = 5.0
_FORM = "OPENSEARCH_URL must look like http://host:9200 or https://user:password@host:9200"


@dataclass(frozen=True)
class Endpoint:
    """A cluster's base URL, taken apart once."""

    host: str
    port: int
    is_tls: bool
    path_prefix: str = ""
    authorization: str | None = field(default=None, repr=False)

    @classmethod
    def parse(cls, url: str) -> Endpoint:
        """Take apart ``http[s]://[user:password@]host[:port][/prefix]``; without a port, 443 or 80.

        Raises: ConfigurationError. Its message leaves out the password.
        """
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError:
            # Its words may hold a part of the password: what stands before its '/' is read as host and port.
            raise _unfit(url) from None
        if parts.scheme not in {"http", "https"} or not host or parts.query or parts.fragment:
            raise _unfit(url)
        is_tls = parts.scheme == "https"
        return cls(
            host=host,
            port=(443 if is_tls else 80) if port is None else port,
            is_tls=is_tls,
            path_prefix=parts.path.rstrip("/"),
            authorization=_basic_authorization(parts.username, parts.password),
        )

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.is_tls else 'http'}://{host}:{self.port}{self.path_prefix}"


class ClusterAddress:
    """The cluster's endpoint, or why there is none; safe to use from any thread.

    Where `OPENSEARCH_URL` is set the address is known from the start. The thread that starts the embedded
    node ends with `announce` or `fail`; either may be called again, and the last call holds.
    """

    def __init__(self, url: str | None = None) -> None:
        self._changed = threading.Condition()
        self._endpoint = Endpoint.parse(url) if url else None
        self._error: OpenSearchError | None = None

    def announce(self, url: str) -> None:
        """Say that the cluster answers at this URL."""
        endpoint = Endpoint.parse(url)
        with self._changed:
            self._endpoint, self._error = endpoint, None
            self._changed.notify_all()

    def fail(self, error: OpenSearchError) -> None:
        """Say that the cluster can't be had; every request raises an error of the same class and words."""
        with self._changed:
            self._endpoint, self._error = None, error
            self._changed.notify_all()

    @property
    def is_known(self) -> bool:
        """True where there is an endpoint to send to; says nothing of whether it answers."""
        return self._endpoint is not None

    def endpoint(self, *, wait_seconds: float = WAIT_SECONDS) -> Endpoint:
        """The endpoint, waited for where the node is still starting.

        Raises: OpenSearchUnreachable after `wait_seconds`; at once the error given to `fail`.
        """
        endpoint = self._endpoint
        if endpoint is not None:
            return endpoint
        with self._changed:
            self._changed.wait_for(lambda: self._endpoint or self._error, timeout=wait_seconds)
            if self._endpoint is not None:
                return self._endpoint
            if self._error is not None:
                # A fresh instance: one exception raised by many threads would collect all their tracebacks.
                raise type(self._error)(self._error.message) from self._error
        raise OpenSearchUnreachable("OpenSearch is still starting; try again in some seconds.")


def _unfit(url: str) -> ConfigurationError:
    """The error for what is no URL of a cluster; it is shown where it can't hold a password."""
    if "@" not in url:
        return ConfigurationError(f"{_FORM}, without '?' and '#' (given: {url!r}).")
    return ConfigurationError(
        f"{_FORM}. In a user or a password write %2F for '/', %3F for '?', %23 for '#', %40 for '@' and %25 for '%'."
    )


def _basic_authorization(user: str | None, password: str | None) -> str | None:
    if user is None:
        return None
    pair = f"{unquote(user)}:{unquote(password or '')}"
    return "Basic " + base64.b64encode(pair.encode()).decode("ascii")
