"""int8 against float32 in ONNX Runtime, for texts; `benchmarks.precisions` measures what it costs in quality."""

from __future__ import annotations

import statistics
import time
from dataclasses import replace

from benchmarks.corpus import MODEL, chunk_texts, documents
from benchmarks.figures import Figure
from sidecar.embedding.conversion import ConversionCache
from sidecar.embedding.engine import EmbeddingEngine, EngineLimits
from sidecar.embedding.load import ModelLoading
from sidecar.embedding.model_cache import ModelCache
from sidecar.embedding.model_spec import Precision
from sidecar.embedding.model_table import ModelTable
from sidecar.embedding.processors import available_processors, has_dot_products
from sidecar.given_settings import load_settings
from sidecar.metrics import Metrics

_TEXTS = 600
_ROUNDS = 5


def measure() -> list[Figure]:
    """Texts a second of both, in turns."""
    loading, spec = ModelLoading(ConversionCache(load_settings().models_folder), "onnx"), ModelTable().resolve(MODEL)
    limits = EngineLimits(threads=available_processors(), queue_texts=10_000, query_vectors=0)
    engine = EmbeddingEngine(ModelCache(loading.load, 100.0), limits, Metrics())
    texts = chunk_texts(documents(1500))[::3][:_TEXTS]
    precisions: tuple[Precision, ...] = ("float32", "int8")
    seconds: dict[Precision, list[float]] = {precision: [] for precision in precisions}
    for number in range(_ROUNDS + 1):
        for precision in precisions:
            started = time.perf_counter()
            engine.submit(replace(spec, precision=precision), texts).result()
            # The first round loads the model.
            if number:
                seconds[precision].append(time.perf_counter() - started)
    engine.close()
    ratio = statistics.median(whole / small for whole, small in zip(*seconds.values(), strict=True))
    rates = [_TEXTS / min(taken) for taken in seconds.values()]
    return [
        Figure(
            "int8 texts/s against float32 in ONNX Runtime",
            ratio,
            2.0 if has_dot_products() else 1.4,
            detail=f"{rates[1]:.0f} against {rates[0]:.0f} texts/s",
        )
    ]
