"""What the sidecar counts and times of itself, in Prometheus terms; served by ``GET /metrics``.

Labels have few values: routes as they are declared, kinds, and the models that are in memory. Nothing that a client
may choose freely becomes one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
_LOADING = (0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0)
_BATCH = (1, 2, 4, 8, 16, 32, 64)
MOST_MODELS = 100
"""Models that have a series of their own; a memory may hold more of them only where they are tiny."""


@dataclass(frozen=True, slots=True)
class ModelInMemory:
    """A loaded model, by the first of its names."""

    name: str
    device: str
    size_bytes: int


class Metrics:
    """The metrics of one process, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._add_requests()
        self._add_embedding()
        self._add_media()
        self._add_cluster()
        self.models = ModelMemory()
        self.registry.register(self.models)

    def text(self) -> bytes:
        """All metrics in Prometheus' text format."""
        return generate_latest(self.registry)

    def _add_requests(self) -> None:
        self.requests = self._times(
            "sidecar_request_seconds",
            "Time to answer a request, by route, method and status.",
            ["route", "method", "status"],
        )
        self.in_progress = Gauge(
            "sidecar_requests_in_progress",
            "Requests that are being served now, by face: indexes or native.",
            ["face"],
            registry=self.registry,
        )
        self.stages = self._times(
            "sidecar_stage_seconds",
            "Time of one stage (parse, load, queue, embed, media, cluster, rerank) of a request, by what the request "
            "is for (search, documents, other).",
            ["work", "stage"],
        )
        self.rejected = self._counter(
            "sidecar_rejected_total",
            "Requests answered with 429, by reason: the queue was full (queue), or the cluster has too much to do "
            "(cluster).",
            ["reason"],
        )

    def _add_embedding(self) -> None:
        self.query_embedding = self._times(
            "sidecar_query_embedding_seconds",
            "Time to embed the texts of one query, waiting included; cached ones are not counted.",
        )
        self.batch_texts = self._sizes("sidecar_batch_texts", "Texts of documents in one run of a model.")
        self.batch_images = self._sizes(
            "sidecar_batch_images", "Images and other files of documents in one run of a model."
        )
        self.batch_queries = self._sizes("sidecar_batch_queries", "Queries in one run of a model.")
        self.tokens = self._counter("sidecar_tokens_total", "Tokens embedded, without padding.")
        self.padding = self._counter("sidecar_padding_tokens_total", "Tokens of padding that models ran over.")
        self.queue = Gauge("sidecar_queue_texts", "Texts that wait to be embedded.", registry=self.registry)
        self.queue_limit = Gauge(
            "sidecar_queue_limit_texts",
            "Texts that may wait before new documents are refused (429).",
            registry=self.registry,
        )
        self.query_cache_hits = self._counter("sidecar_query_cache_hits_total", "Query vectors found in the cache.")
        self.query_cache_misses = self._counter(
            "sidecar_query_cache_misses_total", "Query vectors that a model had to make."
        )
        self.unchanged = self._counter(
            "sidecar_unchanged_fields_total", "Fields of re-sent documents whose embeddings were kept."
        )
        self.model_loads = Histogram(
            "sidecar_model_load_seconds",
            "Time to load a model, downloads and conversion included, by outcome: ok or failed.",
            ["outcome"],
            buckets=_LOADING,
            registry=self.registry,
        )
        self.model_conversions = Histogram(
            "sidecar_model_conversion_seconds",
            "Time to convert a model to ONNX or to another precision, by outcome: ok or failed.",
            ["outcome"],
            buckets=_LOADING,
            registry=self.registry,
        )
        self.endpoint_retries = self._counter(
            "sidecar_endpoint_retries_total", "Requests sent to an inference endpoint again."
        )

    def _add_media(self) -> None:
        self.media_fetches = self._counter(
            "sidecar_media_fetches_total",
            "Images and other files fetched by URL, by outcome: ok or failed.",
            ["outcome"],
        )
        self.media_bytes = self._counter("sidecar_media_bytes_total", "Bytes of the files that were fetched.")

    def _add_cluster(self) -> None:
        self.cluster = self._times(
            "sidecar_opensearch_seconds", "Time the cluster took to answer, by operation.", ["operation"]
        )
        self.cluster_failures = self._counter(
            "sidecar_opensearch_failures_total", "Calls to the cluster, for requests, that got no answer."
        )
        self.retries = self._counter("sidecar_write_retries_total", "Documents sent to the cluster again.")
        self.resent = self._counter(
            "sidecar_resent_requests_total",
            "Requests, reads mostly, sent to the cluster again since it had just closed the kept connection.",
        )

    def _times(self, name: str, meaning: str, labels: Iterable[str] = ()) -> Histogram:
        return Histogram(name, meaning, labels, buckets=_SECONDS, registry=self.registry)

    def _sizes(self, name: str, meaning: str) -> Histogram:
        return Histogram(name, meaning, buckets=_BATCH, registry=self.registry)

    def _counter(self, name: str, meaning: str, labels: Iterable[str] = ()) -> Counter:
        return Counter(name, meaning, labels, registry=self.registry)


class ModelMemory(Collector):
    """The models in memory, read when somebody asks for the metrics: one that is evicted has no series any more."""

    def __init__(self) -> None:
        self._read: Callable[[], Iterable[ModelInMemory]] = tuple
        self._budgets: dict[str, int] = {}

    def watch(self, read: Callable[[], Iterable[ModelInMemory]], *, budgets: dict[str, int]) -> None:
        """Tell of what ``read`` gives from now on; ``budgets`` are the bytes for it on a device of each kind."""
        self._read = read
        self._budgets = budgets

    def collect(self) -> Iterator[Metric]:
        """The gauges as they are now."""
        models = sorted(self._read(), key=lambda model: model.size_bytes, reverse=True)
        loaded = GaugeMetricFamily("sidecar_models_loaded", "Models in memory.", value=len(models))
        sizes = GaugeMetricFamily(
            "sidecar_model_bytes",
            f"Memory of each model in memory, as its loader estimates it; of the {MOST_MODELS} largest.",
            labels=["model", "device"],
        )
        for model in models[:MOST_MODELS]:
            sizes.add_metric([model.name, model.device], model.size_bytes)
        budgets = GaugeMetricFamily(
            "sidecar_model_budget_bytes",
            "Memory that models may have on each device, by its kind: cpu or cuda.",
            labels=["kind"],
        )
        for kind, size in self._budgets.items():
            budgets.add_metric([kind], size)
        yield from (loaded, sizes, budgets)
