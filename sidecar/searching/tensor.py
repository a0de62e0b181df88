"""The query body of a tensor search: the nearest chunks over one or several embedded fields, in one request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sidecar.opensearch.embedded_paths import content_path, end_path, nested_path, start_path, vector_path

CANDIDATES = (32, 100, 250, 500, 1000, 2500, 5000, 10_000)
"""How many neighbours a shard looks for: the first number that covers the page. Lucene's HNSW finds the first ten more
surely when it looks for more; and pages that look for equally many are pieces of one order, without repeats or holes.
The last is the largest ``k`` that OpenSearch takes."""

# The scores of k-NN queries, from the plugin's functions for scripts. Its own script `knn_score` takes half the time,
# but for bytes (seen on k-NN 3.5.0), and in older versions, its cosinesimil scores twice as high as a k-NN query.
_EXACT_SCORES = {
    "cosinesimil": "Math.max(0, (1 + cosineSimilarity(params.vector, doc[params.field])) / 2)",
    "l2": "1 / (1 + l2Squared(params.vector, doc[params.field]))",
    "innerproduct": "double p = innerProduct(params.vector, doc[params.field]); return p < 0 ? 1 / (1 - p) : p + 1",
}


@dataclass(frozen=True, slots=True)
class TensorQuery:
    """Each field of ``query_vectors`` is searched for the neighbours of its vector, float32 of shape (dimensions,),
    in the index's space; documents that ``filter_query`` leaves out are no candidates. ``k`` documents a shard are
    looked for in each field, among ``ef_search`` candidates where that is given. Each document comes with its
    ``chunks`` best chunks of every field, 0 for none."""

    query_vectors: Mapping[str, NDArray[np.float32]]
    k: int
    filter_query: Mapping[str, Any] | None = None
    ef_search: int | None = None
    chunks: int = 1
    space_type: str = "cosinesimil"


def candidates(limit: int, offset: int) -> int:
    """``k`` for a page of hits."""
    return next((k for k in CANDIDATES if k >= limit + offset), CANDIDATES[-1])


def build_tensor_query(query: TensorQuery) -> dict[str, Any]:
    """The query. A document scores as its best chunk over all fields: `dis_max` takes the best field's score."""
    if not query.query_vectors:
        return {"match_none": {}}
    found = _best_of([_nested(field, {"query": _nearest(query, field)}) for field in query.query_vectors])
    if not query.chunks:
        return found
    # As inner hits of the k-NN queries, the chunks would be looked for in each field's whole graph once more: here the
    # vectors of the hits alone are compared, by clauses that add nothing to the score.
    chunks = [
        _nested(field, {"query": _compared(query, field), "boost": 0, "score_mode": "none"}, query.chunks, number)
        for number, field in enumerate(query.query_vectors)
    ]
    return {"bool": {"must": [found], "should": chunks}}


def build_exact_query(query: TensorQuery) -> dict[str, Any]:
    """The same query by comparing every chunk of every document that the filter leaves: exact, and slower."""
    scored = _best_of(
        [
            _nested(field, {"query": _compared(query, field)}, query.chunks, number)
            for number, field in enumerate(query.query_vectors)
        ]
    )
    if query.filter_query is None:
        return scored
    return {"bool": {"must": [scored], "filter": [query.filter_query]}}


def inner_hits_name(number: int) -> str:
    """The name of a field's inner hits, by the field's place in the query."""
    return str(number)


def _best_of(queries: list[dict[str, Any]]) -> dict[str, Any]:
    return queries[0] if len(queries) == 1 else {"dis_max": {"queries": queries}}


def _nearest(query: TensorQuery, field: str) -> dict[str, Any]:
    knn: dict[str, Any] = {"vector": query.query_vectors[field], "k": query.k}
    if query.ef_search is not None:
        knn["method_parameters"] = {"ef_search": query.ef_search}
    if query.filter_query is not None:
        knn["filter"] = query.filter_query
    return {"knn": {vector_path(field): knn}}


def _compared(query: TensorQuery, field: str) -> dict[str, Any]:
    """Each chunk of the field, with the score that a k-NN query would give it."""
    script = {
        "source": _EXACT_SCORES[query.space_type],
        "lang": "painless",
        "params": {"field": vector_path(field), "vector": query.query_vectors[field]},
    }
    return {"script_score": {"query": {"exists": {"field": vector_path(field)}}, "script": script}}


def _nested(field: str, parts: dict[str, Any], chunks: int = 0, number: int = 0) -> dict[str, Any]:
    """A query of the field's chunks; a document comes with its best ``chunks``, under the name of the ``number``."""
    nested: dict[str, Any] = {"path": nested_path(field), "score_mode": "max", **parts}
    if chunks:
        nested["inner_hits"] = {
            "name": inner_hits_name(number),
            "size": chunks,
            "_source": False,
            "docvalue_fields": [start_path(field), end_path(field), content_path(field)],
        }
    return {"nested": nested}
