"""The parts of a sidecar under its API, wired as `sidecar.app` wires them."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from types import TracebackType
from typing import Any

from sidecar.embedding.engine import EmbeddingEngine, EngineLimits
from sidecar.embedding.loader import Loader
from sidecar.embedding.media.reader import MediaReader, MediaRules
from sidecar.embedding.media_embedder import MediaEmbedder
from sidecar.embedding.model_cache import ModelCache
from sidecar.embedding.model_spec import ModelSpec
from sidecar.embedding.model_table import ModelTable
from sidecar.indexing.addition import WriterParts
from sidecar.indexing.reader import DocumentReader
from sidecar.indexing.requests import AddDocuments
from sidecar.indexing.writer import DocumentWriter
from sidecar.metrics import Metrics
from sidecar.opensearch.bulk_writer import BulkLimits, BulkWriter
from sidecar.opensearch.client import Cluster
from sidecar.opensearch.index_settings import IndexSettings
from sidecar.opensearch.index_states import IndexStates
from sidecar.opensearch.job_records import JobRecords
from sidecar.opensearch.mapping_builder import build_index_body
from sidecar.opensearch.switching import Switches
from sidecar.opensearch.transport import Transport
from sidecar.searching.request import SearchMethod, SearchRequest
from sidecar.searching.reranking import Reranker
from sidecar.searching.searcher import Searcher

SETTINGS = IndexSettings(model="random/small", search_model="random/small", number_of_shards=1)
LIMITS = EngineLimits(threads=2, queue_texts=4096, query_vectors=128)
MEDIA = MediaRules()
FIRST_PAGE = SearchRequest(q="")
Hit = dict[str, Any]


class Clock:
    """A clock that stands still until it is moved."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


class CallCounts:
    """Counts the calls to the cluster by operation."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self._lock = threading.Lock()

    def __call__(self, operation: str, seconds: float) -> None:
        with self._lock:
            self.counts[operation] += 1

    def __getitem__(self, operation: str) -> int:
        return self.counts[operation]


class Rooms:
    """One sidecar without its HTTP face."""

    def __init__(
        self,
        transport: Transport,
        load: Callable[[ModelSpec], Loader],
        *,
        limits: EngineLimits = LIMITS,
        media: MediaRules = MEDIA,
    ) -> None:
        self.calls = CallCounts()
        self.clock = Clock()
        self.metrics = Metrics()
        self.table = ModelTable()
        self.cluster = Cluster(transport, observe=self.calls)
        self.states = IndexStates(self.cluster, clock=self.clock)
        self.models = ModelCache(load, 4.0)
        self.engine = EmbeddingEngine(self.models, limits, self.metrics)
        reader = MediaReader(media)
        self.media = MediaEmbedder(self.engine, reader)
        bulk = BulkWriter(self.cluster, retry_deadline_seconds=5, limits=BulkLimits())
        self.switches = Switches(JobRecords(self.cluster), deadline_seconds=5, most_waiting=8)
        parts = WriterParts(
            self.cluster, self.states, bulk, self.engine, self.media, self.table, self.metrics, self.switches
        )
        self.writer = DocumentWriter(parts, max_document_bytes=100_000)
        self.reader = DocumentReader(self.cluster, self.states)
        self.searcher = Searcher(
            cluster=self.cluster,
            states=self.states,
            engine=self.engine,
            media=self.media,
            table=self.table,
            reranker=Reranker(self.models, reader),
        )

    def __enter__(self) -> Rooms:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.media.close()
        self.engine.close()

    def create(self, index: str, settings: IndexSettings = SETTINGS) -> str:
        """Make an index of these settings; returns its name."""
        spec = self.table.resolve(settings.model, settings.model_properties)
        of_fields = {
            field: self.table.resolve(own.model, own.model_properties).dimensions
            for field, own in settings.field_models.items()
        }
        version = self.cluster.facts().version
        body = build_index_body(settings, spec.dimensions, field_dimensions=of_fields, version=version)
        self.cluster.create_index(index, body)
        return index

    def add(
        self, index: str, documents: Sequence[object], fields: Sequence[str] = ("text",), *, prefix: str | None = None
    ) -> list[dict[str, Any]]:
        """Add documents with these tensor fields, to be found at once."""
        return self.send(index, AddDocuments(documents, tuple(fields), None, text_chunk_prefix=prefix))

    def send(self, index: str, request: AddDocuments) -> list[dict[str, Any]]:
        """Add documents, to be found at once."""
        return self.writer.add(index, replace(request, refresh=True))

    def search(self, index: str, q: str, request: SearchRequest = FIRST_PAGE) -> list[Hit]:
        """The hits of a query; of ``request`` all but its ``q`` holds."""
        return self.searcher.search(index, replace(request, q=q)).hits

    def find(self, index: str, q: str, *, method: SearchMethod = SearchMethod.TENSOR, limit: int = 10) -> list[str]:
        """The ids of the hits of a query, best first."""
        return [hit["_id"] for hit in self.search(index, q, SearchRequest(q="", method=method, limit=limit))]

    def stored(self, index: str, document_id: str) -> dict[str, Any]:
        """The whole stored document, embeddings included."""
        found = self.cluster.read_document(index, document_id)
        assert found is not None
        return found

    @property
    def embedded_texts(self) -> int:
        """Texts, images and other files of documents that models ran on."""
        return self._sample("sidecar_batch_texts_sum") + self._sample("sidecar_batch_images_sum")

    @property
    def query_runs(self) -> int:
        """Queries that were embedded."""
        return self._sample("sidecar_query_embedding_seconds_count")

    def _sample(self, name: str) -> int:
        value = self.metrics.registry.get_sample_value(name)
        assert value is not None
        return int(value)
