"""Pipelines by their names, with the processors that the sidecar took out of them and keeps in their descriptions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sidecar.native.declarations.processors import IngestProcessor, SearchPipeline
from sidecar.native.request import NativeRequest
from sidecar.opensearch.passthrough import Passthrough


class Pipelines:
    """Knows the pipelines of the cluster; safe to use from any thread."""

    def __init__(self, upstream: Passthrough) -> None:
        self._upstream = upstream

    def ingest(self, name: str, request: NativeRequest) -> tuple[IngestProcessor, ...]:
        """The processors of an ingest pipeline that the sidecar carries out, in order; none for a pipeline that has
        none of them, or that the caller may not know."""
        return ()

    def search(self, pipeline: str | Mapping[str, Any], request: NativeRequest) -> SearchPipeline:
        """What a search pipeline, by its name or as it stands in a request, has the sidecar do."""
        return SearchPipeline()

    def forget(self) -> None:
        """Read everything anew from now on: a pipeline was changed."""
