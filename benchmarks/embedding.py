"""Plain float32 names against the reference library, on the same texts."""

from __future__ import annotations

import statistics
import time

from benchmarks.corpus import MODEL, QUERIES, chunk_texts, documents
from benchmarks.figures import Figure, has_avx512, median_ms
from benchmarks.raw import Reference, least_cosine, load_raw
from sidecar.embedding.engine import EmbeddingEngine, EngineLimits
from sidecar.embedding.model_cache import ModelCache
from sidecar.embedding.model_table import ModelTable
from sidecar.embedding.processors import available_processors
from sidecar.metrics import Metrics

_ROUNDS = 3
_TEXTS = 600


def measure() -> list[Figure]:
    """Texts a second through the engine, and single queries, each in turn with the reference."""
    loader, reference, spec = load_raw(), Reference(), ModelTable().resolve(MODEL)
    limits = EngineLimits(threads=available_processors(), queue_texts=10_000, query_vectors=0)
    engine = EmbeddingEngine(ModelCache(lambda _: loader, 4.0), limits, Metrics())
    texts = chunk_texts(documents(1500))[::3][:_TEXTS]
    engine.submit(spec, texts[:64]).result()
    reference.encode(texts[:64])
    ratios, ours_seconds, theirs_seconds, cosine = [], [], [], 1.0
    for _ in range(_ROUNDS):
        started = time.perf_counter()
        ours = engine.submit(spec, texts).result()
        ours_seconds.append(time.perf_counter() - started)
        started = time.perf_counter()
        theirs = reference.encode(texts)
        theirs_seconds.append(time.perf_counter() - started)
        ratios.append(theirs_seconds[-1] / ours_seconds[-1])
        cosine = min(cosine, least_cosine(ours, theirs))
    ours_single, theirs_single = [], []
    for first in range(0, 60, 20):
        queries = QUERIES[first : first + 20]
        # torch's threads spin for a while after their work: let them come to rest.
        time.sleep(1.0)
        for query in queries:
            started = time.perf_counter()
            engine.embed_query(spec, query, normalize=True)
            ours_single.append(time.perf_counter() - started)
        for query in queries:
            started = time.perf_counter()
            reference.encode([query])
            theirs_single.append(time.perf_counter() - started)
    engine.close()
    ours_ms, theirs_ms = median_ms(ours_single), median_ms(theirs_single)
    return [
        Figure(
            "float32 texts/s against SentenceTransformer",
            statistics.median(ratios),
            1.8 if has_avx512() else 1.2,
            detail=f"{_TEXTS / min(ours_seconds):.0f} against {_TEXTS / min(theirs_seconds):.0f} texts/s",
        ),
        Figure(
            "single queries against SentenceTransformer",
            theirs_ms / ours_ms,
            3.0,
            detail=f"{ours_ms:.1f} against {theirs_ms:.1f} ms",
        ),
        Figure("least cosine to SentenceTransformer", cosine, 0.9999, detail=f"{_TEXTS} texts"),
    ]
