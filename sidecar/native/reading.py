"""Reads what the cluster knows of indexes, templates and pipelines: as the caller, or as an account for that."""

from __future__ import annotations

import base64
import logging

from sidecar.native.request import NativeRequest
from sidecar.opensearch.passthrough import Header, Passthrough, RawRequest

logger = logging.getLogger(__name__)

REFUSED = frozenset({401, 403})
"""Statuses by which the cluster says that the caller may not know."""
CREDENTIALS = frozenset({"authorization", "cookie", "securitytenant"})
"""Headers by which the cluster knows who asks."""

Credentials = tuple[Header, ...]


def credentials_of(request: NativeRequest) -> Credentials:
    """The headers by which the cluster knows who asks."""
    return tuple([header for header in request.headers if header[0] in CREDENTIALS])


class ClusterReader:
    """Asks the cluster for what it knows; safe to use from any thread. Keeps nothing.

    With an ``account`` (``user:password``) all is read as that: for clusters whose callers may write, but not know
    what an index is.
    """

    def __init__(self, upstream: Passthrough, *, account: str | None = None) -> None:
        self._upstream = upstream
        self._account = None if account is None else _basic(account)

    def credentials(self, request: NativeRequest) -> Credentials:
        """The headers by which the cluster knows who asks. What is kept of an answer is kept for these only."""
        if self._account is not None:
            return self._account
        return credentials_of(request)

    def ask(self, credentials: Credentials, method: str, target: str) -> tuple[int, bytes]:
        """The status and the body of an answer. Raises: OpenSearchUnreachable, OpenSearchTimeout."""
        answer = self._upstream.send(RawRequest(method, target, credentials))
        if answer.status in REFUSED and self._account is not None:
            logger.warning("SIDECAR_NATIVE_ACCOUNT may not read %s: status %d", target, answer.status)
        return answer.status, answer.read()


def _basic(account: str) -> Credentials:
    return (("authorization", f"Basic {base64.b64encode(account.encode()).decode('ascii')}"),)
