"""Loads of made-up rows into an index of the model random/small, in this process or one of their own."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from sidecar.api.services import EXTENSION, Services
from sidecar.app import close_app, create_app
from sidecar.config import Settings, load_settings
from sidecar.ingest.loading.beginning import Met
from sidecar.ingest.loading.counts import Summary
from sidecar.ingest.loading.job import identity_of, open_job
from sidecar.ingest.loading.parts import LoadParts
from sidecar.ingest.loading.plan import LoadPlan
from sidecar.ingest.loading.progress import LoadProgress
from sidecar.ingest.ray_engine.runner import RayRunner
from sidecar.ingest.shaping.shape import DocumentShape
from sidecar.ingest.sources.options import SourceOptions
from sidecar.ingest.sources.source import Record
from tests.ingest.ray_engine.listed_parts import ListedPart


@dataclass(frozen=True)
class RowShape(DocumentShape):
    def document(self, record: Record) -> dict[str, Any]:
        return {"_id": f"{record.part}-{record.row}", **record.document}


@contextmanager
def open_parts(settings: Settings) -> Iterator[LoadParts]:
    app = create_app(settings)
    parts: Services = app.extensions[EXTENSION]
    try:
        yield LoadParts(
            settings, parts.cluster, parts.states, parts.engine, parts.media, parts.table, parts.metrics
        )
    finally:
        close_app(app)
