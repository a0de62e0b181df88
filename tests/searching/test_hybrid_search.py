"""Plans of hybrid searches, carried out on answers that are written here. On a real node: tests/integration."""

from __future__ import annotations

from typing import Any

import numpy as np

from sidecar.opensearch.index_settings import IndexSettings
from sidecar.opensearch.index_state import IndexState
from sidecar.searching.hybrid_search import plan_hybrid
from sidecar.searching.request import HybridParameters, Ranking, Retrieval, SearchMethod, SearchRequest
from sidecar.searching.search_plan import AskedSearch, SearchPlan, SearchResult

TYPES = {"title": "text"}
VECTOR = np.array([1, 0], dtype=np.float32)
REQUEST = SearchRequest(
    q="red", method=SearchMethod.HYBRID, hybrid=HybridParameters(Retrieval.TENSOR, Ranking.LEXICAL), limit=3
)


def asked(request: SearchRequest = REQUEST) -> AskedSearch:
    state = IndexState(
        index="i",
        name="i",
        uuid="u",
        settings=IndexSettings(),
        dimensions=2,
        embedded_fields=("title",),
        field_types=TYPES,
        meta={},
        stores_vectors=True,
        etag="e",
    )
    return AskedSearch(state, request, (3, 5, 0))


def answer(**scores: float) -> dict[str, Any]:
    return {"hits": {"hits": [{"_id": name, "_score": score, "_source": {}} for name, score in scores.items()]}}


def test_neighbours_that_the_words_answer_lacks_are_asked_for_by_their_ids() -> None:
    plan = plan_hybrid(asked(), {"title": VECTOR})
    assert len(plan.lines) == 2
    more = plan.finish([answer(a=0.9, b=0.8, c=0.7), answer(b=2.0, a=0.0)])
    assert isinstance(more, SearchPlan)
    (line,) = more.lines
    assert line.body["query"]["bool"]["filter"] == [{"ids": {"values": ["a", "b", "c"]}}]
    assert line.body["size"] == 3
    # One of them is deleted meanwhile.
    result = more.finish([answer(c=3.0, b=2.0)])
    assert isinstance(result, SearchResult)
    assert [(hit["_id"], hit["_score"]) for hit in result.hits] == [("c", 3.0), ("b", 2.0), ("a", 0.0)]


def test_the_words_of_all_neighbours_are_asked_for_up_to_what_the_cluster_takes() -> None:
    plan = plan_hybrid(asked(), {"title": VECTOR})
    assert [line.body["size"] for line in plan.lines] == [16, 32 * IndexSettings().number_of_shards]
    assert plan.lines[1].body["_source"] is False
    deep = SearchRequest(q="red", method=SearchMethod.HYBRID, hybrid=REQUEST.hybrid, limit=5, offset=9000)
    assert [line.body["size"] for line in plan_hybrid(asked(deep), {"title": VECTOR}).lines] == [10_000, 10_000]
