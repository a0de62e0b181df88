"""Hybrid queries on the native port, against their halves asked for alone there, in turn."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from benchmarks.corpus import MODEL, documents
from benchmarks.figures import Figure, median_ms
from benchmarks.searching import Search, fresh_query, timed
from benchmarks.server import Client, Server

INDEX = "bench-native-hybrid"
_DOCUMENTS = 4000
_DIMENSIONS = 384
_SEARCHES = 150
_WARM_UP = 30
_SIZE = 10


def prepare(cluster_url: str) -> None:
    """Index the corpus with vectors of no meaning: it is the time that counts."""
    client = Client(cluster_url)
    method = {"name": "hnsw", "engine": "lucene", "space_type": "cosinesimil"}
    mappings = {
        "_meta": {"sidecar": {"fields": {"vector": {"source": "body", "model": MODEL, "dimension": _DIMENSIONS}}}},
        "properties": {
            "body": {"type": "text"},
            "vector": {"type": "knn_vector", "dimension": _DIMENSIONS, "method": method},
        },
    }
    settings = {"index.knn": True, "number_of_shards": 1, "number_of_replicas": 0}
    client.call("PUT", f"/{INDEX}", {"settings": settings, "mappings": mappings})
    vectors = np.random.default_rng(1).standard_normal((_DOCUMENTS, _DIMENSIONS), dtype=np.float32).round(4).tolist()
    lines: list[Any] = []
    for document, vector in zip(documents(_DOCUMENTS), vectors, strict=True):
        lines += [{"index": {}}, {"body": document["body"], "vector": vector}]
    client.read("POST", f"/{INDEX}/_bulk?refresh=true", "".join(json.dumps(line) + "\n" for line in lines).encode())


def _search(server: Server, *kinds: str) -> Search:
    client = Client(server.native_url)

    def search(query: str) -> None:
        halves = {
            "words": {"match": {"body": query}},
            "meaning": {"neural": {"vector": {"query_text": query, "k": 10}}},
        }
        wanted = [halves[kind] for kind in kinds]
        asked = wanted[0] if len(wanted) == 1 else {"hybrid": {"queries": wanted}}
        body = {"query": asked, "size": _SIZE, "_source": ["body"]}
        answer = client.call("POST", f"/{INDEX}/_search", body)
        assert len(answer["hits"]["hits"]) == _SIZE

    return search


def measure(server: Server, cluster_url: str) -> list[Figure]:
    """The median of hybrid searches over that of the slower half; no query is asked twice."""
    prepare(cluster_url)
    searches = [_search(server, "words"), _search(server, "meaning"), _search(server, "words", "meaning")]
    seconds: list[list[float]] = [[], [], []]
    for search in searches:
        timed(search, [fresh_query() for _ in range(_WARM_UP)])
    for _ in range(_SEARCHES):
        for search, own in zip(searches, seconds, strict=True):
            own.extend(timed(search, [fresh_query()]))
    words, meaning, both = map(median_ms, seconds)
    return [
        Figure(
            "native hybrid over its slower half",
            both / max(words, meaning),
            1.5,
            at_most=True,
            detail=f"{both:.1f} ms; words {words:.1f} ms, meaning {meaning:.1f} ms",
        )
    ]
