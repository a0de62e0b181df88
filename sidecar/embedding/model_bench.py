"""How fast a model runs on this machine, by backend and precision."""

from __future__ import annotations

import importlib.util
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from sidecar.embedding.conversion import ConversionCache
from sidecar.embedding.engine import EmbeddingEngine, EngineLimits
from sidecar.embedding.load import Backend, ModelLoading
from sidecar.embedding.loader import ImageLoader, Loader, Modality, Prepared
from sidecar.embedding.model_cache import ModelCache
from sidecar.embedding.model_spec import PRECISIONS, ModelSpec, Precision
from sidecar.embedding.processors import available_processors
from sidecar.errors import SidecarError
from sidecar.metrics import Metrics

BACKENDS: tuple[Backend, ...] = ("torch", "onnx", "openvino")
_QUERIES = 20
_SENTENCE = "the nearest neighbours of a query are found by the angle between its vector and those of all documents"
_WORDS = _SENTENCE.split()


@dataclass(frozen=True, slots=True)
class Speed:
    """One backend and precision. Rates are inputs a second over all processors, latencies milliseconds of one input
    alone; None where the model has no such inputs. ``failure`` says why there is no figure at all."""

    backend: str
    precision: Precision
    texts_a_second: float | None = None
    text_ms: float | None = None
    images_a_second: float | None = None
    image_ms: float | None = None
    memory_bytes: int = 0
    failure: str = ""


def measure_speeds(spec: ModelSpec, conversions: ConversionCache, *, seconds: float) -> Iterator[Speed]:
    """Measure each backend with each precision, about ``seconds`` long each; yields a result as soon as it is there."""
    for backend in BACKENDS:
        if backend == "openvino" and importlib.util.find_spec("openvino") is None:
            continue
        for precision in PRECISIONS:
            try:
                loader = ModelLoading(conversions, backend).load(replace(spec, precision=precision))
            except SidecarError as error:
                yield Speed(backend, precision, failure=error.message)
                continue
            yield _measure(loader, precision, seconds)


def _measure(loader: Loader, precision: Precision, seconds: float) -> Speed:
    threads = available_processors()
    engine = EmbeddingEngine(ModelCache(lambda _: loader, 1e6), EngineLimits(threads, 100_000, 0), Metrics())
    try:
        found = Speed(loader.backend, precision, memory_bytes=loader.memory_bytes)
        if Modality.TEXT in loader.modalities:
            texts = loader.prepare_text(_texts(64))
            rate, latency = _rate(engine, loader, Modality.TEXT, texts, seconds), _latency(engine, loader, texts)
            found = replace(found, texts_a_second=rate, text_ms=latency)
        if Modality.IMAGE in loader.modalities:
            images = _images(loader, 16)
            rate = _rate(engine, loader, Modality.IMAGE, images, seconds)
            latency = _latency(engine, loader, images, Modality.IMAGE)
            found = replace(found, images_a_second=rate, image_ms=latency)
        return found
    finally:
        engine.close()


def _rate(
    engine: EmbeddingEngine, loader: Loader, modality: Modality, inputs: Sequence[Prepared], seconds: float
) -> float:
    engine.submit_prepared(loader, modality, inputs[:8]).result()
    done, started = 0, time.perf_counter()
    while (passed := time.perf_counter() - started) < seconds or not done:
        engine.submit_prepared(loader, modality, inputs).result()
        done += len(inputs)
    return done / max(passed, time.perf_counter() - started)


def _latency(
    engine: EmbeddingEngine, loader: Loader, inputs: Sequence[Prepared], modality: Modality = Modality.TEXT
) -> float:
    taken = []
    for number in range(_QUERIES):
        started = time.perf_counter()
        engine.embed_prepared_query(loader, modality, inputs[number % len(inputs)])
        taken.append(time.perf_counter() - started)
    return statistics.median(taken) * 1000


def _texts(count: int) -> list[str]:
    """Texts of 5 to 68 words."""
    return [" ".join(_WORDS[(number + word) % len(_WORDS)] for word in range(5 + number)) for number in range(count)]


def _images(loader: Loader, count: int) -> list[Prepared]:
    from PIL import Image

    image_loader: ImageLoader = loader  # type: ignore[assignment]
    colours = [(number * 15, 255 - number * 15, 128) for number in range(count)]
    return [image_loader.prepare_image(Image.new("RGB", (640, 480), colour)) for colour in colours]
