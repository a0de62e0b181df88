"""Pipelines by their names, with the processors that the sidecar took out of them and keeps in their descriptions."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote

import orjson
from cachetools import TTLCache

from sidecar.native.declarations.description import Kept, split_description
from sidecar.native.declarations.own_processors import (
    INGEST_LIST,
    kept_ingest_processors,
    kept_search_pipeline,
    take_search_processors,
)
from sidecar.native.declarations.processors import IngestProcessor, SearchPipeline
from sidecar.native.embedder import NativeEmbedder
from sidecar.native.errors import ILLEGAL_ARGUMENT, Refused
from sidecar.native.json.spans import NotJson, Object, read
from sidecar.native.request import NativeRequest
from sidecar.opensearch.passthrough import Header, Passthrough, RawRequest

logger = logging.getLogger(__name__)

TTL_SECONDS = 5.0
MAX_NAMES = 4096
_MOST_STEPS = 32
"""How many pipelines one may lead through, each by a `pipeline` processor of the one before."""
_CREDENTIALS = ("authorization", "securitytenant")

Kind = Literal["_ingest", "_search"]


@dataclass(frozen=True, slots=True)
class _Stored:
    """A pipeline as the cluster has it: what was taken out of it, and the processors that are left."""

    kept: Kept
    left: Sequence[Mapping[str, Any]]


_NONE = _Stored({}, ())


class Pipelines:
    """Knows the pipelines of the cluster; safe to use from any thread.

    What is read is read as the caller, and kept for some seconds for that caller only.
    """

    def __init__(
        self, upstream: Passthrough, embedder: NativeEmbedder, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._upstream = upstream
        self._embedder = embedder
        self._lock = threading.Lock()
        self._changes = 0
        self._known: TTLCache[tuple[Kind, str, str | None], _Stored] = TTLCache(MAX_NAMES, TTL_SECONDS, clock)

    def ingest(self, name: str, request: NativeRequest) -> tuple[IngestProcessor, ...]:
        """The processors of an ingest pipeline that the sidecar carries out, in order; none for a pipeline that has
        none of them, or that the caller may not know. Those of pipelines that it begins with calling are among them.

        Raises: Refused where it calls a pipeline with such processors behind others, and they would be left out;
        OpenSearchUnreachable, OpenSearchTimeout.
        """
        found: list[IngestProcessor] = []
        self._follow(name, request, found, path=())
        return tuple(found)

    def search(self, pipeline: str | Mapping[str, Any], request: NativeRequest) -> SearchPipeline:
        """What a search pipeline, by its name or as it stands in a request, has the sidecar do.

        Raises: Refused where the one in the request has a setting that the plugin would refuse;
        OpenSearchUnreachable, OpenSearchTimeout.
        """
        if not isinstance(pipeline, str):
            text = orjson.dumps(pipeline)
            node = read(text)
            taken = take_search_processors(node, text, self._embedder) if isinstance(node, Object) else None
            return kept_search_pipeline(taken.kept) if taken is not None else SearchPipeline()
        try:
            return kept_search_pipeline(self._stored("_search", pipeline, request).kept)
        except (Refused, NotJson) as error:
            logger.warning("the description of search pipeline %s is not what the sidecar wrote: %s", pipeline, error)
            return SearchPipeline()

    def forget(self) -> None:
        """Read everything anew from now on: a pipeline was changed."""
        with self._lock:
            self._changes += 1
            self._known.clear()

    def _follow(
        self, name: str, request: NativeRequest, found: list[IngestProcessor], *, path: tuple[str, ...]
    ) -> bool:
        """Collect the processors of a pipeline; False where others come first from now on."""
        if name in path or len(path) == _MOST_STEPS:
            return True
        stored = self._stored("_ingest", name, request)
        try:
            found += kept_ingest_processors(stored.kept)
        except (Refused, NotJson) as error:
            logger.warning("the description of ingest pipeline %s is not what the sidecar wrote: %s", name, error)
        is_first = True
        for processor in stored.left:
            called = _called(processor)
            if called is None:
                is_first = False
                continue
            further: list[IngestProcessor] = []
            is_only_ours = self._follow(called, request, further, path=(*path, name))
            if further and not (is_first and _is_plain(processor["pipeline"])):
                raise Refused(
                    ILLEGAL_ARGUMENT,
                    f"pipeline [{name}] calls [{called}], which embeds, behind other processors or under a condition; "
                    "the sidecar embeds before the document reaches the cluster",
                )
            found += further
            is_first = is_first and is_only_ours
        return is_first

    def _stored(self, kind: Kind, name: str, request: NativeRequest) -> _Stored:
        key = (kind, name, request.header("authorization"))
        with self._lock:
            known = self._known.get(key)
            changes = self._changes
        if known is not None:
            return known
        credentials = [header for header in request.headers if header[0] in _CREDENTIALS]
        stored = self._read(kind, name, credentials)
        with self._lock:
            # What was read while a pipeline changed may be what it was before.
            if self._changes == changes:
                self._known[key] = stored
        return stored

    def _read(self, kind: Kind, name: str, credentials: Sequence[Header]) -> _Stored:
        answer = self._upstream.send(RawRequest("GET", f"/{kind}/pipeline/{quote(name, safe='')}", credentials))
        body = answer.read()
        pipeline = orjson.loads(body).get(name) if answer.status == 200 else None
        if not isinstance(pipeline, dict):
            return _NONE
        description = pipeline.get("description")
        split = split_description(description) if isinstance(description, str) else None
        left = pipeline.get(INGEST_LIST) if kind == "_ingest" else None
        return _Stored(split[1] if split is not None else {}, left if isinstance(left, list) else ())


def _called(processor: Mapping[str, Any]) -> str | None:
    settings = processor.get("pipeline")
    name = settings.get("name") if isinstance(settings, dict) else None
    return name if isinstance(name, str) else None


def _is_plain(settings: Mapping[str, Any]) -> bool:
    return not settings.keys() - {"name", "tag", "description"}
