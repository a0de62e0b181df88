"""`sidecar ingest` against what it can't be faster than: the model alone, and a plain bulk of the same bodies."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np
import orjson
from opensearchpy import OpenSearch
from opensearchpy.helpers import parallel_bulk, scan

from benchmarks.corpus import MODEL, TENSOR_FIELDS, chunk_texts, documents
from benchmarks.figures import Figure
from benchmarks.raw import load_raw, raw_seconds
from benchmarks.server import Client

_TEXT_DOCUMENTS = 6_000
_WARM_UP_DOCUMENTS = 2_500
"""Other documents, loaded first: a node that has just started is busy with compiling its own code."""
_ROUNDS = 2
"""Each is measured so often, in turns: what else the machine does changes from minute to minute."""
_VECTOR_DOCUMENTS = 20_000
_DIMENSIONS = 384
_BULK_THREADS = 4
_BULK_DOCUMENTS = 500


def ingest(cluster_url: str, source: Path, index: str, *options: str) -> dict[str, Any]:
    """Run the command to its end; returns its summary, with the whole process's seconds as ``process_seconds``.

    Raises: RuntimeError with what it printed where it fails.
    """
    command = [
        sys.executable,
        "-m",
        "sidecar",
        "ingest",
        str(source),
        "--index",
        index,
        "--replace",
        "--json",
        *options,
    ]
    started = time.perf_counter()
    done = subprocess.run(command, env=environment(cluster_url), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {done.returncode} {done.stdout[-2000:]} {done.stderr[-2000:]}")
    summary: dict[str, Any] = json.loads(done.stdout)
    return {**summary, "process_seconds": time.perf_counter() - started}


def environment(cluster_url: str) -> dict[str, str]:
    """What a command on this cluster is started with."""
    return os.environ | {"OPENSEARCH_URL": cluster_url, "SIDECAR_LOG_LEVEL": "error"}


@contextmanager
def lines(documents: Iterator[dict[str, Any]] | Sequence[dict[str, Any]]) -> Iterator[Path]:
    """The documents as a file of JSON lines, for a while."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "documents.jsonl"
        with path.open("wb") as file:
            for document in documents:
                file.write(orjson.dumps(document, option=orjson.OPT_APPEND_NEWLINE | orjson.OPT_SERIALIZE_NUMPY))
        yield path


def vector_documents(count: int) -> Iterator[dict[str, Any]]:
    """Documents that bring a vector each, always the same ones."""
    random = np.random.default_rng(7)
    for number in range(count):
        vector = random.standard_normal(_DIMENSIONS, dtype=np.float32)
        yield {"_id": str(number), "title": f"document {number}", "group": number % 97, "vector": vector}


def measure(cluster_url: str) -> list[Figure]:
    """Texts against the model, vectors against the cluster, Ray against one process."""
    return [*_texts(cluster_url), _vectors(cluster_url)]


def _texts(cluster_url: str) -> list[Figure]:
    corpus = documents(_TEXT_DOCUMENTS)
    texts = chunk_texts(corpus)
    loader = load_raw()
    embedded = ("--model", MODEL, "--tensor-fields", ",".join(TENSOR_FIELDS))
    index = "bench-ingest"
    with lines(documents(_TEXT_DOCUMENTS + _WARM_UP_DOCUMENTS)[_TEXT_DOCUMENTS:]) as source:
        ingest(cluster_url, source, index, *embedded)
        Client(cluster_url).call("DELETE", f"/{index}")
    with lines(corpus) as source:

        def load(*options: str) -> dict[str, Any]:
            summary = ingest(cluster_url, source, index, *embedded, *options)
            Client(cluster_url).call("DELETE", f"/{index}")
            return summary

        raw, local, spread = [raw_seconds(loader, texts)], [], []
        for _ in range(_ROUNDS):
            local.append(load())
            raw.append(raw_seconds(loader, texts))
            spread.append(load("--engine", "ray", "--workers", "2"))
    seconds = [mean(raw), *(mean(each["seconds"] for each in loads) for loads in (local, spread))]
    whole = [mean(each["process_seconds"] for each in loads) for loads in (local, spread)]
    rates = [len(corpus) / each for each in seconds]
    return [
        Figure(
            "ingest from JSONL against the model alone",
            rates[1] / rates[0],
            0.9,
            detail=f"{rates[1]:.0f} against {rates[0]:.0f} docs/s; {whole[0]:.1f} s with start and end",
        ),
        Figure(
            "ingest by Ray, two workers, against one process",
            rates[2] / rates[1],
            0.85,
            detail=f"{rates[2]:.0f} against {rates[1]:.0f} docs/s; {whole[1]:.1f} s with Ray's start",
        ),
    ]


def _vectors(cluster_url: str) -> Figure:
    client = Client(cluster_url)
    index = "bench-vectors"
    options = ("--precomputed", "vector=title", "--model", "no_model")
    ours, plain = [], []
    with lines(vector_documents(_VECTOR_DOCUMENTS)) as source:
        ours.append(ingest(cluster_url, source, index, *options)["seconds"])
        bulk = PlainBulk(cluster_url, index)
        plain += [bulk.seconds(), bulk.seconds()]
        client.call("DELETE", f"/{index}")
        ours.append(ingest(cluster_url, source, index, *options)["seconds"])
        client.call("DELETE", f"/{index}")
    rates = [_VECTOR_DOCUMENTS * len(each) / sum(each) for each in (ours, plain)]
    return Figure(
        "ingest of ready vectors against a plain parallel bulk",
        rates[0] / rates[1],
        0.8,
        detail=f"{rates[0]:.0f} against {rates[1]:.0f} docs/s, {_VECTOR_DOCUMENTS} documents",
    )


class PlainBulk:
    """What an index holds, stored again in a new one by opensearch-py: bodies that are ready, by several threads."""

    def __init__(self, cluster_url: str, index: str) -> None:
        self._cluster = OpenSearch(cluster_url, timeout=120)
        self._name = f"{index}-plain"
        found = self._cluster.indices.get(index=index)[index]
        # Without the third the cluster would store bodies without their vectors, which is less work.
        chosen = ("number_of_shards", "number_of_replicas", "knn.derived_source", "knn", "mapping")
        settings = {key: value for key, value in found["settings"]["index"].items() if key in chosen}
        self._body = {"settings": {"index": settings}, "mappings": found["mappings"]}
        self._documents = [
            {"_id": hit["_id"], "_source": hit["_source"]} for hit in scan(self._cluster, index=index, size=1000)
        ]

    def seconds(self) -> float:
        """How long it takes until searches find all."""
        self._cluster.indices.create(index=self._name, body=self._body)
        started = time.perf_counter()
        actions = ({"_index": self._name, **document} for document in self._documents)
        stored = parallel_bulk(self._cluster, actions, thread_count=_BULK_THREADS, chunk_size=_BULK_DOCUMENTS)
        for is_fine, item in stored:
            if not is_fine:
                raise RuntimeError(f"a plain bulk failed: {item}")
        self._cluster.indices.refresh(index=self._name)
        seconds = time.perf_counter() - started
        self._cluster.indices.delete(index=self._name)
        return seconds
