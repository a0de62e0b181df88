"""Writes inside the cluster, which never pass the model."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.native.writes.written import BODY_VECTOR, MODEL, VECTOR, Port, make_index

PLAIN = {"body": {"type": "text"}}


@pytest.fixture
def copy(direct: Port, index_name: str) -> Iterator[str]:
    """The name of a second index."""
    yield f"{index_name}-copy"
    direct.send("DELETE", f"/{index_name}-copy")


def body_of(source: str, target: str, **others: object) -> dict[str, object]:
    return {"source": {"index": source}, "dest": {"index": target}, **others}


def test_vectors_travel_between_indexes_that_declare_them_alike(
    native: Port, direct: Port, index_name: str, copy: str
) -> None:
    make_index(direct, index_name)
    make_index(direct, copy)
    native.done("PUT", f"/{index_name}/_doc/1?refresh=true", {"body": "a cat"})
    assert native.done("POST", "/_reindex", body_of(index_name, copy))["created"] == 1
    assert direct.source(copy, "1") == direct.source(index_name, "1")


@pytest.mark.parametrize("case", ["undeclared source", "another model", "script", "fields"])
def test_a_copy_that_would_lack_its_vectors_is_refused(
    native: Port, direct: Port, index_name: str, copy: str, case: str
) -> None:
    fields = {"another model": {"body_vector": {"source": "body", "model": "random/medium"}}, "undeclared source": {}}
    vector = {"body_vector": {**VECTOR, "dimension": 128 if case == "another model" else 32}}
    make_index(direct, index_name, fields.get(case, BODY_VECTOR), vector)
    make_index(direct, copy)
    body = body_of(index_name, copy)
    if case == "script":
        body["script"] = {"source": "ctx._source.body = 'a dog'"}
    if case == "fields":
        body["source"] = {"index": index_name, "_source": ["body"]}
    answer = native.send("POST", "/_reindex", body)
    assert answer.status == 400
    assert answer.json()["error"]["reason"] == (
        f"[_reindex] into [{copy}] cannot compute [body_vector]; read and bulk-index through this port"
    )


def test_a_copy_into_an_index_without_vectors_passes(native: Port, direct: Port, index_name: str, copy: str) -> None:
    make_index(direct, index_name)
    native.done("PUT", f"/{index_name}/_doc/1?refresh=true", {"body": "a cat"})
    assert native.done("POST", "/_reindex", body_of(index_name, copy))["created"] == 1


def test_an_update_by_query_keeps_vectors(native: Port, direct: Port, index_name: str) -> None:
    make_index(direct, index_name)
    native.done("PUT", f"/{index_name}/_doc/1?refresh=true", {"body": "a cat"})
    before = direct.source(index_name, "1")
    answer = native.send("POST", f"/{index_name}/_update_by_query", b"")
    assert answer.json()["updated"] == 1
    assert answer.header("warning") is None
    assert direct.source(index_name, "1") == before


def test_an_update_by_query_with_a_script_warns(native: Port, direct: Port, index_name: str) -> None:
    make_index(direct, index_name)
    answer = native.send("POST", f"/{index_name}/_update_by_query", {"script": "ctx._source.n = 1"})
    assert answer.status == 200
    assert answer.header("warning") == '299 sidecar "vectors of [body_vector] are not recomputed by scripts"'


def test_an_update_by_query_with_a_pipeline_that_embeds_is_refused(native: Port, direct: Port, index_name: str) -> None:
    make_index(direct, index_name)
    processor = {"text_embedding": {"model_id": MODEL, "field_map": {"body": "v"}}}
    native.done("PUT", f"/_ingest/pipeline/{index_name}", {"processors": [processor]})
    try:
        answer = native.send("POST", f"/{index_name}/_update_by_query?pipeline={index_name}", {})
        assert answer.status == 400
        assert f"pipeline [{index_name}]" in answer.json()["error"]["reason"]
    finally:
        direct.done("DELETE", f"/_ingest/pipeline/{index_name}")
