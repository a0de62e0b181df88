"""Hybrid searches through the native face, on an index of three shards: against its halves asked for alone, and against
what the cluster itself says of both together."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import requests

from tests.fix_opensearch import request
from tests.fix_server import Sidecar
from tests.native.hybrid.plain import fused

DIMENSIONS = 32
DOCUMENTS = 90
WORDS = ("red", "green", "blue", "wide", "narrow", "old", "new")
NEAR = {"rel": 1e-5, "abs": 1e-7}
MATCH = {"match": {"title": "red wide"}}
NEURAL = {"neural": {"vector": {"query_text": "something old", "k": 12}}}
BLUE = {"term": {"colour": "blue"}}


@dataclass(frozen=True)
class Index:
    """An index of the run, and requests about it to both sides."""

    name: str
    native_url: str
    node: str

    def send(self, path: str, body: Any = None, *, url: str | None = None, method: str = "POST") -> requests.Response:
        data = body if isinstance(body, (bytes, type(None))) else json.dumps(body).encode()
        content_type = {"Content-Type": "application/json"}
        return requests.request(method, (url or self.native_url) + path, data=data, headers=content_type, timeout=60)

    def search(self, body: Any, parameters: str = "") -> dict[str, Any]:
        answer = self.send(f"/{self.name}/_search{parameters}", body)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def refused(self, body: Any, parameters: str = "") -> tuple[int, str]:
        answer = self.send(f"/{self.name}/_search{parameters}", body)
        return answer.status_code, answer.json()["error"]["reason"]

    def half(self, query: Any, size: int, **others: Any) -> list[tuple[str, float]]:
        hits = self.search({"query": query, "size": size, "_source": False, **others})["hits"]["hits"]
        return [(hit["_id"], hit["_score"]) for hit in hits]


def document(number: int, random: np.random.Generator) -> dict[str, Any]:
    words = random.choice(WORDS, size=1 + number % 6)
    vector = random.standard_normal(DIMENSIONS)
    return {
        "title": " ".join(words),
        "colour": ("red", "green", "blue")[number % 3],
        "price": number,
        "exact": 1.50,
        "parts": [{"name": f"part {words[0]}"}],
        "vector": (vector / np.linalg.norm(vector)).round(5).tolist(),
    }


@pytest.fixture(scope="module")
def index(node: str, sidecar: Sidecar) -> Iterator[Index]:
    """Three shards; half of the documents have no vector, so that halves differ."""
    name = "hybrid-searched"
    method = {"name": "hnsw", "engine": "lucene", "space_type": "cosinesimil"}
    declared = {"vector": {"source": "title", "model": "random/small", "dimension": DIMENSIONS}}
    body = {
        "settings": {
            "index.knn": True,
            "number_of_shards": 3,
            "number_of_replicas": 0,
            "knn.derived_source.enabled": False,
        },
        "mappings": {
            "_meta": {"sidecar": {"fields": declared}},
            "properties": {
                "title": {"type": "text"},
                "colour": {"type": "keyword"},
                "parts": {"type": "nested", "properties": {"name": {"type": "text"}}},
                "vector": {"type": "knn_vector", "dimension": DIMENSIONS, "method": method},
            },
        },
    }
    status, text = request(node, "PUT", f"/{name}", json.dumps(body))
    assert status == 200, text
    random = np.random.default_rng(7)
    lines = []
    for number in range(DOCUMENTS):
        lines += [json.dumps({"index": {"_id": f"d{number:02}"}}), json.dumps(document(number, random))]
    bulk = "\n".join([*lines, ""]).encode()
    found = Index(name, sidecar.native_url, node)
    answer = found.send(f"/{name}/_bulk?refresh=true", bulk, url=node)
    assert answer.json()["errors"] is False
    yield found
    request(node, "DELETE", f"/{name}")


def hybrid(*queries: Any, **given: Any) -> dict[str, Any]:
    return {"hybrid": {"queries": list(queries or (MATCH, NEURAL)), **given}}


def scores(answer: dict[str, Any]) -> dict[str, float]:
    return {hit["_id"]: hit["_score"] for hit in answer["hits"]["hits"]}


def first(size: int, expected: dict[str, float]) -> dict[str, float]:
    return dict(list(expected.items())[:size])


def assert_order(found: dict[str, float], expected: dict[str, float]) -> None:
    """The ids in their order, and the scores."""
    assert found == pytest.approx(expected, **NEAR)
    assert list(found) == list(expected)


def put_pipeline(index: Index, name: str, processor: Any) -> None:
    answer = index.send(f"/_search/pipeline/{name}", {"phase_results_processors": [processor]}, method="PUT")
    assert answer.status_code == 200, answer.text


def normalization(technique: str, combination: str, *weights: float) -> dict[str, Any]:
    parameters = {"parameters": {"weights": weights}} if weights else {}
    return {
        "normalization-processor": {
            "normalization": {"technique": technique},
            "combination": {"technique": combination, **parameters},
        }
    }


def test_without_a_pipeline_scores_are_means_of_min_max(index: Index) -> None:
    found = index.search({"query": hybrid(), "size": 60, "_source": False})
    expected = first(60, fused([index.half(MATCH, 60), index.half(NEURAL, 60)]))
    assert_order(scores(found), expected)
    assert found["hits"]["max_score"] == next(iter(scores(found).values()))
    assert list(found) == ["took", "timed_out", "_shards", "hits"]
    assert found["_shards"] == {"total": 3, "successful": 3, "skipped": 0, "failed": 0}


@pytest.mark.parametrize(
    ("technique", "combination", "weights"),
    [
        ("min_max", "arithmetic_mean", (0.3, 0.7)),
        ("min_max", "geometric_mean", (0.6, 0.4)),
        ("l2", "arithmetic_mean", ()),
        ("l2", "harmonic_mean", (0.5, 0.5)),
        ("z_score", "arithmetic_mean", ()),
    ],
)
def test_a_pipeline_chooses_how_scores_are_combined(
    index: Index, technique: str, combination: str, weights: tuple[float, ...]
) -> None:
    put_pipeline(index, "hybrid-means", normalization(technique, combination, *weights))
    found = index.search({"query": hybrid(), "size": 40, "_source": False}, "?search_pipeline=hybrid-means")
    halves = [index.half(MATCH, 40), index.half(NEURAL, 40)]
    # An order of nearly equal scores is that of the last digits.
    assert scores(found) == pytest.approx(
        first(40, fused(halves, technique, combination, weights or None)), rel=1e-4, abs=1e-6
    )


def test_reciprocal_ranks_by_hand(index: Index) -> None:
    put_pipeline(index, "hybrid-ranks", {"score-ranker-processor": {"combination": {"technique": "rrf"}}})
    expected: dict[str, float] = {}
    for half in (index.half(MATCH, 20), index.half(NEURAL, 20)):
        for rank, (document_id, _) in enumerate(half, 1):
            expected[document_id] = expected.get(document_id, 0.0) + 1 / (60 + rank)
    best = sorted(expected, key=lambda document_id: (-np.float32(expected[document_id]), document_id))[:20]
    found = scores(index.search({"query": hybrid(), "size": 20, "_source": False}, "?search_pipeline=hybrid-ranks"))
    assert list(found) == best
    assert found == pytest.approx({document_id: expected[document_id] for document_id in best}, **NEAR)


def test_a_pipeline_may_stand_in_the_body(index: Index) -> None:
    inline = {"phase_results_processors": [normalization("min_max", "arithmetic_mean", 1.0, 0.0)]}
    found = index.search({"query": hybrid(), "size": 40, "_source": False, "search_pipeline": inline})
    halves = [index.half(MATCH, 40), index.half(NEURAL, 40)]
    assert scores(found) == pytest.approx(first(40, fused(halves, weights=(1.0, 0.0))), **NEAR)


def test_weights_for_another_number_of_queries_are_refused(index: Index) -> None:
    put_pipeline(index, "hybrid-three", normalization("min_max", "arithmetic_mean", 0.3, 0.3, 0.4))
    assert index.refused({"query": hybrid()}, "?search_pipeline=hybrid-three") == (
        400,
        "number of weights [3] must match number of sub-queries [2] in hybrid query",
    )


def test_pages_have_no_repeats_and_no_holes(index: Index) -> None:
    query = hybrid({"match": {"title": "red green blue wide"}}, NEURAL, pagination_depth=DOCUMENTS)
    whole = list(scores(index.search({"query": query, "size": DOCUMENTS, "_source": False})))
    pages = [
        list(scores(index.search({"query": query, "from": first, "size": 7, "_source": False})))
        for first in range(0, len(whole) + 7, 7)
    ]
    assert len(whole) > 60
    assert [document_id for page in pages for document_id in page] == whole
    assert pages[-1] == []


def test_totals_and_aggregations_are_those_of_both_queries_together(index: Index) -> None:
    colours = {"terms": {"field": "colour"}, "aggs": {"price": {"avg": {"field": "price"}}}}
    counted = {"aggs": {"colours": colours}}
    found = index.search({"query": hybrid(), "size": 3, **counted})
    together = index.search({"query": {"bool": {"should": [MATCH, NEURAL]}}, "size": 3, **counted})
    assert found["aggregations"] == together["aggregations"]
    assert found["hits"]["total"] == together["hits"]["total"]
    assert found["hits"]["total"]["value"] > 40
    capped = index.search({"query": hybrid(), "track_total_hits": 5})
    assert capped["hits"]["total"] == {"value": 5, "relation": "gte"}
    only = index.search({"query": hybrid(), "size": 0, **counted})
    assert only["aggregations"] == together["aggregations"]
    assert only["hits"] == {"total": together["hits"]["total"], "max_score": None, "hits": []}


def test_hits_are_the_clusters_bytes_but_for_the_score(index: Index) -> None:
    found = index.send(f"/{index.name}/_search", {"query": hybrid(), "size": 5, "version": True}).text
    plain = index.send(f"/{index.name}/_search", {"query": {"match_all": {}}, "size": DOCUMENTS, "version": True}).text
    hits = re.findall(r'\{"_index":.*?\}(?=,\{"_index"|\]\}\}$)', found)
    assert len(hits) == 5
    without_scores = re.sub(r'"_score":[^,]*', "", plain)
    assert all(re.sub(r'"_score":[^,]*', "", hit) in without_scores for hit in hits)
    assert '"exact": 1.5,' in found


def test_filters_hold_before_and_post_filters_after(index: Index) -> None:
    found = index.search({"query": hybrid(filter=BLUE), "size": 40})
    near = {"neural": {"vector": NEURAL["neural"]["vector"] | {"filter": BLUE}}}
    halves = [index.half({"bool": {"must": [MATCH], "filter": [BLUE]}}, 40), index.half(near, 40)]
    assert_order(scores(found), first(40, fused(halves)))
    assert {hit["_source"]["colour"] for hit in found["hits"]["hits"]} == {"blue"}
    aggregation = {"aggs": {"colours": {"terms": {"field": "colour"}}}}
    after = index.search({"query": hybrid(), "size": 40, "post_filter": BLUE, **aggregation})
    halves = [index.half(MATCH, 40, post_filter=BLUE), index.half(NEURAL, 40, post_filter=BLUE)]
    assert_order(scores(after), first(40, fused(halves)))
    assert len(after["aggregations"]["colours"]["buckets"]) == 3
    assert after["hits"]["total"]["value"] == len(scores(after))


def test_min_score_is_of_the_combined_score(index: Index) -> None:
    every = scores(index.search({"query": hybrid(), "size": DOCUMENTS}))
    found = index.search({"query": hybrid(), "size": DOCUMENTS, "min_score": 0.4})
    assert scores(found) == {document_id: score for document_id, score in every.items() if score >= 0.4}
    assert found["hits"]["total"] == {"value": len(scores(found)), "relation": "eq"}


def test_names_highlights_and_inner_hits_are_of_all_queries(index: Index) -> None:
    named = {"match": {"title": {"query": "red wide", "_name": "words"}}}
    near = {"neural": {"vector": NEURAL["neural"]["vector"] | {"_name": "meaning"}}}
    nested = {"nested": {"path": "parts", "query": {"match": {"parts.name": "part"}}, "inner_hits": {}}}
    body = {
        "query": hybrid(near, named, nested, _name="all"),
        "size": 60,
        "highlight": {"fields": {"title": {}}},
    }
    hits = index.search(body)["hits"]["hits"]
    names = {tuple(hit["matched_queries"]) for hit in hits}
    assert {("meaning", "words", "all"), ("words", "all")} <= names
    assert all("highlight" in hit for hit in hits if "words" in hit["matched_queries"])
    assert any(hit["inner_hits"]["parts"]["hits"]["total"]["value"] == 1 for hit in hits if "inner_hits" in hit)


def test_parameters_of_the_url_hold(index: Index) -> None:
    body = {"query": hybrid(), "aggs": {"colours": {"terms": {"field": "colour"}}}, "size": 9}
    parameters = (
        "?size=2&from=1&_source=price&typed_keys&rest_total_hits_as_int=true&preference=_local&request_cache=true"
    )
    found = index.search(body, parameters)
    assert [list(hit["_source"]) for hit in found["hits"]["hits"]] == [["price"]] * 2
    assert isinstance(found["hits"]["total"], int)
    assert list(found["aggregations"]) == ["sterms#colours"]
    part = index.search(body, "?filter_path=hits.hits._id,hits.max_score")
    assert list(part["hits"]) == ["max_score", "hits"]
    assert {tuple(hit) for hit in part["hits"]["hits"]} == {("_id",)}
    pretty = index.send(f"/{index.name}/_search?pretty", body).text
    assert pretty.startswith('{\n  "took" : ')
    assert pretty.endswith("}\n")


def test_routing_chooses_the_shards(index: Index) -> None:
    found = index.search({"query": hybrid(), "size": 60, "_source": False}, "?routing=d01")
    assert found["_shards"]["total"] == 1
    whole = index.search({"query": {"match_all": {}}, "size": DOCUMENTS}, "?routing=d01")
    assert scores(found).keys() <= scores(whole).keys()


def test_the_body_may_be_a_parameter(index: Index) -> None:
    body = {"query": hybrid(), "size": 3, "_source": False}
    parameters = {"source": json.dumps(body), "source_content_type": "application/json"}
    answer = requests.get(f"{index.native_url}/{index.name}/_search", params=parameters, timeout=60)
    assert answer.status_code == 200, answer.text
    assert scores(answer.json()) == scores(index.search(body))


def test_profiles_are_of_all_searches(index: Index) -> None:
    found = index.search({"query": hybrid(), "size": 3, "profile": True})
    assert len(found["profile"]["shards"]) == 9


def test_points_in_time_are_searched(index: Index) -> None:
    pit = index.send(f"/{index.name}/_search/point_in_time?keep_alive=1m", url=index.node).json()["pit_id"]
    body = {"query": hybrid(), "size": 20, "_source": False}
    try:
        answer = index.send("/_search", body | {"pit": {"id": pit, "keep_alive": "1m"}})
        assert answer.status_code == 200, answer.text
        assert scores(answer.json()) == scores(index.search(body))
        assert answer.json()["pit_id"] == pit
    finally:
        index.send("/_search/point_in_time", {"pit_id": [pit]}, url=index.node, method="DELETE")


def test_lines_of_a_multi_search_may_be_hybrid(index: Index) -> None:
    bodies = [{"query": MATCH, "size": 2}, {"query": hybrid(), "size": 4}, {"query": hybrid(filter=BLUE), "size": 3}]
    broken = {"query": hybrid(boost=2), "size": 1}
    lines = [line for body in [*bodies, broken, bodies[0]] for line in ({"index": index.name}, body)]
    lines += [{"index": index.name, "search_type": "dfs_query_then_fetch"}, bodies[1]]
    text = "".join(json.dumps(line) + "\n" for line in lines).encode()
    answer = index.send("/_msearch", text).json()
    found = [scores(response) for response in answer["responses"] if "hits" in response]
    assert found == [scores(index.search(body)) for body in [*bodies, bodies[0]]]
    assert [response["status"] for response in answer["responses"]] == [200, 200, 200, 400, 200, 400]
    assert answer["responses"][3]["error"]["reason"] == "[hybrid] query does not support [boost]"


def test_templates_may_be_hybrid(index: Index) -> None:
    body = {"query": hybrid(), "size": 5, "_source": False}
    source = json.dumps(body).replace("red wide", "{{words}}")
    answer = index.send(f"/{index.name}/_search/template", {"source": source, "params": {"words": "red wide"}})
    assert scores(answer.json()) == scores(index.search(body))


@pytest.mark.parametrize(
    ("body", "parameters", "reason"),
    [
        ({"query": hybrid(), "sort": ["price"]}, "", "[hybrid] query does not support [sort]"),
        ({"query": hybrid()}, "?scroll=1m", "Scroll operation is not supported in hybrid query"),
        (
            {"query": hybrid()},
            "?search_type=dfs_query_then_fetch",
            "[hybrid] query does not support [search_type] of [dfs_query_then_fetch]",
        ),
        (
            {"query": {"bool": {"must": [hybrid()]}}},
            "",
            "hybrid query must be a top level query and cannot be wrapped into other queries",
        ),
        (
            {"query": hybrid(hybrid())},
            "",
            "hybrid query must be a top level query and cannot be wrapped into other queries",
        ),
    ],
)
def test_what_no_hybrid_search_can_have_is_a_400(index: Index, body: Any, parameters: str, reason: str) -> None:
    assert index.refused(body, parameters) == (400, reason)


@pytest.mark.parametrize("query", [{"no_such_query": {}}, {"range": {"price": {"gte": "x"}}}, {"match": {"title": {}}}])
def test_the_error_of_a_query_is_the_clusters(index: Index, query: Any) -> None:
    found = index.send(f"/{index.name}/_search", {"query": hybrid(NEURAL, query)})
    plain = index.send(f"/{index.name}/_search", {"query": query}, url=index.node)
    assert (found.status_code, found.json()["status"]) == (plain.status_code, plain.json()["status"])
    assert found.json()["error"]["type"] == plain.json()["error"]["type"]
    assert _reasons(found.json()) == _reasons(plain.json())


def _reasons(answer: Any) -> list[str]:
    """Without the places of the text, which differ."""
    return [re.sub(r"\[[\d:, ]+\]", "", cause["reason"]) for cause in answer["error"]["root_cause"]]


def test_options_of_patterns_hold(index: Index) -> None:
    body = {"query": hybrid(), "size": 3}
    found = index.send(f"/{index.name},nothing-here/_search?ignore_unavailable=true", body)
    assert scores(found.json()) == scores(index.search(body))


def test_without_embedded_fields_hybrid_is_the_clusters(index: Index, index_name: str) -> None:
    request(index.node, "PUT", f"/{index_name}", None)
    body = {"query": hybrid(MATCH, {"match": {"title": "blue"}})}
    found = index.send(f"/{index_name}/_search", body)
    plain = index.send(f"/{index_name}/_search", body, url=index.node)
    assert (found.status_code, found.content) == (400, plain.content)


def test_queries_by_words_alone_are_hybrid_where_fields_are_embedded(index: Index) -> None:
    other = {"match": {"title": "blue new"}}
    found = index.search({"query": hybrid(MATCH, other), "size": 60})
    assert_order(scores(found), first(60, fused([index.half(MATCH, 60), index.half(other, 60)])))
