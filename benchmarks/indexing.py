"""Documents a second through the API, against the raw rate at which ONNX Runtime embeds the same chunks."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from benchmarks.corpus import TENSOR_FIELDS, chunk_texts, documents, settings
from benchmarks.figures import Figure
from benchmarks.raw import load_raw, raw_seconds
from benchmarks.server import Client, Server
from sidecar.cli.demo_corpus import read_documents

INDEX = "bench-indexing"
_REQUEST_DOCUMENTS = 500
_CLIENTS = 2
_WARM_UP_DOCUMENTS = 3000


def add(client: Client, index: str, docs: list[dict[str, Any]], *, refresh: bool = True) -> None:
    """Add the documents in one request. Raises: RuntimeError where one of them failed."""
    body = json.dumps({"documents": docs, "tensorFields": list(TENSOR_FIELDS)}).encode()
    answer = client.call("POST", f"/indexes/{index}/documents?refresh={str(refresh).lower()}", body)
    if answer["errors"]:
        raise RuntimeError(f"documents failed: {[item for item in answer['items'] if 'error' in item][:3]}")


def add_by_all_clients(server: Server, index: str, docs: list[dict[str, Any]]) -> None:
    """Add the documents over several connections, as a bulk loader does."""
    requests = [docs[first : first + _REQUEST_DOCUMENTS] for first in range(0, len(docs), _REQUEST_DOCUMENTS)]

    def work(place: int) -> None:
        client = Client(server.url)
        for request in requests[place::_CLIENTS]:
            add(client, index, request, refresh=False)

    with ThreadPoolExecutor(_CLIENTS) as pool:
        list(pool.map(work, range(_CLIENTS)))
    Client(server.url).call("POST", f"/indexes/{index}/refresh")


def measure(server: Server) -> list[Figure]:
    """The demo's whole corpus, until a search can find all of it; then the chunks of the same documents raw."""
    loader = load_raw()
    Client(server.url).call("POST", f"/indexes/{INDEX}", settings())
    corpus = documents(len(read_documents()))
    editions = documents(len(corpus) + _WARM_UP_DOCUMENTS)[len(corpus) :]
    add_by_all_clients(server, INDEX, editions)
    texts = chunk_texts(corpus)
    before = raw_seconds(loader, texts)
    started = time.perf_counter()
    add_by_all_clients(server, INDEX, corpus)
    seconds = time.perf_counter() - started
    raw = (before + raw_seconds(loader, texts)) / 2
    Client(server.url).call("DELETE", f"/indexes/{INDEX}")
    return [
        Figure(
            "indexing against raw ONNX Runtime",
            raw / seconds,
            0.85,
            detail=f"{len(corpus) / seconds:.0f} against {len(corpus) / raw:.0f} docs/s, {len(corpus)} documents",
        )
    ]
