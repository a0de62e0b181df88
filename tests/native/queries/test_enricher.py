"""Search pipelines give queries the model that they do not name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.native.queries.conftest import Ask
from tests.native.queries.corpus import MODEL, Corpus, knn, neural, vector

Put = Callable[[dict[str, Any]], str]
SHORT = {"size": 3, "_source": False}


@pytest.fixture
def put(ask: Ask, index_name: str) -> Iterator[Put]:
    """Puts a search pipeline with an enricher through the native face; returns its name."""

    def put(enricher: dict[str, Any]) -> str:
        body = {"request_processors": [{"neural_query_enricher": enricher}]}
        answer = ask(f"/_search/pipeline/{index_name}", body, method="PUT")
        assert answer.status_code == 200, answer.text
        return index_name

    yield put
    ask(f"/_search/pipeline/{index_name}", method="DELETE")


@pytest.fixture
def expected(ask_node: Ask, filled: Corpus) -> Any:
    """What is found in the field that nobody declared."""
    body = {"query": knn("plain_vector", "plain 7", k=3), **SHORT}
    return ask_node(f"/{filled.declared}/_search", body).json()["hits"]


@pytest.mark.parametrize(
    "enricher", [{"default_model_id": MODEL}, {"neural_field_default_id": {"plain_vector": MODEL}}]
)
@pytest.mark.parametrize("place", ["parameter", "key"])
def test_a_query_without_a_model_has_the_pipelines(
    ask: Ask, filled: Corpus, put: Put, expected: Any, enricher: dict[str, Any], place: str
) -> None:
    name = put(enricher)
    body: dict[str, Any] = {"query": neural("plain_vector", "plain 7", k=3), **SHORT}
    path = f"/{filled.declared}/_search"
    if place == "parameter":
        answer = ask(f"{path}?search_pipeline={name}", body)
    else:
        answer = ask(path, {**body, "search_pipeline": name})
    assert answer.status_code == 200, answer.text
    assert answer.json()["hits"] == expected


def test_a_pipeline_may_stand_in_the_body(ask: Ask, filled: Corpus, expected: Any) -> None:
    processors = [
        {"neural_query_enricher": {"default_model_id": MODEL}},
        {"filter_query": {"query": {"term": {"lang": "de"}}}},
    ]
    body = {
        "query": neural("plain_vector", "plain 7", k=3),
        **SHORT,
        "search_pipeline": {"request_processors": processors},
    }
    answer = ask(f"/{filled.declared}/_search", body)
    assert answer.status_code == 200, answer.text
    odd = [hit for hit in expected["hits"] if int(hit["_id"]) % 2]
    assert [hit["_id"] for hit in answer.json()["hits"]["hits"]] == [hit["_id"] for hit in odd]


def test_an_index_has_a_pipeline_by_default_and_none_by_wish(
    ask: Ask, ask_node: Ask, put: Put, filled: Corpus, index_name: str
) -> None:
    name = put({"default_model_id": MODEL})
    settings = {"index.knn": True, "index.search.default_pipeline": name}
    field = {"type": "knn_vector", "dimension": 32, "method": {"name": "hnsw", "engine": "lucene"}}
    made = ask_node(f"/{index_name}", {"settings": settings, "mappings": {"properties": {"v": field}}}, method="PUT")
    assert made.status_code == 200, made.text
    ask_node(f"/{index_name}/_doc/1?refresh=true", {"v": vector("x")})
    query = {"query": neural("v", "x", k=1)}
    found = ask(f"/{index_name}/_search", query)
    assert [hit["_id"] for hit in found.json()["hits"]["hits"]] == ["1"], found.text
    path = f"/{index_name}/_search?search_pipeline=_none"
    answer, native = ask(path, query), ask_node(path, query)
    assert (answer.status_code, answer.content) == (native.status_code, native.content)
    assert answer.status_code == 400


def test_a_declared_field_keeps_its_own_model(ask: Ask, filled: Corpus, put: Put) -> None:
    name = put({"default_model_id": "random/medium"})
    body = {"query": neural("body", "body 7", k=1), **SHORT}
    found = ask(f"/{filled.declared}/_search?search_pipeline={name}", body)
    assert [hit["_id"] for hit in found.json()["hits"]["hits"]] == ["7"], found.text
