"""The parts that the routes work with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from flask import current_app

from sidecar.config import Settings
from sidecar.embedding.engine import EmbeddingEngine
from sidecar.embedding.media_embedder import MediaEmbedder
from sidecar.embedding.model_table import ModelTable
from sidecar.indexing.reader import DocumentReader
from sidecar.indexing.writer import DocumentWriter
from sidecar.metrics import Metrics
from sidecar.metrics_index.writer import MetricsIndex
from sidecar.observation.request import Observer
from sidecar.opensearch.address import ClusterAddress
from sidecar.opensearch.client import Cluster
from sidecar.opensearch.index_states import IndexStates
from sidecar.opensearch.switching import Switches
from sidecar.searching.recommending import Recommender
from sidecar.searching.searcher import Searcher
from sidecar.startup import Startup

EXTENSION = "sidecar"


@dataclass(frozen=True, slots=True)
class Services:
    """One sidecar's parts, made and wired by `create_app`; all are safe to use from any thread."""

    settings: Settings
    metrics: Metrics
    observer: Observer
    address: ClusterAddress
    cluster: Cluster
    states: IndexStates
    engine: EmbeddingEngine
    media: MediaEmbedder
    table: ModelTable
    writer: DocumentWriter
    reader: DocumentReader
    switches: Switches
    searcher: Searcher
    recommender: Recommender
    startup: Startup
    metrics_index: MetricsIndex | None


def services() -> Services:
    """The parts of the app that serves the request at hand."""
    return cast(Services, current_app.extensions[EXTENSION])
