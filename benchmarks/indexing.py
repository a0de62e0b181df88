"""Documents a second through the API, against the raw rate at which ONNX Runtime embeds the same chunks."""

from __future__ import annotations

import json
import statistics
import time
from typing import Any

from benchmarks.corpus import TENSOR_FIELDS, chunk_texts, documents, settings
from benchmarks.figures import Figure
from benchmarks.raw import load_raw, raw_seconds
from benchmarks.server import Client, Server

_ROUNDS = 3
_DOCUMENTS = 1000


def add(client: Client, index: str, docs: list[dict[str, Any]], *, refresh: bool = True) -> None:
    """Add the documents in one request. Raises: RuntimeError where one of them failed."""
    body = json.dumps({"documents": docs, "tensorFields": list(TENSOR_FIELDS)}).encode()
    answer = client.call("POST", f"/indexes/{index}/documents?refresh={str(refresh).lower()}", body)
    if answer["errors"]:
        raise RuntimeError(f"documents failed: {[item for item in answer['items'] if 'error' in item][:3]}")


def measure(server: Server) -> list[Figure]:
    """Each round indexes other documents, then embeds the chunks of the very same ones raw."""
    client, loader = Client(server.url), load_raw()
    client.call("POST", "/indexes/bench-indexing", settings())
    docs = documents((_ROUNDS + 1) * _DOCUMENTS)
    add(client, "bench-indexing", docs[:_DOCUMENTS])
    raw_seconds(loader, chunk_texts(docs[:100]))
    ratios, rates, raw_rates = [], [], []
    for number in range(1, _ROUNDS + 1):
        part = docs[number * _DOCUMENTS : (number + 1) * _DOCUMENTS]
        started = time.perf_counter()
        add(client, "bench-indexing", part)
        seconds = time.perf_counter() - started
        raw = raw_seconds(loader, chunk_texts(part))
        ratios.append(raw / seconds)
        rates.append(_DOCUMENTS / seconds)
        raw_rates.append(_DOCUMENTS / raw)
    client.call("DELETE", "/indexes/bench-indexing")
    return [
        Figure(
            "indexing against raw ONNX Runtime",
            statistics.median(ratios),
            0.85,
            detail=f"{statistics.median(rates):.0f} against {statistics.median(raw_rates):.0f} docs/s",
        )
    ]
