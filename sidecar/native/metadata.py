"""What the cluster says of the indexes that requests name, kept for some seconds."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

import orjson
from cachetools import TTLCache

from sidecar.errors import NotASidecarIndex, OpenSearchError
from sidecar.native.declarations.declaration import IndexFacts
from sidecar.native.declarations.stored import read_declarations, vector_fields
from sidecar.native.request import NativeRequest
from sidecar.opensearch.index_state import parse_index_state
from sidecar.opensearch.passthrough import Header, Passthrough, RawRequest

TTL_SECONDS = 5.0
MAX_NAMES = 4096


class Metadata:
    """Knows the indexes behind names; safe to use from any thread.

    What is read is read as the caller, and kept for that caller only.
    """

    def __init__(self, upstream: Passthrough, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._upstream = upstream
        self._lock = threading.Lock()
        self._kept: TTLCache[tuple[str, str | None], tuple[IndexFacts, ...] | None] = TTLCache(
            MAX_NAMES, TTL_SECONDS, clock
        )

    def of(self, expression: str, request: NativeRequest) -> tuple[IndexFacts, ...] | None:
        """The concrete indexes behind an index expression: a name, an alias, a pattern, or a list of these.

        None where the caller may not know them, or there are none: the request is the cluster's then.
        Raises: OpenSearchUnreachable, OpenSearchTimeout.
        """
        key = (expression, request.header("authorization"))
        with self._lock:
            if key in self._kept:
                return self._kept[key]
        facts = self._read(expression, _credentials(request))
        with self._lock:
            self._kept[key] = facts
        return facts

    def write_target(self, name: str, request: NativeRequest) -> IndexFacts | None:
        """The concrete index that writes by this name go to; None as in `of`."""
        found = self.of(name, request)
        return found[0] if found is not None and len(found) == 1 else None

    def forget(self) -> None:
        """Read everything anew from now on: an index, alias, template or pipeline was changed."""
        with self._lock:
            self._kept.clear()

    def _read(self, expression: str, headers: Sequence[Header]) -> tuple[IndexFacts, ...] | None:
        target = f"/{quote(expression, safe=',*')}?ignore_unavailable=true&allow_no_indices=true&expand_wildcards=open"
        answer = self._upstream.send(RawRequest("GET", target, headers))
        body = answer.read()
        if answer.status != 200:
            return None
        return tuple(_facts(name, facts) for name, facts in orjson.loads(body).items()) or None


def _credentials(request: NativeRequest) -> list[Header]:
    return [header for header in request.headers if header[0] in {"authorization", "securitytenant"}]


def _facts(name: str, facts: Mapping[str, Any]) -> IndexFacts:
    mapping = facts.get("mappings", {})
    index = facts.get("settings", {}).get("index", {})
    try:
        state = parse_index_state(name, orjson.dumps({name: facts}))
    except (NotASidecarIndex, OpenSearchError):
        state = None
    return IndexFacts(
        name=name,
        declarations=read_declarations(mapping),
        vector_fields={field.path: field for field in vector_fields(mapping)},
        default_pipeline=_pipeline(index.get("default_pipeline")),
        final_pipeline=_pipeline(index.get("final_pipeline")),
        search_pipeline=_pipeline(index.get("search", {}).get("default_pipeline")),
        state=state,
    )


def _pipeline(name: str | None) -> str | None:
    return None if name in (None, "", "_none") else name
