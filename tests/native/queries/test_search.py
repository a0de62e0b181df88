"""A search by meaning finds what the same search with the vector finds in the cluster itself."""

from __future__ import annotations

import base64
import gzip
import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
from PIL import Image

from tests.native.queries.conftest import Ask
from tests.native.queries.corpus import CHUNKS, MODEL, Corpus, Query, in_chunks, knn, neural

EN = {"term": {"lang": "en"}}
NO_UTF8 = b'{"query":{"neural":{"body":{"query_text":"\xff"}}}}'
EMBEDDING = f"{CHUNKS}.embedding"


def hits(ask: Ask, index: str, **body: Any) -> list[tuple[str, str, float, list[str] | None]]:
    """The hits of a search with their scores, and the names of the queries that found each."""
    answer = ask(f"/{index}/_search?size=50", {"_source": False, **body})
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert found["_shards"]["failed"] == 0, answer.text
    return [(hit["_index"], hit["_id"], hit["_score"], hit.get("matched_queries")) for hit in found["hits"]["hits"]]


@pytest.mark.parametrize("field", ["body", "body_vector"])
@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"k": 5},
        {"k": "5"},
        {"min_score": 0.55},
        {"max_distance": 0.9},
        {"k": 7, "filter": EN},
        {"k": 7, "boost": 2.5, "_name": "meaning"},
        {"k": 3, "method_parameters": {"ef_search": 50}},
        {"k": 3, "expand_nested_docs": False},
        {"k": 3, "model_id": MODEL},
    ],
)
def test_parameters_do_what_they_do_to_the_same_knn_query(
    ask: Ask, ask_node: Ask, filled: Corpus, field: str, parameters: dict[str, Any]
) -> None:
    found = hits(ask, filled.declared, query=neural(field, "body 7", **parameters))
    kept = {key: value for key, value in parameters.items() if key != "model_id"} or {"k": 10}
    assert found == hits(ask_node, filled.declared, query=knn("body_vector", "body 7", **kept))
    assert found
    assert found[0][1] == "7" or "filter" in parameters


@pytest.mark.parametrize(
    ("asked", "native"),
    [
        (neural("note", "note 3", k=4), knn("note_semantic_info.embedding", "note 3", k=4)),
        (neural("passage", "chunk 3 1", k=4), in_chunks(knn(EMBEDDING, "chunk 3 1", k=4))),
        (neural(EMBEDDING, "chunk 3 1", k=4), in_chunks(knn(EMBEDDING, "chunk 3 1", k=4))),
        (
            neural("passage", "chunk 3 1", k=4, boost=3, _name="chunked"),
            in_chunks(knn(EMBEDDING, "chunk 3 1", k=4), boost=3, _name="chunked"),
        ),
        (
            neural("passage", "chunk 3 1", k=4, filter=EN),
            in_chunks(knn(EMBEDDING, "chunk 3 1", k=4, filter=EN)),
        ),
        (in_chunks(neural("passage", "chunk 3 1", k=4)), in_chunks(knn(EMBEDDING, "chunk 3 1", k=4))),
        (neural("plain_vector", "plain 3", k=4, model_id=MODEL), knn("plain_vector", "plain 3", k=4)),
    ],
)
def test_each_kind_of_field_is_searched_by_its_vectors(
    ask: Ask, ask_node: Ask, filled: Corpus, asked: Query, native: Query
) -> None:
    found = hits(ask, filled.declared, query=asked)
    assert found == hits(ask_node, filled.declared, query=native)
    assert found[0][1] == "3" or "filter" in str(asked)


def _everywhere(query: Query) -> dict[str, Any]:
    """A body with one query in places of every sort, beside data that looks like it."""
    return {
        "query": {
            "bool": {
                "must": [
                    {"boosting": {"positive": query, "negative": {"match": {"neural": "x"}}, "negative_boost": 0.5}}
                ],
                "should": [
                    {"dis_max": {"queries": [query, {"match": {"body": "body"}}]}},
                    {"constant_score": {"filter": query}},
                    {"function_score": {"query": query, "functions": [{"filter": query, "weight": 2}]}},
                    {
                        "script_score": {
                            "query": query,
                            "script": {"source": "_score * params.neural", "params": {"neural": 2}},
                        }
                    },
                    {"terms": {"lang": ["neural", "en"]}},
                ],
            }
        },
        "post_filter": {"bool": {"filter": query}},
        "rescore": {"window_size": 5, "query": {"rescore_query": query}},
        "highlight": {
            "fields": {"body": {"highlight_query": {"bool": {"should": [query, {"match": {"body": "body"}}]}}}}
        },
        "aggs": {
            "near": {"filter": query, "aggs": {"languages": {"terms": {"field": "lang"}}}},
            "named": {"filters": {"filters": {"neural": query, "all": {"match_all": {}}}}},
            "listed": {"filters": {"filters": [query]}},
            "both": {"adjacency_matrix": {"filters": {"near": query, "en": EN}}},
            "best": {"top_hits": {"size": 1, "_source": False}},
            "unusual": {"significant_terms": {"field": "lang", "background_filter": query, "min_doc_count": 1}},
        },
    }


def test_queries_are_rewritten_wherever_they_stand(ask: Ask, ask_node: Ask, filled: Corpus) -> None:
    path = f"/{filled.declared}/_search"
    found = ask(path, _everywhere(neural("body", "body 7", k=5))).json()
    expected = ask_node(path, _everywhere(knn("body_vector", "body 7", k=5))).json()
    assert {key: value for key, value in found.items() if key != "took"} == {
        key: value for key, value in expected.items() if key != "took"
    }
    assert found["hits"]["hits"]
    assert found["aggregations"]["near"]["doc_count"] == 5


def test_text_and_image_together_are_the_mean_of_their_vectors(ask: Ask, filled: Corpus) -> None:
    file = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(file, "PNG")
    picture = base64.b64encode(file.getvalue()).decode()
    alone = {text: score for _, text, score, _ in hits(ask, filled.declared, query=neural("body", "body 7", k=40))}
    both = {"neural": {"body": {"query_text": "body 7", "query_image": picture, "k": 40}}}
    image = {"neural": {"body": {"query_image": picture, "k": 40}}}
    mixed = {text: score for _, text, score, _ in hits(ask, filled.declared, query=both)}
    imaged = {text: score for _, text, score, _ in hits(ask, filled.declared, query=image)}
    # The cosine of a mean of unit vectors is a multiple of the sum of the cosines.
    ratios = [(2 * mixed[text] - 1) / ((2 * alone[text] - 1) + (2 * imaged[text] - 1)) for text in mixed]
    assert ratios == pytest.approx([ratios[0]] * len(ratios), rel=1e-3)


def test_indexes_without_the_vector_are_passed_over(ask: Ask, filled: Corpus) -> None:
    index = f"{filled.declared},{filled.bare}"
    found = hits(ask, index, query=neural("body", "body 7", k=3))
    assert found == hits(ask, filled.declared, query=neural("body", "body 7", k=3))
    chunked = hits(ask, index, query=neural("passage", "chunk 3 1", k=3))
    assert chunked == hits(ask, filled.declared, query=neural("passage", "chunk 3 1", k=3))


def test_an_alias_and_a_pattern_are_searched_as_their_indexes(ask: Ask, ask_node: Ask, filled: Corpus) -> None:
    alias = f"{filled.declared}_alias"
    ask_node("/_aliases", {"actions": [{"add": {"index": filled.declared, "alias": alias, "filter": EN}}]})
    try:
        found = hits(ask, alias, query=neural("body", "body 6", k=5))
        expected = hits(ask_node, alias, query=knn("body_vector", "body 6", k=5))
    finally:
        ask_node("/_aliases", {"actions": [{"remove": {"index": filled.declared, "alias": alias}}]})
    assert found == expected
    assert found[0][1] == "6"
    assert all(int(one[1]) % 2 == 0 for one in found)
    pattern = f"{filled.declared}*,-{filled.wide}"
    assert hits(ask, pattern, query=neural("body", "body 7", k=3)) == hits(
        ask, filled.declared, query=neural("body", "body 7", k=3)
    )


def test_different_models_behind_a_name_are_refused(ask: Ask, filled: Corpus) -> None:
    answer = ask(f"/{filled.pattern}/_search", {"query": neural("body", "x")})
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert error["type"] == "illegal_argument_exception"
    assert f"[{MODEL}] in [{filled.declared}]" in error["reason"]
    assert f"[random/medium] in [{filled.wide}]" in error["reason"]


@pytest.mark.parametrize(
    ("query", "kind", "reason"),
    [
        (
            neural("body", "x", ignore_unmapped=True),
            "parsing_exception",
            "[neural] query does not support [ignore_unmapped]",
        ),
        (neural("body", "x", vector={"a": 1}), "parsing_exception", "[neural] query does not support [vector]"),
        (neural("body", "x", k=[1]), "parsing_exception", "[neural] unknown token [START_ARRAY] after [k]"),
        (neural("body", "x", k=None), "parsing_exception", "[neural] unknown token [VALUE_NULL] after [k]"),
        (
            {"neural": {"body": {"query_text": "x"}, "note": {"query_text": "x"}}},
            "parsing_exception",
            "[neural] query doesn't support multiple fields, found [body] and [note]",
        ),
        (
            neural("body", " "),
            "illegal_argument_exception",
            "Invalid neural query: Either query_text or query_image must be provided.",
        ),
        (
            neural("body", "x", k=1, min_score=0.5),
            "illegal_argument_exception",
            "Invalid neural query: Only one of k, max_distance, or min_score can be provided",
        ),
        (
            neural("body", "x", model_id="nobody-knows-it"),
            "illegal_argument_exception",
            "[neural] query on [body] names an unknown model_id [nobody-knows-it]",
        ),
        (
            {"bool": {"must": {"hybrid": {"queries": [neural("body", "x")]}}}},
            "illegal_argument_exception",
            "hybrid query must be a top level query and cannot be wrapped into other queries",
        ),
    ],
)
def test_wrong_queries_are_told_in_the_plugins_words(
    ask: Ask, filled: Corpus, query: Query, kind: str, reason: str
) -> None:
    answer = ask(f"/{filled.declared}/_search", {"query": query})
    cause = {"type": kind, "reason": reason}
    assert answer.json() == {"error": {"root_cause": [cause], **cause}, "status": 400}
    assert answer.status_code == 400


@pytest.mark.parametrize(
    "query",
    [
        neural("lang", "x"),
        neural("plain_vector", "x"),
        neural("plain_vector", "x", model_id="an-id-of-an-ml-node"),
        neural("plain_vector", "x", model_id="random/medium"),
        {"neural": {}},
        {"bool": {"must": [neural("body", "x"), neural("lang", "x")]}},
        {"neural": [1, 2]},
    ],
)
def test_what_is_not_served_is_the_clusters_to_answer(ask: Ask, ask_node: Ask, filled: Corpus, query: Query) -> None:
    path = f"/{filled.declared}/_search"
    answer, expected = ask(path, {"query": query}), ask_node(path, {"query": query})
    assert (answer.status_code, answer.content) == (expected.status_code, expected.content)
    assert b"[neural]" in answer.content


@pytest.mark.parametrize("kind", ["neural", "hybrid"])
def test_queries_on_undeclared_indexes_are_the_clusters_to_answer(
    ask: Ask, ask_node: Ask, filled: Corpus, kind: str
) -> None:
    query = neural("body", "x") if kind == "neural" else {"hybrid": {"queries": [{"match": {"body": "x"}}]}}
    for path in (f"/{filled.bare}/_search", "/no-such-index/_search"):
        answer, expected = ask(path, {"query": query}), ask_node(path, {"query": query})
        assert (answer.status_code, answer.content) == (expected.status_code, expected.content)
    assert answer.status_code >= 400


def test_a_body_that_is_no_json_is_the_clusters_to_answer(ask: Ask, ask_node: Ask, filled: Corpus) -> None:
    for body in (
        b'{"query":{"neural":',
        b'{"query":{"neural":{"body":{"query_text":"x"}}}}}',
        b'"neural"',
        b"[]",
        NO_UTF8,
    ):
        path = f"/{filled.declared}/_search"
        answer, expected = ask(path, body), ask_node(path, body)
        assert (answer.status_code, answer.content) == (expected.status_code, expected.content)


def test_a_body_may_be_a_parameter(ask: Ask, ask_node: Ask, filled: Corpus) -> None:
    path = f"/{filled.declared}/_search"
    parameters = {"source_content_type": "application/json", "filter_path": "hits.hits._id,hits.hits._score"}
    found = ask(path, method="GET", params={"source": json.dumps({"query": neural("body", "body 7")}), **parameters})
    expected = ask_node(f"{path}?filter_path=hits.hits._id,hits.hits._score", {"query": knn("body_vector", "body 7")})
    assert found.json() == expected.json()
    untouched = {"source": json.dumps({"query": {"match": {"body": "7"}}}), **parameters}
    assert ask(path, method="GET", params=untouched).json() == ask_node(path, method="GET", params=untouched).json()


def test_a_compressed_body_is_rewritten(ask: Ask, ask_node: Ask, filled: Corpus) -> None:
    path = f"/{filled.declared}/_search?filter_path=hits"
    headers = {"content-type": "application/json; charset=UTF-8", "content-encoding": "gzip"}
    body = gzip.compress(json.dumps({"query": neural("body", "body 7")}).encode())
    found = ask(path, body, headers=headers)
    assert found.json() == ask_node(path, {"query": knn("body_vector", "body 7")}).json()
    raw = gzip.compress(b'{"query":{"match":{"body":"neural"}}}')
    assert ask(path, raw, headers=headers).content == ask_node(path, raw, headers=headers).content


@pytest.fixture
def remote(ask_node: Ask) -> Iterator[str]:
    """A name by which the run's cluster is a remote one of its own."""
    (node,) = ask_node("/_nodes/transport", method="GET").json()["nodes"].values()
    setting = {"cluster.remote.itself.seeds": [node["transport"]["publish_address"]]}
    answer = ask_node("/_cluster/settings", {"transient": setting}, method="PUT")
    assert answer.status_code == 200, answer.text
    yield "itself"
    ask_node("/_cluster/settings", {"transient": dict.fromkeys(setting)}, method="PUT")


def test_indexes_of_remote_clusters_are_searched_by_queries_that_name_their_model(
    ask: Ask, ask_node: Ask, filled: Corpus, remote: str
) -> None:
    index = f"{remote}:{filled.declared}"
    found = hits(ask, index, query=neural("plain_vector", "plain 7", k=3, model_id=MODEL))
    assert found == hits(ask_node, index, query=knn("plain_vector", "plain 7", k=3))
    assert found[0][1] == "7"
    query = {"query": neural("body", "body 7")}
    answer, expected = ask(f"/{index}/_search", query), ask_node(f"/{index}/_search", query)
    assert (answer.status_code, answer.content) == (expected.status_code, expected.content)
    assert answer.status_code == 400
