"""Searches by meaning through the native face, against embedding the text and sending the same `knn` query."""

from __future__ import annotations

import numpy as np
import orjson

from benchmarks.corpus import MODEL
from benchmarks.figures import Figure, median_ms
from benchmarks.raw import load_raw
from benchmarks.searching import fresh_query, timed
from benchmarks.server import Client, Server
from sidecar.embedding.loader import Loader
from sidecar.embedding.normalizing import normalized
from sidecar.native.json.edits import vector_text

INDEX = "bench-native-queries"
_DIMENSIONS = 384
_DOCUMENTS = 4000
_SEARCHES = 300
_REST = b'"size":10,"_source":false,"track_total_hits":false'


def prepare(cluster_url: str) -> None:
    """Fill an index with a declared vector. What its vectors mean does not matter for how long a search takes."""
    client = Client(cluster_url)
    vector = {
        "type": "knn_vector",
        "dimension": _DIMENSIONS,
        "method": {"name": "hnsw", "engine": "lucene", "space_type": "cosinesimil"},
    }
    mappings = {
        "_meta": {"sidecar": {"fields": {"body_vector": {"source": "body", "model": MODEL}}}},
        "properties": {"body": {"type": "text"}, "body_vector": vector},
    }
    settings = {"index.knn": True, "number_of_shards": 1, "number_of_replicas": 0}
    client.call("PUT", f"/{INDEX}", {"settings": settings, "mappings": mappings})
    vectors = normalized(np.random.default_rng(0).standard_normal((_DOCUMENTS, _DIMENSIONS)).astype(np.float32))
    lines = b"".join(
        b'{"index":{}}\n{"body":"text %d","body_vector":%b}\n' % (number, vector_text(one))
        for number, one in enumerate(vectors)
    )
    assert not client.call("POST", f"/{INDEX}/_bulk?refresh=true", lines)["errors"]
    client.call("POST", f"/{INDEX}/_forcemerge?max_num_segments=1")


class Neural:
    """A client that asks by text, of the native face."""

    def __init__(self, native_url: str) -> None:
        self._client = Client(native_url)

    def search(self, query: str) -> None:
        body = b'{"query":{"neural":{"body_vector":{"query_text":%b,"k":10}}},%b}' % (orjson.dumps(query), _REST)
        assert len(self._client.call("POST", f"/{INDEX}/_search", body)["hits"]["hits"]) == 10


class Knn:
    """What such a search can't do without: an embedding, and the `knn` query, sent straight to the cluster or through
    the native face."""

    def __init__(self, loader: Loader, url: str) -> None:
        self._loader = loader
        self._client = Client(url)

    def search(self, query: str) -> None:
        vector = vector_text(normalized(self._loader.encode_text([query]))[0])
        body = b'{"query":{"knn":{"body_vector":{"vector":%b,"k":10}}},%b}' % (vector, _REST)
        assert len(self._client.call("POST", f"/{INDEX}/_search", body)["hits"]["hits"]) == 10


def measure(server: Server, cluster_url: str) -> list[Figure]:
    """One client, in turn with the direct way; no text is asked twice."""
    prepare(cluster_url)
    # A model each: one that runs twice as often as another has more of its weights in the processor's caches.
    ways = (
        Neural(server.native_url).search,
        Knn(load_raw(), cluster_url).search,
        Knn(load_raw(), server.native_url).search,
    )
    for way in ways:
        timed(way, [fresh_query() for _ in range(50)])
    durations: list[list[float]] = [[] for _ in ways]
    for _ in range(_SEARCHES):
        for way, own in zip(ways, durations, strict=True):
            own.extend(timed(way, [fresh_query()]))
    neural, direct, forwarded = map(median_ms, durations)
    return [
        Figure(
            "native: neural over embedding + knn, median",
            neural - direct,
            1.5,
            at_most=True,
            unit=" ms",
            detail=f"{neural:.2f} against {direct:.2f} ms, of which {forwarded - direct:.2f} to forward",
        )
    ]
