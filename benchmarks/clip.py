"""CLIP in ONNX Runtime against the reference library in torch, image by image and text by text."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.corpus import QUERIES
from benchmarks.figures import Figure
from benchmarks.pictures import ARCHITECTURE, mosaics, properties, write_clip
from sidecar.embedding.conversion import ConversionCache
from sidecar.embedding.engine import EmbeddingEngine, EngineLimits
from sidecar.embedding.load import ModelLoading
from sidecar.embedding.loader import Loader, Modality, Prepared
from sidecar.embedding.model_cache import ModelCache
from sidecar.embedding.model_table import ModelTable
from sidecar.embedding.processors import available_processors
from sidecar.given_settings import load_settings
from sidecar.metrics import Metrics

_BATCH = 8
_IMAGES = 32
_ROUNDS = 5


class _Reference:
    """open_clip itself, with the same weights."""

    def __init__(self, checkpoint: Path) -> None:
        import open_clip

        model, _, self.preprocess = open_clip.create_model_and_transforms(ARCHITECTURE, pretrained=str(checkpoint))
        self.model = model.eval()
        self.tokenizer = open_clip.get_tokenizer(ARCHITECTURE)

    def images(self, tensors: Sequence[Any]) -> None:
        import torch

        with torch.inference_mode():
            self.model.encode_image(torch.stack(list(tensors)))

    def texts(self, texts: Sequence[str]) -> None:
        import torch

        with torch.inference_mode():
            self.model.encode_text(self.tokenizer(list(texts)))


def measure() -> list[Figure]:
    """Each figure is a ratio of times that were taken in turn."""
    with tempfile.TemporaryDirectory() as name:
        checkpoint = write_clip(Path(name))
        loading = ModelLoading(ConversionCache(load_settings().models_folder), "onnx")
        table = ModelTable()
        full, half = (
            loading.load(table.resolve("bench-clip", properties(checkpoint, precision)))
            for precision in ("float32", "float16")
        )
        reference = _Reference(checkpoint)
        pictures = mosaics(_IMAGES)
        return [*_image_figures(full, half, reference, pictures), *_text_figures(full, reference)]


def _image_figures(full: Loader, half: Loader, reference: _Reference, pictures: Sequence[Any]) -> list[Figure]:
    prepared = [full.prepare_image(picture) for picture in pictures]  # type: ignore[attr-defined]
    tensors = [reference.preprocess(picture) for picture in pictures]
    engine_full, engine_half = _engine(full), _engine(half)

    def torch_batches() -> None:
        for first in range(0, len(tensors), _BATCH):
            reference.images(tensors[first : first + _BATCH])

    batches = _in_turn(
        lambda: _through(engine_full, full, prepared), torch_batches, lambda: _through(engine_half, half, prepared)
    )
    one = prepared[:1]
    single = _in_turn(
        lambda: engine_full.embed_prepared_query(full, Modality.IMAGE, one[0]),
        lambda: reference.images(tensors[:1]),
        rounds=20,
        rest_seconds=0.2,
    )
    for engine in (engine_full, engine_half):
        engine.close()
    per_image = [seconds * 1000 / len(prepared) for seconds in batches]
    return [
        Figure(
            "onnx32 CLIP image time against torch, batches",
            batches[0] / batches[1],
            0.75,
            at_most=True,
            detail=f"{ARCHITECTURE}, {per_image[0]:.0f} against {per_image[1]:.0f} ms an image",
        ),
        Figure(
            "onnx32 CLIP image time against torch, one by one",
            single[0] / single[1],
            0.75,
            at_most=True,
            detail=f"{single[0] * 1000:.0f} against {single[1] * 1000:.0f} ms",
        ),
        Figure(
            "onnx16 CLIP image time against onnx32",
            batches[2] / batches[0],
            1.03,
            at_most=True,
            detail=f"{per_image[2]:.0f} against {per_image[0]:.0f} ms an image; 3 % for noise",
        ),
    ]


def _text_figures(full: Loader, reference: _Reference) -> list[Figure]:
    engine = _engine(full)
    texts = full.prepare_text(QUERIES)
    batches = _in_turn(
        lambda: engine.submit_prepared(full, Modality.TEXT, texts).result(), lambda: reference.texts(QUERIES)
    )
    single = _in_turn(
        lambda: engine.embed_prepared_query(full, Modality.TEXT, texts[0]),
        lambda: reference.texts(QUERIES[:1]),
        rounds=20,
        rest_seconds=0.2,
    )
    engine.close()
    return [
        Figure(
            "CLIP texts/s against torch",
            batches[1] / batches[0],
            1.2,
            detail=f"{len(QUERIES) / batches[0]:.0f} against {len(QUERIES) / batches[1]:.0f} texts/s",
        ),
        Figure(
            "CLIP single queries against torch",
            single[1] / single[0],
            3.0,
            detail=f"{single[0] * 1000:.1f} against {single[1] * 1000:.1f} ms",
        ),
    ]


def _engine(loader: Loader) -> EmbeddingEngine:
    limits = EngineLimits(threads=available_processors(), queue_texts=10_000, query_vectors=0)
    return EmbeddingEngine(ModelCache(lambda _: loader, 100.0), limits, Metrics())


def _through(engine: EmbeddingEngine, loader: Loader, prepared: Sequence[Prepared]) -> None:
    engine.submit_prepared(loader, Modality.IMAGE, prepared).result()


def _in_turn(*works: Callable[[], object], rounds: int = _ROUNDS, rest_seconds: float = 1.0) -> list[float]:
    """The median seconds of each work; they take turns, after one round that does not count."""
    seconds: list[list[float]] = [[] for _ in works]
    for number in range(rounds + 1):
        for work, taken in zip(works, seconds, strict=True):
            # torch's threads spin for a while after their work: let them come to rest.
            time.sleep(rest_seconds)
            started = time.perf_counter()
            work()
            if number:
                taken.append(time.perf_counter() - started)
    return [statistics.median(taken) for taken in seconds]
