"""Queries: embedded by the thread that asks, in a lane of their model, and remembered."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from weakref import WeakKeyDictionary

from cachetools import LRUCache

from sidecar.embedding.engine_watch import EngineWatch
from sidecar.embedding.loader import Embeddings, Loader, Modality, Prepared, runner
from sidecar.embedding.model_spec import ModelSpec
from sidecar.embedding.normalizing import normalized
from sidecar.embedding.query_lane import QueryLane
from sidecar.metrics import Metrics


class QueryEmbedder:
    """Embeds queries with models that are loaded; keeps ``kept_vectors`` for repeated ones. Safe to use from any
    thread. At most ``runs`` threads run a model on queries at once."""

    def __init__(self, watch: EngineWatch, metrics: Metrics, *, runs: int, kept_vectors: int) -> None:
        self._watch = watch
        self._metrics = metrics
        self._runs = runs
        self._kept_vectors = kept_vectors
        # Weak: a model that the cache has evicted must not stay in memory for its lane.
        self._lanes: WeakKeyDictionary[Loader, dict[Modality, QueryLane]] = WeakKeyDictionary()
        self._vectors: LRUCache[tuple[object, ...], Embeddings] = LRUCache(max(1, kept_vectors))
        self._lock = threading.Lock()

    def kept(self, spec: ModelSpec, texts: Sequence[str], *, normalize: bool) -> dict[str, Embeddings]:
        """The vectors that are remembered of the texts, which are all different."""
        with self._lock:
            looked_up = {text: self._vectors.get((spec.identity, normalize, text)) for text in texts}
        found = {text: vector for text, vector in looked_up.items() if vector is not None}
        self._metrics.query_cache_hits.inc(len(found))
        self._metrics.query_cache_misses.inc(len(texts) - len(found))
        return found

    def embed_texts(
        self, spec: ModelSpec, loader: Loader, texts: Sequence[str], *, normalize: bool
    ) -> list[Embeddings]:
        """The vectors of texts, embedded together, and remembered. Returns: float32, shape (dimensions,), in order.

        Raises what the model raises on the first of them on which it fails, as one of our errors.
        """
        started = time.perf_counter()
        vectors = self.embed_prepared(loader, Modality.TEXT, loader.prepare_text(texts))
        if normalize:
            vectors = [normalized(vector) for vector in vectors]
        self._metrics.query_embedding.observe(time.perf_counter() - started)
        for vector in vectors:
            vector.setflags(write=False)
        if self._kept_vectors:
            with self._lock:
                for text, vector in zip(texts, vectors, strict=True):
                    self._vectors[spec.identity, normalize, text] = vector
        return vectors

    def embed_prepared(self, loader: Loader, modality: Modality, prepared: Sequence[Prepared]) -> list[Embeddings]:
        """As `embed_texts`, for inputs of any kind that the loader has prepared; not normalised, nor remembered."""
        self._watch.runs.check(loader)
        try:
            return self._lane(loader, modality).embed(runner(loader, modality), prepared)
        except Exception as error:
            raise self._watch.as_own_error(loader, error) from error

    def _lane(self, loader: Loader, modality: Modality) -> QueryLane:
        with self._lock:
            lanes = self._lanes.setdefault(loader, {})
            lane = lanes.get(modality)
            if lane is None:
                lane = lanes[modality] = self._watch.open_lane(loader, modality, self._runs)
            return lane
