"""What the sidecar counts and times of itself, in Prometheus terms; served by ``GET /metrics``."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
_BATCH = (1, 2, 4, 8, 16, 32, 64)


class Metrics:
    """The metrics of one process, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Histogram(
            "sidecar_request_seconds",
            "Time to answer a request, by route, method and status.",
            ["route", "method", "status"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.cluster = Histogram(
            "sidecar_opensearch_seconds",
            "Time the cluster took to answer, by operation.",
            ["operation"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.query_embedding = Histogram(
            "sidecar_query_embedding_seconds",
            "Time to embed the texts of one query, waiting included; cached ones are not counted.",
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.batch_texts = Histogram(
            "sidecar_batch_texts", "Texts in one run of a model.", buckets=_BATCH, registry=self.registry
        )
        self.tokens = Counter("sidecar_tokens_total", "Tokens embedded, without padding.", registry=self.registry)
        self.padding = Counter(
            "sidecar_padding_tokens_total", "Tokens of padding that models ran over.", registry=self.registry
        )
        self.queue = Gauge("sidecar_queue_texts", "Texts that wait to be embedded.", registry=self.registry)
        self.query_cache_hits = Counter(
            "sidecar_query_cache_hits_total", "Query vectors found in the cache.", registry=self.registry
        )
        self.unchanged = Counter(
            "sidecar_unchanged_fields_total",
            "Fields of re-sent documents whose embeddings were kept.",
            registry=self.registry,
        )
        self.retries = Counter(
            "sidecar_write_retries_total", "Documents sent to the cluster again.", registry=self.registry
        )

    def text(self) -> bytes:
        """All metrics in Prometheus' text format."""
        return generate_latest(self.registry)
