from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sidecar.searching.tensor import CANDIDATES, TensorQuery, build_exact_query, build_tensor_query, candidates

VECTOR = np.array([1, 0], dtype=np.float32)
OTHER = np.array([0, 1, 0], dtype=np.float32)
FILTER = {"term": {"a": 1}}


@pytest.mark.parametrize(
    ("limit", "offset", "k"),
    [(1, 0, CANDIDATES[0]), (10, 0, 32), (30, 3, 100), (101, 0, 250), (9999, 1, 10_000), (9999, 99, 10_000)],
)
def test_candidates_cover_the_page_within_what_the_cluster_takes(limit: int, offset: int, k: int) -> None:
    assert candidates(limit, offset) == k


def test_one_field_is_one_nested_query() -> None:
    nested = build_tensor_query(TensorQuery({"title": VECTOR}, 32, chunks=0))["nested"]
    assert nested == {
        "path": "__embeddings.title",
        "score_mode": "max",
        "query": {"knn": {"__embeddings.title.vector": {"vector": VECTOR, "k": 32}}},
    }


def test_several_fields_are_one_query_and_each_has_the_filter() -> None:
    found = build_tensor_query(TensorQuery({"a": VECTOR, "b c": OTHER}, 32, FILTER, chunks=0))
    queries = found["dis_max"]["queries"]
    assert [query["nested"]["path"] for query in queries] == ["__embeddings.a", "__embeddings.b%20c"]
    for query, vector in zip(queries, (VECTOR, OTHER), strict=True):
        (knn,) = query["nested"]["query"]["knn"].values()
        assert knn["filter"] == FILTER
        assert knn["vector"] is vector


@pytest.mark.parametrize("space_type", ["cosinesimil", "l2", "innerproduct"])
def test_chunks_come_from_clauses_without_a_score_that_compare_the_hits_vectors_alone(space_type: str) -> None:
    asked = TensorQuery({"a": VECTOR, "b": OTHER}, 32, FILTER, chunks=3, space_type=space_type)
    found = build_tensor_query(asked)["bool"]
    assert found["must"] == [build_tensor_query(replace(asked, chunks=0))]
    for number, (clause, vector) in enumerate(zip(found["should"], (VECTOR, OTHER), strict=True)):
        nested = clause["nested"]
        assert (nested["score_mode"], nested["boost"]) == ("none", 0)
        assert nested["query"]["script_score"]["script"]["params"]["vector"] is vector
        path = nested["path"]
        assert nested["inner_hits"] == {
            "name": str(number),
            "size": 3,
            "_source": False,
            "docvalue_fields": [f"{path}.{name}" for name in ("start", "end", "content")],
        }
    exact = build_exact_query(asked)["bool"]["must"][0]["dis_max"]["queries"]
    assert [one["nested"]["query"] for one in exact] == [one["nested"]["query"] for one in found["should"]]


def test_chunks_are_asked_for_only_when_they_are_shown() -> None:
    query = TensorQuery({"a": VECTOR, "b": VECTOR}, 32, chunks=0)
    for body in (build_tensor_query(query), build_exact_query(query)):
        assert all("inner_hits" not in part["nested"] for part in body["dis_max"]["queries"])


def test_no_fields_match_nothing() -> None:
    assert build_tensor_query(TensorQuery({}, 32)) == {"match_none": {}}


def test_the_exact_query_has_the_filter_once_around_all_fields() -> None:
    body = build_exact_query(TensorQuery({"a": VECTOR, "b": VECTOR}, 32, FILTER))
    assert body["bool"]["filter"] == [FILTER]
    (scored,) = body["bool"]["must"]
    assert len(scored["dis_max"]["queries"]) == 2
    assert "bool" not in build_exact_query(TensorQuery({"a": VECTOR}, 32))
