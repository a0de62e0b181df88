"""API keys: who may use the API, where the operator has set any."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence

from flask import Flask, request

from sidecar.errors import Unauthorized

FREE_PATHS = frozenset({"/", "/health", "/ready", "/metrics", "/openapi.json", "/docs", "/ui"})
"""What load balancers and monitors ask for, without a key; and what tells how to use the API, which takes one."""
FREE_STARTS = ("/docs/", "/ui/")
"""Begin the paths of the files of the pages ``/docs`` and ``/ui``: a browser asks for them without a key."""
BEARER_PATHS = "/v1/"
"""Where clients of OpenAI's API send their key as a bearer token; elsewhere `Authorization` is not looked at."""


def require_keys(app: Flask, keys: Sequence[str]) -> None:
    """Let requests in that carry one of the keys, under `/v1/` also as a bearer token; without any key, all."""
    if not keys:
        return
    known = [_digest(key.encode()) for key in keys]

    def check_key() -> None:
        if is_free(request.path):
            return
        given = _digest(_given_key().encode("latin-1", "replace"))
        # All are compared, by digests of one length: the time that it takes tells neither how much of a key was right,
        # nor how long it is, nor which one it was.
        matches = [hmac.compare_digest(given, key) for key in known]
        if True not in matches:
            raise Unauthorized("The header x-api-key has no valid API key. Ask the operator of this sidecar for one.")

    app.before_request(check_key)


def is_free(path: str) -> bool:
    """Whether the path is served without a key."""
    return path in FREE_PATHS or path.startswith(FREE_STARTS)


def _digest(key: bytes) -> bytes:
    return hashlib.sha256(key).digest()


def _given_key() -> str:
    key = request.headers.get("x-api-key", "")
    if key or not request.path.startswith(BEARER_PATHS):
        return key
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" else ""
