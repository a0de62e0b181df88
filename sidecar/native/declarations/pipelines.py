"""Pipelines by their names, with the processors that the sidecar took out of them and keeps in their descriptions."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar
from urllib.parse import quote

import orjson

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
from sidecar.native.json.edits import Edit
from sidecar.native.json.spans import NotJson, Object, read
from sidecar.native.kept_reads import KeptReads
from sidecar.native.reading import REFUSED, ClusterReader, Credentials
from sidecar.native.request import NativeRequest

logger = logging.getLogger(__name__)

TTL_SECONDS = 5.0
_MOST_STEPS = 32
"""How many pipelines one may lead through, each by a `pipeline` processor of the one before."""

_Kind = Literal["_ingest", "_search"]
_Result = TypeVar("_Result")
_NOTHING = SearchPipeline()


@dataclass(frozen=True, slots=True)
class _Stored:
    """A pipeline as the cluster has it: what was taken out of it, and the ingest processors that are left."""

    ingest: tuple[IngestProcessor, ...] = ()
    search: SearchPipeline = _NOTHING
    left: Sequence[Mapping[str, Any]] = ()


class Pipelines:
    """Knows the pipelines of the cluster; safe to use from any thread.

    What is read for one caller is kept for that caller only, save where an account of the sidecar's own reads it.
    """

    def __init__(
        self, reader: ClusterReader, embedder: NativeEmbedder, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._reader = reader
        self._embedder = embedder
        self._stored = KeptReads[tuple[_Kind, str, Credentials], _Stored](seconds=TTL_SECONDS, clock=clock)

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
        if isinstance(pipeline, str):
            return self._get("_search", pipeline, request).search
        text = json.dumps(pipeline).encode()
        node = read(text)
        return self.search_in_body(node, text)[0] if isinstance(node, Object) else _NOTHING

    def search_in_body(self, pipeline: Object, data: bytes) -> tuple[SearchPipeline, list[Edit]]:
        """What a search pipeline in the text ``data`` of a request has the sidecar do, and the edits that leave it
        without those processors, for the cluster. Raises: Refused as `search`."""
        taken = take_search_processors(pipeline, data, self._embedder)
        return (_NOTHING, []) if taken is None else (kept_search_pipeline(taken.kept), taken.edits)

    def forget(self) -> None:
        """Read everything anew from now on: a pipeline was changed."""
        self._stored.forget()

    def _follow(
        self, name: str, request: NativeRequest, found: list[IngestProcessor], *, path: tuple[str, ...]
    ) -> bool:
        """Collect the processors of a pipeline; False where others come first from now on."""
        if name in path or len(path) == _MOST_STEPS:
            return True
        stored = self._get("_ingest", name, request)
        found += stored.ingest
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

    def _get(self, kind: _Kind, name: str, request: NativeRequest) -> _Stored:
        key = (kind, name, self._reader.credentials(request))
        return self._stored.get(key, lambda: self._read(*key))

    def _read(self, kind: _Kind, name: str, credentials: Credentials) -> tuple[_Stored, bool]:
        status, body = self._reader.ask(
            credentials, "GET", f"/{kind}/pipeline/{quote(name, safe='', errors='replace')}"
        )
        if status != 200:
            # A missing pipeline is told by the cluster, and rarely asked for again.
            return _Stored(), status in REFUSED
        pipeline = orjson.loads(body).get(name)
        if not isinstance(pipeline, dict):
            return _Stored(), True
        description = pipeline.get("description")
        split = split_description(description) if isinstance(description, str) else None
        kept: Kept = {} if split is None else split[1]
        if kind == "_search":
            return _Stored(search=_readable(name, kept, kept_search_pipeline, _NOTHING)), True
        left = pipeline.get(INGEST_LIST)
        ingest: tuple[IngestProcessor, ...] = _readable(name, kept, kept_ingest_processors, ())
        return _Stored(ingest=ingest, left=left if isinstance(left, list) else ()), True


def _readable(name: str, kept: Kept, parse: Callable[[Kept], _Result], otherwise: _Result) -> _Result:
    try:
        return parse(kept)
    except (Refused, NotJson) as error:
        logger.warning("the description of pipeline %s is not what the sidecar writes: %s", name, error)
        return otherwise


def _called(processor: Mapping[str, Any]) -> str | None:
    settings = processor.get("pipeline")
    name = settings.get("name") if isinstance(settings, dict) else None
    return name if isinstance(name, str) else None


def _is_plain(settings: Mapping[str, Any]) -> bool:
    return not settings.keys() - {"name", "tag", "description"}
