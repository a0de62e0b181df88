"""JPEG files a second through the API, against the rate at which the same model embeds decoded ones."""

from __future__ import annotations

import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.figures import Figure
from benchmarks.pictures import DIMENSIONS, properties, write_clip, write_jpegs
from benchmarks.server import Client, Server
from sidecar.embedding.conversion import ConversionCache
from sidecar.embedding.load import ModelLoading
from sidecar.embedding.loader import Loader, Prepared, batch_length
from sidecar.embedding.model_table import ModelTable
from sidecar.embedding.processors import available_processors
from sidecar.given_settings import load_settings

INDEX = "bench-images"
_IMAGES = 256
_REQUEST = 64
_CLIENTS = 2
_WARM_UP_DOCUMENTS = 3000


def measure(cluster_url: str) -> list[Figure]:
    """Index the files until a search can find them; before and after it, embed the decoded ones raw."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model = properties(write_clip(folder))
        paths = write_jpegs(folder, _IMAGES)
        loading = ModelLoading(ConversionCache(load_settings().models_folder), "onnx")
        loader = loading.load(ModelTable().resolve("bench-clip", model))
        prepared = [_prepared(loader, path) for path in paths]
        with Server(cluster_url, {"SIDECAR_MEDIA_ROOTS": f'["{folder}"]'}) as server:
            client = Client(server.url)
            defaults = {"model": "bench-clip", "model_properties": model, "treat_urls_and_pointers_as_images": True}
            client.call("POST", f"/indexes/{INDEX}", {"index_defaults": defaults, "number_of_shards": 1})
            _warm_up(client)
            _add_all(server, paths[:_REQUEST], "warm")
            before = _raw_seconds(loader, prepared)
            started = time.perf_counter()
            _add_all(server, paths, "")
            seconds = time.perf_counter() - started
            raw = (before + _raw_seconds(loader, prepared)) / 2
            client.call("DELETE", f"/indexes/{INDEX}")
    return [
        Figure(
            "indexing JPEG files against embedding decoded ones",
            raw / seconds,
            0.85,
            detail=f"{_IMAGES / seconds:.1f} against {_IMAGES / raw:.1f} images/s of 1920 x 1280, ViT-B-32",
        )
    ]


def _warm_up(client: Client) -> None:
    """Let the cluster's Java compile what it needs for writing, as in a cluster that runs for longer than a minute."""
    vectors = np.random.default_rng(0).standard_normal((_WARM_UP_DOCUMENTS, DIMENSIONS)).round(6)
    for first in range(0, _WARM_UP_DOCUMENTS, _REQUEST):
        docs = [{"picture": {"vector": vector}} for vector in vectors[first : first + _REQUEST].tolist()]
        body = {"documents": docs, "tensorFields": ["picture"], "mappings": {"picture": {"type": "custom_vector"}}}
        client.call("POST", f"/indexes/{INDEX}/documents", body)


def _prepared(loader: Loader, path: Path) -> Prepared:
    with Image.open(path) as image:
        prepared: Prepared = loader.prepare_image(image.convert("RGB"))  # type: ignore[attr-defined]
    return prepared


def _raw_seconds(loader: Loader, prepared: list[Prepared]) -> float:
    size = batch_length([image.tokens for image in prepared])
    batches = [prepared[first : first + size] for first in range(0, len(prepared), size)]
    started = time.perf_counter()
    with ThreadPoolExecutor(available_processors()) as pool:
        for _ in pool.map(loader.run_image, batches):  # type: ignore[attr-defined]
            pass
    return time.perf_counter() - started


def _add_all(server: Server, paths: list[Path], prefix: str) -> None:
    """Add a document for each file over several connections, and refresh."""
    docs: list[dict[str, Any]] = [{"_id": f"{prefix}{path.stem}", "picture": str(path)} for path in paths]
    requests = [docs[first : first + _REQUEST] for first in range(0, len(docs), _REQUEST)]

    def work(place: int) -> None:
        client = Client(server.url)
        for request in requests[place::_CLIENTS]:
            body = {"documents": request, "tensorFields": ["picture"]}
            answer = client.call("POST", f"/indexes/{INDEX}/documents", body)
            if answer["errors"]:
                raise RuntimeError(f"documents failed: {[item for item in answer['items'] if 'error' in item][:3]}")

    with ThreadPoolExecutor(_CLIENTS) as pool:
        list(pool.map(work, range(_CLIENTS)))
    Client(server.url).call("POST", f"/indexes/{INDEX}/refresh")
