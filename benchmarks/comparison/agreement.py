"""Whether contestants find the same: their hits against exact search, their stored vectors against the reference's."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from benchmarks.comparison.contestant import INDEX
from benchmarks.corpus import QUERIES
from benchmarks.raw import least_cosine
from benchmarks.server import Client
from sidecar.embedding.loader import Embeddings
from sidecar.embedding.normalizing import normalized

Encode = Callable[[Sequence[str]], Embeddings]

_PAGE = 500
_NEAREST = 10


class Exact:
    """Exact search by cosine with the vectors of a reference, for the queries of `benchmarks.corpus`."""

    def __init__(self, documents: Sequence[Mapping[str, Any]], encode: Encode) -> None:
        self._ids = [document["_id"] for document in documents]
        self._vectors = normalized(encode([document["text"] for document in documents]))
        order = np.argsort(-(encode(QUERIES) @ self._vectors.T), axis=1)[:, :_NEAREST]
        self._nearest = [{self._ids[place] for place in places} for places in order]

    def overlap(self, found: Sequence[Sequence[str]]) -> float:
        """How much of the ten nearest was found, on average over the queries."""
        shares = [len(exact & set(ids)) / _NEAREST for exact, ids in zip(self._nearest, found, strict=True)]
        return float(np.mean(shares))

    def least_cosine(self, stored: Mapping[str, Sequence[float]]) -> float:
        """The least cosine of a stored vector to the reference's. Raises: KeyError where a document has none."""
        vectors: Embeddings = np.array([stored[document_id] for document_id in self._ids], dtype=np.float32)
        return least_cosine(vectors, self._vectors)


def stored_vectors(cluster_url: str, path: str) -> dict[str, Sequence[float]]:
    """The vectors of all documents of the comparison's index, by id; ``path`` is where they lie in ``_source``."""
    client = Client(cluster_url)
    body: dict[str, Any] = {"size": _PAGE, "sort": ["_doc"], "_source": [path]}
    answer = client.call("POST", f"/{INDEX}/_search?scroll=1m", body)
    vectors: dict[str, Sequence[float]] = {}
    while answer["hits"]["hits"]:
        for hit in answer["hits"]["hits"]:
            vectors[hit["_id"]] = _value_at(hit["_source"], path.split("."))
        answer = client.call("POST", "/_search/scroll", {"scroll": "1m", "scroll_id": answer["_scroll_id"]})
    client.call("DELETE", "/_search/scroll", {"scroll_id": [answer["_scroll_id"]]})
    return vectors


def _value_at(source: Any, keys: Sequence[str]) -> Any:
    """The value at a path; a list of objects on the way, as nested ones are, stands for its first."""
    for key in keys:
        source = source[0][key] if isinstance(source, list) else source[key]
    return source
