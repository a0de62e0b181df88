"""Searches through the API, against embedding the query and sending the same k-NN query straight to the cluster."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from itertools import count
from typing import Any

from benchmarks.corpus import QUERIES, documents, settings
from benchmarks.figures import Figure, median_ms
from benchmarks.indexing import add
from benchmarks.raw import load_raw
from benchmarks.server import Client, Server
from sidecar.embedding.loader import Loader
from sidecar.embedding.normalizing import normalized
from sidecar.opensearch.request_text import encode_json
from sidecar.searching.hits import source_filter
from sidecar.searching.request import SearchRequest
from sidecar.searching.tensor import TensorQuery, build_tensor_query, candidates

INDEX = "bench-searching"
_DOCUMENTS = 4000
_SEARCHES = 200
_CLIENTS = 8
_SECONDS = 8.0
_numbers = count()

Search = Callable[[str], None]


def fresh_query() -> str:
    """A query that was not asked before, so that no cache has its vector."""
    number = next(_numbers)
    return f"{QUERIES[number % len(QUERIES)]} {number}"


def prepare(server: Server) -> None:
    """Index the corpus that all measurements search."""
    client = Client(server.url)
    client.call("POST", f"/indexes/{INDEX}", settings())
    docs = documents(_DOCUMENTS)
    for first in range(0, _DOCUMENTS, 1000):
        add(client, INDEX, docs[first : first + 1000])


def sidecar_search(server: Server) -> Search:
    """A client that searches through the API."""
    client = Client(server.url)

    def search(query: str) -> None:
        answer = client.call("POST", f"/indexes/{INDEX}/search", {"q": query})
        assert len(answer["hits"]) == 10

    return search


class Direct:
    """What a search can't do without: one embedding, and one k-NN query sent straight to the cluster."""

    def __init__(self, loader: Loader, cluster_url: str) -> None:
        self._loader = loader
        self._client = Client(cluster_url)
        self._request = SearchRequest("")

    def body(self, query: str) -> bytes:
        vector = normalized(self._loader.encode_text([query]))[0]
        fields = ["body", "title"]
        knn = build_tensor_query(TensorQuery(dict.fromkeys(fields, vector), candidates(10, 0)))
        source: Any = source_filter(self._request, fields)
        return encode_json({"query": knn, "size": 10, "from": 0, "_source": source, "track_total_hits": False})

    def send(self, body: bytes) -> None:
        answer = self._client.call("POST", f"/{INDEX}/_search", body)
        assert len(answer["hits"]["hits"]) == 10

    def search(self, query: str) -> None:
        self.send(self.body(query))


def timed(search: Search, queries: Sequence[str]) -> list[float]:
    """Seconds of each search, one after the other."""
    durations = []
    for query in queries:
        started = time.perf_counter()
        search(query)
        durations.append(time.perf_counter() - started)
    return durations


def rate(searches: Sequence[Search]) -> float:
    """Searches a second of all clients together."""
    done = [0] * len(searches)
    until = time.perf_counter() + _SECONDS

    def work(place: int) -> None:
        while time.perf_counter() < until:
            searches[place](fresh_query())
            done[place] += 1

    threads = [threading.Thread(target=work, args=(place,)) for place in range(len(searches))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(done) / _SECONDS


def measure(server: Server, cluster_url: str) -> list[Figure]:
    """One client, then eight, each in turn with the direct way."""
    loader = load_raw()
    direct, search = Direct(loader, cluster_url), sidecar_search(server)
    timed(search, [fresh_query() for _ in range(50)])
    timed(direct.search, [fresh_query() for _ in range(50)])
    ours, sums, embeds, repeated = [], [], [], []
    for _ in range(_SEARCHES):
        query = fresh_query()
        ours += timed(search, [query])
        repeated += timed(search, [query])
        started = time.perf_counter()
        body = direct.body(query)
        embedded = time.perf_counter()
        direct.send(body)
        embeds.append(embedded - started)
        sums.append(time.perf_counter() - started)
    rates, limits = [], []
    for _ in range(2):
        rates.append(rate([sidecar_search(server) for _ in range(_CLIENTS)]))
        limits.append(rate([Direct(loader, cluster_url).search for _ in range(_CLIENTS)]))
    saved, embedding = median_ms(ours) - median_ms(repeated), median_ms(embeds)
    return [
        Figure(
            "search median over embedding + k-NN",
            median_ms(ours) - median_ms(sums),
            3.0,
            at_most=True,
            unit=" ms",
            detail=f"{median_ms(ours):.1f} against {median_ms(sums):.1f} ms",
        ),
        Figure(
            "8 clients against embedding + k-NN, 8 at once",
            max(rates) / max(limits),
            0.8,
            detail=f"{max(rates):.0f} against {max(limits):.0f} searches/s",
        ),
        Figure(
            "a repeated query saves the embedding",
            saved / embedding,
            0.7,
            detail=f"{saved:.1f} of {embedding:.1f} ms",
        ),
    ]
