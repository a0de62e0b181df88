"""Whether callers are known to the cluster, where the sidecar has an account of its own to read what indexes are."""

from __future__ import annotations

from sidecar.native.kept_reads import KeptReads
from sidecar.native.reading import Credentials, credentials_of
from sidecar.native.request import NativeRequest
from sidecar.opensearch.passthrough import Passthrough, RawRequest

TTL_SECONDS = 5.0
_UNAUTHORIZED = 401


class Callers:
    """Knows who may log in; safe to use from any thread.

    Without an account nobody is asked about: whoever is unknown to the cluster learns nothing of its indexes, and the
    request passes as it is. With one, the sidecar would run models for anyone, and its errors would tell of indexes.
    """

    def __init__(self, upstream: Passthrough, *, are_asked_about: bool) -> None:
        self._upstream = upstream
        self._are_asked_about = are_asked_about
        self._known = KeptReads[Credentials, bool](seconds=TTL_SECONDS)

    def are_known(self, request: NativeRequest) -> bool:
        """False where the cluster lets nobody in who sends these credentials: the request is its to refuse.

        Raises: OpenSearchUnreachable, OpenSearchTimeout.
        """
        if not self._are_asked_about:
            return True
        credentials = credentials_of(request)
        return self._known.get(credentials, lambda: self._ask(credentials))

    def _ask(self, credentials: Credentials) -> tuple[bool, bool]:
        # Whoever is known but may not even ask this is answered 403.
        answer = self._upstream.send(RawRequest("GET", "/", credentials))
        answer.read()
        is_known = answer.status != _UNAUTHORIZED
        # A no is not kept: who is let in a moment later must not have documents pass without their vectors.
        return is_known, is_known
