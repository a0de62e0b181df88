"""What embedding costs in `_bulk`: against the model alone, and beside the cluster's own bulk of the same vectors."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from benchmarks.corpus import MODEL, chunk_texts, documents
from benchmarks.figures import Figure
from benchmarks.raw import load_raw, raw_seconds
from benchmarks.server import Client, Server
from sidecar.cli.demo_corpus import read_documents
from sidecar.native.json.edits import vector_text

INDEX = "bench-native-writes"
_DOCUMENTS = 6_000
_WARM_UP = 1_000
_REQUEST_DOCUMENTS = 500
_CLIENTS = 2
_DIMENSIONS = 384
_FIELD = {
    "type": "knn_vector",
    "dimension": _DIMENSIONS,
    "method": {"name": "hnsw", "engine": "lucene", "space_type": "cosinesimil"},
}


def measure(server: Server, cluster_url: str) -> list[Figure]:
    """Texts of two sentences by `_bulk` through the sidecar, by the model alone, and with vectors to the cluster."""
    loader = load_raw()
    texts = chunk_texts(documents(len(read_documents())))[: _DOCUMENTS + _WARM_UP]
    texts, warm_up = texts[:_DOCUMENTS], texts[_DOCUMENTS:]
    direct = Client(cluster_url)
    try:
        _make_index(direct)
        _write(server.native_url, [_lines(text) for text in warm_up])
        before = raw_seconds(loader, texts)
        through = _write(server.native_url, [_lines(text) for text in texts])
        raw = (before + raw_seconds(loader, texts)) / 2
        direct.call("DELETE", f"/{INDEX}")
        _make_index(direct)
        alone = _write(cluster_url, [_lines(text, _vector(number)) for number, text in enumerate(texts)])
    finally:
        direct.call("DELETE", f"/{INDEX}?ignore_unavailable=true")
    count = len(texts)
    return [
        Figure(
            "a _bulk with one embedded field, in the rate of the model alone",
            raw / through,
            0.85,
            detail=f"{count / through:.0f} against {count / raw:.0f} docs/s, {count} documents",
        ),
        Figure(
            "the same, in the time of the model and of a bulk with ready vectors, one after the other",
            through / (raw + alone),
            1.1,
            at_most=True,
            detail=f"{through:.1f} s against {raw:.1f} s and {alone:.1f} s",
        ),
    ]


def _make_index(direct: Client) -> None:
    fields = {"text_vector": {"source": "text", "model": MODEL}}
    settings = {"index.knn": True, "number_of_shards": 1, "number_of_replicas": 0, "refresh_interval": "-1"}
    mappings = {"_meta": {"sidecar": {"fields": fields}}, "properties": {"text_vector": _FIELD}}
    direct.call("PUT", f"/{INDEX}", {"settings": settings, "mappings": mappings})


def _write(url: str, lines: Sequence[bytes]) -> float:
    """Seconds to send the documents over several connections, as a bulk loader does."""
    bodies = [b"".join(lines[start : start + _REQUEST_DOCUMENTS]) for start in range(0, len(lines), _REQUEST_DOCUMENTS)]

    def work(place: int) -> None:
        client = Client(url)
        for body in bodies[place::_CLIENTS]:
            answer = client.read("POST", f"/{INDEX}/_bulk", body)
            assert b'"errors":false' in answer[:200], answer[:1000]

    started = time.perf_counter()
    with ThreadPoolExecutor(_CLIENTS) as pool:
        list(pool.map(work, range(_CLIENTS)))
    return time.perf_counter() - started


def _lines(text: str, vector: bytes | None = None) -> bytes:
    document = json.dumps({"text": text}).encode()
    if vector is not None:
        document = b'%b,"text_vector":%b}' % (document[:-1], vector)
    return b'{"index":{}}\n%b\n' % document


def _vector(seed: int) -> bytes:
    numbers = np.random.default_rng(seed).standard_normal(_DIMENSIONS).astype(np.float32)
    return vector_text(numbers / np.linalg.norm(numbers))
