"""Every request that takes a query takes one by meaning."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fix_server import Sidecar
from tests.native.queries.conftest import Ask
from tests.native.queries.corpus import Corpus, create, document, in_chunks, knn, mapping, neural, vector

NEAR = {"min_score": 0.55}


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("target", ["_count", "_validate/query", "_explain/7", "_search", "_search?scroll=1m"])
def test_endpoints_answer_as_to_the_knn_query(
    ask: Ask, ask_node: Ask, filled: Corpus, target: str, method: str
) -> None:
    path = f"/{filled.declared}/{target}"
    answer = ask(path, {"query": neural("body", "body 7", **NEAR)}, method=method)
    expected = ask_node(path, {"query": knn("body_vector", "body 7", **NEAR)}, method=method)
    assert answer.status_code == 200, answer.text
    varying = {"took", "_scroll_id"}
    found = {key: value for key, value in answer.json().items() if key not in varying}
    assert found == {key: value for key, value in expected.json().items() if key not in varying}


def test_an_endpoint_without_an_index_searches_all(ask: Ask, filled: Corpus) -> None:
    query = {"bool": {"must": neural("body", "body 7", **NEAR), "filter": {"term": {"_index": filled.declared}}}}
    only = {"query": query}
    refused = ask("/_count", only)
    # The other index of the corpus has another model behind the name, which all indexes together then have too.
    assert refused.status_code == 400
    assert "different models" in refused.json()["error"]["reason"]
    named = {"query": {"bool": {"must": neural("plain_vector", "plain 7", model_id="random/small", **NEAR)}}}
    assert ask("/_count", named).json()["count"] >= 1


def test_a_hybrid_query_is_for_searches(ask: Ask, filled: Corpus) -> None:
    answer = ask(f"/{filled.declared}/_count", {"query": {"hybrid": {"queries": [neural("body", "x")]}}})
    assert answer.status_code == 400
    assert answer.json()["error"]["reason"] == "[hybrid] query is served by [_search] and [_msearch] only"


def test_a_scroll_ends_after_the_nearest(ask: Ask, filled: Corpus) -> None:
    body = {"size": 2, "query": neural("body", "body 7", k=5)}
    answer = ask(f"/{filled.declared}/_search?scroll=1m", body).json()
    pages = [answer]
    while pages[-1]["hits"]["hits"]:
        pages.append(ask("/_search/scroll", {"scroll": "1m", "scroll_id": pages[-1]["_scroll_id"]}).json())
    assert [len(page["hits"]["hits"]) for page in pages] == [2, 2, 1, 0]
    ask("/_search/scroll", {"scroll_id": pages[-1]["_scroll_id"]}, method="DELETE")


def test_a_point_in_time_is_searched_by_its_indexes(ask: Ask, ask_node: Ask, filled: Corpus) -> None:
    opened = ask(f"/{filled.declared}/_search/point_in_time?keep_alive=1m").json()["pit_id"]
    body: dict[str, Any] = {"pit": {"id": opened, "keep_alive": "1m"}, "_source": False}
    try:
        found = ask("/_search", {**body, "query": neural("body", "body 7", k=3)})
        expected = ask_node("/_search", {**body, "query": knn("body_vector", "body 7", k=3)})
        assert found.status_code == 200, found.text
        assert found.json()["hits"] == expected.json()["hits"]
        raw = {**body, "query": neural("lang", "x")}
        assert ask("/_search", raw).content == ask_node("/_search", raw).content
    finally:
        ask("/_search/point_in_time", {"pit_id": [opened]}, method="DELETE")


def test_documents_are_deleted_by_meaning(ask: Ask, node: str, index_name: str) -> None:
    create(node, index_name, mapping(), [document(number) for number in range(6)])
    query = neural("body", "body 2", min_score=0.99)
    answer = ask(f"/{index_name}/_delete_by_query?refresh=true", {"query": query})
    assert answer.json()["deleted"] == 1, answer.text
    left = ask(f"/{index_name}/_search", {"_source": False, "sort": ["_doc"]}).json()["hits"]["hits"]
    assert sorted(hit["_id"] for hit in left) == ["0", "1", "3", "4", "5"]


def test_documents_are_updated_and_copied_by_meaning(ask: Ask, node: str, filled: Corpus, index_name: str) -> None:
    create(node, index_name, mapping(), [document(number) for number in range(6)])
    query = neural("body", "body 2", min_score=0.99)
    updated = ask(f"/{index_name}/_update_by_query?refresh=true", {"query": query})
    assert updated.json()["updated"] == 1, updated.text
    plain = f"{index_name}-copy"
    copied = ask("/_reindex?refresh=true", {"source": {"index": index_name, "query": query}, "dest": {"index": plain}})
    found = ask(f"/{plain}/_search", {"_source": False}).json()["hits"]["hits"]
    ask(f"/{plain}", method="DELETE")
    assert copied.json()["created"] == 1, copied.text
    assert [hit["_id"] for hit in found] == ["2"]
    undeclared = {"source": {"index": filled.bare, "query": neural("body", "x")}, "dest": {"index": plain}}
    assert "unknown query [neural]" in ask("/_reindex", undeclared).text


def test_an_asynchronous_search_is_rewritten_to_the_index_of_its_parameter(
    ask: Ask, ask_node: Ask, filled: Corpus
) -> None:
    # The run's node has no such plugin: what can be seen is that a wrong query is refused before it is asked.
    path = f"/_plugins/_asynchronous_search?index={filled.declared}"
    assert ask(path, {"query": neural("body", "x", wrong=1)}).json()["error"]["type"] == "parsing_exception"
    right = {"query": neural("body", "x")}
    assert ask(path, right).json() == ask_node(path, right).json()


def test_what_was_declared_and_written_on_this_port_is_found_on_it(ask: Ask, index_name: str) -> None:
    declared = {"_meta": {"sidecar": {"fields": {"vector": {"source": "text", "model": "random/small"}}}}}
    semantic = {"text": {"type": "text"}, "passage": {"type": "semantic", "model_id": "random/small", "chunking": True}}
    made = ask(f"/{index_name}", {"mappings": {**declared, "properties": semantic}}, method="PUT")
    assert made.status_code == 200, made.text
    for number in range(3):
        written = ask(f"/{index_name}/_doc/{number}?refresh=true", {"text": f"t {number}", "passage": f"p {number}"})
        assert written.status_code == 201, written.text
    for query in (neural("text", "t 1", k=1), neural("passage", "p 1", k=1)):
        found = ask(f"/{index_name}/_search", {"query": query, "_source": False}).json()["hits"]["hits"]
        assert [hit["_id"] for hit in found] == ["1"]
        assert found[0]["_score"] == pytest.approx(1.0, abs=1e-5)


def test_an_index_of_the_other_face_is_searched_by_its_fields(
    sidecar: Sidecar, ask: Ask, ask_node: Ask, index: str
) -> None:
    sidecar.add(index, [{"_id": str(number), "title": f"title {number}"} for number in range(5)])
    path = "__embeddings.title"
    native = in_chunks({"knn": {f"{path}.vector": {"vector": vector("title 3"), "k": 3}}}, path)
    expected = ask_node(f"/{index}/_search", {"query": native, "_source": False}).json()["hits"]
    assert expected["hits"][0]["_id"] == "3"
    for field in ("title", f"{path}.vector"):
        found = ask(f"/{index}/_search", {"query": neural(field, "title 3", k=3), "_source": False}).json()["hits"]
        assert found == expected


def test_an_index_of_bytes_is_asked_by_bytes(sidecar: Sidecar, ask: Ask, index_name: str) -> None:
    defaults = {"model": "random/small", "ann_parameters": {"data_type": "byte"}}
    made = sidecar.post(f"/indexes/{index_name}", {"index_defaults": defaults, "number_of_shards": 1})
    assert made.status_code == 200, made.text
    sidecar.add(index_name, [{"_id": str(number), "title": f"title {number}"} for number in range(5)])
    found = ask(f"/{index_name}/_search", {"query": neural("title", "title 3", k=1)}).json()
    assert "hits" in found, found["error"]["root_cause"][0]["reason"]
    assert [hit["_id"] for hit in found["hits"]["hits"]] == ["3"], found
    assert found["hits"]["hits"][0]["_score"] == pytest.approx(1.0, abs=1e-4)
