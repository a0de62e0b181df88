"""What each precision and backend of a text model costs and gives: ``python -m benchmarks.precisions --sets FOLDER``.

Prints a Markdown table. FOLDER holds test collections in the layout of BEIR. The rates of all are taken in turns, in
one process; quality is that of an exact search.
"""

from __future__ import annotations

import importlib.util
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import click
import numpy as np

from benchmarks.corpus import MODEL, QUERIES, chunk_texts, documents
from benchmarks.figures import median_ms
from benchmarks.retrieval import Collection, Quality, measure_quality, read_collections
from sidecar.embedding.conversion import ConversionCache
from sidecar.embedding.engine import EmbeddingEngine, EngineLimits
from sidecar.embedding.load import Backend, ModelLoading
from sidecar.embedding.loader import Embeddings
from sidecar.embedding.model_cache import ModelCache
from sidecar.embedding.model_spec import PRECISIONS, ModelSpec, Precision
from sidecar.embedding.model_table import ModelTable
from sidecar.embedding.processors import available_processors, processor_name
from sidecar.given_settings import load_settings
from sidecar.metrics import Metrics

_TEXTS = 400
_QUERIES = 24


@dataclass
class Form:
    """One backend and precision of the model, and what was measured of it."""

    backend: Backend
    precision: Precision
    engine: EmbeddingEngine
    spec: ModelSpec
    disk_bytes: int
    seconds: list[float] = field(default_factory=list)
    query_seconds: list[float] = field(default_factory=list)
    qualities: list[Quality] = field(default_factory=list)

    def embed(self, texts: Sequence[str]) -> Embeddings:
        return self.engine.submit(self.spec, texts).result()


@click.command()
@click.option(
    "--sets", type=click.Path(exists=True, path_type=Path), help="Folder of test collections; none: speed only."
)
@click.option("--model", default=MODEL, show_default=True, help="Name of the text model.")
@click.option("--rounds", default=7, show_default=True, help="Times that each rate is taken.")
def main(sets: Path | None, model: str, rounds: int) -> None:
    """Measure the text model in every precision and backend that is installed."""
    spec = ModelTable().resolve(model)
    forms = [_load(spec, backend, precision) for backend in _backends() for precision in PRECISIONS]
    _measure_speed(forms, rounds)
    collections = read_collections(sets) if sets else []
    for collection in collections:
        for form in forms:
            vectors = form.embed(collection.documents), form.embed(collection.queries)
            form.qualities.append(measure_quality(collection, *vectors))
            click.echo(f"{collection.name}: {form.backend} {form.precision}", err=True)
    for form in forms:
        form.engine.close()
    click.echo(f"{model} on {processor_name()}, {available_processors()} processors\n")
    click.echo(table(forms, collections))


def _backends() -> list[Backend]:
    return ["onnx", "openvino"] if importlib.util.find_spec("openvino") else ["onnx"]


def _load(spec: ModelSpec, backend: Backend, precision: Precision) -> Form:
    cache = ConversionCache(load_settings().models_folder)
    loader = ModelLoading(cache, backend).load(replace(spec, precision=precision))
    limits = EngineLimits(threads=available_processors(), queue_texts=1_000_000, query_vectors=0)
    engine = EmbeddingEngine(ModelCache(lambda _: loader, 100.0), limits, Metrics())
    folder = cache.get(spec.repository, "mean" if spec.loader == "hf" else "sbert", precision).folder
    disk_bytes = sum(path.stat().st_size for path in folder.iterdir())
    return Form(backend, precision, engine, spec, disk_bytes)


def _measure_speed(forms: Sequence[Form], rounds: int) -> None:
    texts = chunk_texts(documents(1500))[::3][:_TEXTS]
    for number in range(rounds + 1):
        for form in forms:
            started = time.perf_counter()
            form.embed(texts)
            passed = time.perf_counter() - started
            # The first round prepares kernels for the batches' shapes.
            if number:
                form.seconds.append(passed)
    for number in range(_QUERIES * rounds):
        for form in forms:
            started = time.perf_counter()
            form.engine.embed_query(form.spec, QUERIES[number % len(QUERIES)], normalize=True)
            form.query_seconds.append(time.perf_counter() - started)


def table(forms: Sequence[Form], collections: Sequence[Collection]) -> str:
    """The Markdown table; the first form is what the others are compared with."""
    first = forms[0]
    head = ["backend", "precision", "texts/s", "times float32", "one query", "on disk"]
    for collection in collections:
        head += [f"{collection.name} nDCG@10", "recall@100", "nearest ten kept"]
    lines = ["| " + " | ".join(head) + " |", "| --- | --- |" + " ---: |" * (len(head) - 2)]
    for form in forms:
        ratio = statistics.median(base / own for base, own in zip(first.seconds, form.seconds, strict=True))
        cells = [
            form.backend,
            form.precision,
            f"{_TEXTS / min(form.seconds):.0f}",
            f"{ratio:.2f}",
            f"{median_ms(form.query_seconds):.1f} ms",
            f"{form.disk_bytes / 1e6:.0f} MB",
        ]
        for base, own in zip(first.qualities, form.qualities, strict=True):
            kept = np.mean([len(one & other) / 10 for one, other in zip(base.nearest, own.nearest, strict=True)])
            cells += [f"{own.ndcg_at_10:.4f}", f"{own.recall_at_100:.4f}", f"{kept:.1%}"]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
