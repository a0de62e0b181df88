"""float16 against float32 on the first CUDA device: ``python -m benchmarks.gpu``; says so where there is none."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from benchmarks.corpus import MODEL, chunk_texts, documents
from benchmarks.figures import Figure, print_table
from benchmarks.pictures import mosaics, properties, write_clip
from sidecar.embedding.conversion import ConversionCache
from sidecar.embedding.devices import resolve_device
from sidecar.embedding.load import ModelLoading
from sidecar.embedding.loader import Loader, Prepared, RunBatch, run_in_batches
from sidecar.embedding.model_spec import ModelSpec
from sidecar.embedding.model_table import ModelTable
from sidecar.embedding.processors import available_processors
from sidecar.errors import SidecarError
from sidecar.given_settings import load_settings

_DEVICE = "cuda"
_TEXTS = 2000
_IMAGES = 64
_ROUNDS = 5
_LEAST_GAIN = 1.2


@click.command()
def main() -> None:
    """Measure the two precisions in turn, on texts and on images."""
    try:
        device = resolve_device(_DEVICE)
    except SidecarError as error:
        raise click.ClickException(error.message) from error
    with tempfile.TemporaryDirectory() as name:
        checkpoint = write_clip(Path(name))
        figures = [_texts(device), _images(device, checkpoint)]
    print_table(figures, processors=available_processors())


def _texts(device: str) -> Figure:
    texts = chunk_texts(documents(1500))[:_TEXTS]
    whole, half = (
        _load(_spec(MODEL, {"name": MODEL, "precision": precision}, device)) for precision in ("float32", "float16")
    )
    forms = (whole, half)
    return _figure(
        "float16 texts/s against float32 on CUDA", "texts", forms, len(texts), lambda m: m.encode_text(texts)
    )


def _images(device: str, checkpoint: Path) -> Figure:
    pictures = mosaics(_IMAGES)
    whole, half = (
        _load(_spec("bench-clip", properties(checkpoint, precision), device)) for precision in ("float32", "float16")
    )
    prepared: Sequence[Prepared] = [whole.prepare_image(picture) for picture in pictures]  # type: ignore[attr-defined]

    def embed(loader: Loader) -> object:
        run: RunBatch = loader.run_image  # type: ignore[attr-defined]
        return run_in_batches(run, prepared, loader.dimensions)

    return _figure("float16 images/s against float32 on CUDA", "images", (whole, half), len(pictures), embed)


def _spec(name: str, described: dict[str, Any], device: str) -> ModelSpec:
    return replace(ModelTable().resolve(name, described), device=device)


def _load(spec: ModelSpec) -> Loader:
    settings = load_settings()
    return ModelLoading(ConversionCache(settings.models_folder), "auto").load(spec)


def _figure(name: str, unit: str, forms: tuple[Loader, Loader], count: int, work: Callable[[Loader], object]) -> Figure:
    """``forms`` are the float32 and the float16 one; ``count`` inputs are embedded by one ``work``."""
    seconds: tuple[list[float], list[float]] = ([], [])
    for number in range(_ROUNDS + 1):
        for loader, taken in zip(forms, seconds, strict=True):
            started = time.perf_counter()
            work(loader)
            # The first round prepares kernels.
            if number:
                taken.append(time.perf_counter() - started)
    whole_seconds, half_seconds = map(statistics.median, seconds)
    detail = f"{count / half_seconds:.0f} against {count / whole_seconds:.0f} {unit}/s"
    return Figure(name, whole_seconds / half_seconds, _LEAST_GAIN, detail=detail)


if __name__ == "__main__":
    main()
