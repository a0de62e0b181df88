"""Documents written one by one, and updates."""

from __future__ import annotations

import pytest

from tests.native.writes.written import BODY_VECTOR, DIMENSIONS, MODEL, Expected, Port, is_vector, make_index


@pytest.mark.parametrize(("method", "endpoint"), [("PUT", "_doc/1"), ("POST", "_doc/1"), ("PUT", "_create/1")])
def test_a_document_gets_its_vector(
    native: Port, direct: Port, index_name: str, expected: Expected, method: str, endpoint: str
) -> None:
    make_index(direct, index_name)
    assert native.done(method, f"/{index_name}/{endpoint}", {"body": "a cat"})["result"] == "created"
    assert is_vector(direct.source(index_name, "1")["body_vector"], expected("a cat"))


def test_a_document_without_an_id_gets_its_vector(native: Port, direct: Port, index_name: str) -> None:
    make_index(direct, index_name)
    answer = native.done("POST", f"/{index_name}/_doc", {"body": "a cat"})
    assert len(direct.source(index_name, answer["_id"])["body_vector"]) == DIMENSIONS


def test_what_cannot_be_embedded_is_refused(native: Port, direct: Port, index_name: str) -> None:
    make_index(direct, index_name)
    answer = native.send("PUT", f"/{index_name}/_doc/1", {"body": {"a": 1}}, x_opaque_id="mine")
    reason = "failed to embed field [body]: it must be a string, not an object"
    error = {"type": "mapper_parsing_exception", "reason": reason}
    assert answer.status == 400
    assert answer.json() == {"error": {"root_cause": [error], **error}, "status": 400}
    assert answer.header("x-opaque-id") == "mine"
    assert direct.send("GET", f"/{index_name}/_doc/1").status == 404


def test_broken_documents_are_the_clusters_to_refuse(native: Port, direct: Port, index_name: str) -> None:
    make_index(direct, index_name)
    for body in (b"", b"{", b"[]", b'{"body":"a"} x', b'{"body":"\xff"}'):
        through = native.send("PUT", f"/{index_name}/_doc/1", body)
        assert through.body == direct.send("PUT", f"/{index_name}/_doc/1", body).body
        assert through.status == 400


def test_updates_embed_what_they_change(native: Port, direct: Port, index_name: str, expected: Expected) -> None:
    make_index(direct, index_name)
    native.done("PUT", f"/{index_name}/_doc/1", {"body": "a cat", "n": 1})
    path = f"/{index_name}/_update/1"
    before = direct.source(index_name, "1")["body_vector"]
    assert native.done("POST", path, {"doc": {"n": 2}})["result"] == "updated"
    assert direct.source(index_name, "1")["body_vector"] == before
    assert native.done("POST", path, {"doc": {"body": "a cat"}})["result"] == "noop"
    assert native.done("POST", path, {"doc": {"body": "a dog"}})["result"] == "updated"
    assert is_vector(direct.source(index_name, "1")["body_vector"], expected("a dog"))


def test_a_text_that_is_taken_away_takes_its_vector_along(native: Port, direct: Port, index_name: str) -> None:
    make_index(direct, index_name)
    native.done("PUT", f"/{index_name}/_doc/1", {"body": "a cat"})
    native.done("POST", f"/{index_name}/_update/1?refresh=true", {"doc": {"body": None}})
    assert direct.source(index_name, "1").get("body_vector") is None
    query = {"query": {"exists": {"field": "body_vector"}}}
    assert direct.done("POST", f"/{index_name}/_count", query)["count"] == 0


def test_upserts_are_embedded(native: Port, direct: Port, index_name: str, expected: Expected) -> None:
    make_index(direct, index_name)
    native.done("POST", f"/{index_name}/_update/1", {"doc": {"body": "a"}, "upsert": {"body": "a cat"}})
    native.done("POST", f"/{index_name}/_update/2", {"doc": {"body": "a dog"}, "doc_as_upsert": True})
    native.bulk(f"/{index_name}/_bulk", {"update": {"_id": "3"}}, {"doc": {"body": "a cow"}, "doc_as_upsert": True})
    for document_id, text in (("1", "a cat"), ("2", "a dog"), ("3", "a cow")):
        assert is_vector(direct.source(index_name, document_id)["body_vector"], expected(text))


def test_unchanged_text_in_a_bulk_update_is_no_change(native: Port, direct: Port, index_name: str) -> None:
    make_index(direct, index_name)
    native.bulk(f"/{index_name}/_bulk", {"index": {"_id": "1"}}, {"body": "a cat"})
    answer = native.bulk(f"/{index_name}/_bulk", {"update": {"_id": "1"}}, {"doc": {"body": "a cat"}})
    assert answer["items"][0]["update"]["result"] == "noop"


def test_scripts_run_with_a_warning(native: Port, direct: Port, index_name: str) -> None:
    make_index(direct, index_name)
    native.done("PUT", f"/{index_name}/_doc/1", {"body": "a cat"})
    script = {"script": "ctx._source.body = 'a dog'"}
    answer = native.send("POST", f"/{index_name}/_update/1", script)
    assert answer.json()["result"] == "updated"
    warning = '299 sidecar "vectors of [body_vector] are not recomputed by scripts"'
    assert answer.header("warning") == warning
    bulk = native.send("POST", f"/{index_name}/_bulk", '{"update":{"_id":"1"}}\n{"script":"ctx._source.n = 1"}\n')
    assert bulk.header("warning") == warning


@pytest.mark.parametrize("is_bulk", [False, True])
def test_an_update_of_one_source_reads_the_others(
    native: Port, direct: Port, index_name: str, expected: Expected, is_bulk: bool
) -> None:
    make_index(direct, index_name, {"v": {"source": [{"field": "a.title"}, {"field": "body"}], "model": MODEL}})
    native.done("PUT", f"/{index_name}/_doc/a%2Fb?routing=r", {"a": {"title": "a cat"}, "body": "a dog"})
    doc = {"doc": {"body": "a cow"}}
    if is_bulk:
        native.bulk(f"/{index_name}/_bulk", {"update": {"_id": "a/b", "routing": "r"}}, doc)
    else:
        native.done("POST", f"/{index_name}/_update/a%2Fb?routing=r", doc)
    mean = expected("a cat") + expected("a cow")
    stored = direct.done("GET", f"/{index_name}/_doc/a%2Fb?routing=r")["_source"]
    assert is_vector(stored["v"], mean / (mean @ mean) ** 0.5)


def test_an_update_of_a_missing_document_is_the_clusters_answer(native: Port, direct: Port, index_name: str) -> None:
    make_index(direct, index_name, {"v": {"source": [{"field": "title"}, {"field": "body"}], "model": MODEL}})
    through = native.send("POST", f"/{index_name}/_update/1", {"doc": {"body": "a cow"}})
    assert through.status == 404
    assert through.json()["error"]["type"] == "document_missing_exception"


def test_undeclared_documents_pass_untouched(native: Port, direct: Port, index_name: str) -> None:
    make_index(direct, index_name, BODY_VECTOR, **{"index.knn.derived_source.enabled": False})
    plain = f"{index_name}-plain"
    try:
        text = '{"body" : "a cat", "n":1e3}'
        native.done("PUT", f"/{plain}/_doc/1", text)
        assert direct.source_text(plain, "1").decode() == text
    finally:
        direct.done("DELETE", f"/{plain}")
