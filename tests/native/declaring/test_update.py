"""Mappings that are given to indexes that are there: what is declared joins, and is never lost."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.fix_opensearch import request
from tests.fix_server import Sidecar
from tests.native.declaring.indexes import MODEL, STORED, VECTOR, declaring, send, stored

KNN = {"settings": {"index.knn": True, "number_of_shards": 1}}


def fields_of(node: str, name: str) -> dict[str, Any]:
    """The declarations of an index as the cluster has them."""
    fields: dict[str, Any] = stored(node, name)[0].get("_meta", {}).get("sidecar", {}).get("fields", {})
    return fields


def declare(**fields: Any) -> dict[str, Any]:
    """A mapping with these declarations and nothing else."""
    return {"_meta": {"sidecar": {"fields": fields}}}


@pytest.fixture
def declared(sidecar: Sidecar, index_name: str) -> str:
    """An index that declares ``body_vector``, and has a key of its own beside ours."""
    mapping = declaring()
    mapping["_meta"]["owner"] = {"team": "search"}
    status, answer = send(sidecar.native_url, "PUT", f"/{index_name}", {**KNN, "mappings": mapping})
    assert status == 200, answer
    return index_name


@pytest.mark.parametrize("endpoint", ["_mapping", "_mappings"])
def test_a_field_is_declared_in_an_index_that_is_there(
    sidecar: Sidecar, node: str, index_name: str, endpoint: str
) -> None:
    assert send(node, "PUT", f"/{index_name}", KNN)[0] == 200
    status, answer = send(sidecar.native_url, "PUT", f"/{index_name}/{endpoint}", declaring())
    assert (status, answer) == (200, {"acknowledged": True})
    assert stored(node, index_name)[0]["properties"]["body_vector"] == STORED
    assert fields_of(node, index_name) == {"body_vector": {"source": "body", "model": MODEL, "dimension": 32}}


def test_new_fields_join_the_old(sidecar: Sidecar, node: str, declared: str) -> None:
    mapping = declare(title_vector={"source": "title", "model": MODEL})
    assert send(sidecar.native_url, "POST", f"/{declared}/_mapping", mapping)[0] == 200
    assert set(fields_of(node, declared)) == {"body_vector", "title_vector"}


def test_what_else_our_key_holds_stays_whole(sidecar: Sidecar, node: str, index_name: str) -> None:
    own = {"sidecar": {"number": 12345678901234567890123, "share": 0.25}}
    assert send(node, "PUT", f"/{index_name}", {**KNN, "mappings": {"_meta": own}})[0] == 200
    assert send(sidecar.native_url, "PUT", f"/{index_name}/_mapping", declaring())[0] == 200
    kept = stored(node, index_name)[0]["_meta"]["sidecar"]
    assert {key: kept[key] for key in ("number", "share")} == own["sidecar"]
    assert set(kept["fields"]) == {"body_vector"}


@pytest.mark.parametrize("meta", ["{}", '{"team": "other", "n": 12345678901234567890123}', '{"sidecar": {}}', "null"])
def test_declarations_survive_any_other_meta(sidecar: Sidecar, node: str, declared: str, meta: str) -> None:
    before = fields_of(node, declared)
    body = f'{{"_meta": {meta}, "properties": {{"other": {{"type": "long"}}}}}}'
    status, answer = send(sidecar.native_url, "PUT", f"/{declared}/_mapping", body)
    assert status == 200, answer
    mapping = stored(node, declared)[0]
    assert mapping["properties"]["other"] == {"type": "long"}
    assert fields_of(node, declared) == before
    others = {key: value for key, value in mapping["_meta"].items() if key != "sidecar"}
    # As the cluster has it: all of `_meta` is replaced, but null does nothing.
    given = json.loads(meta)
    expected = {"owner": {"team": "search"}} if given is None else {k: v for k, v in given.items() if k != "sidecar"}
    assert others == expected


def test_null_withdraws_a_declaration_and_keeps_its_vectors(sidecar: Sidecar, node: str, declared: str) -> None:
    assert send(sidecar.native_url, "PUT", f"/{declared}/_mapping", declare(body_vector=None))[0] == 200
    assert fields_of(node, declared) == {}
    assert stored(node, declared)[0]["properties"]["body_vector"] == STORED
    other = declare(body_vector={"source": "title", "model": MODEL})
    assert send(sidecar.native_url, "PUT", f"/{declared}/_mapping", other)[0] == 200
    assert fields_of(node, declared)["body_vector"]["source"] == "title"


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ({"source": "title", "model": MODEL}, "is computed from [body] by model [random/small]"),
        ({"source": "body", "model": "random"}, "is computed from [body] by model [random/small]"),
        ({"source": "body", "model": MODEL, "kind": "image"}, "is computed from [body]"),
    ],
)
def test_another_source_or_model_for_a_vector_is_refused(
    sidecar: Sidecar, node: str, declared: str, entry: dict[str, Any], reason: str
) -> None:
    before = stored(node, declared)[0]
    status, answer = send(sidecar.native_url, "PUT", f"/{declared}/_mapping", declare(body_vector=entry))
    assert (status, answer["error"]["type"]) == (400, "illegal_argument_exception")
    assert reason in answer["error"]["reason"]
    assert stored(node, declared)[0] == before


def test_the_same_declaration_may_be_sent_again_with_other_options(sidecar: Sidecar, node: str, declared: str) -> None:
    entry = {"source": "body", "model": MODEL, "existing_vector": "replace"}
    assert send(sidecar.native_url, "PUT", f"/{declared}/_mapping", declare(body_vector=entry))[0] == 200
    assert fields_of(node, declared)["body_vector"]["existing_vector"] == "replace"


def test_a_vector_of_another_dimension_is_refused(sidecar: Sidecar, node: str, index_name: str) -> None:
    vector = {**VECTOR, "dimension": 3}
    assert send(node, "PUT", f"/{index_name}", {**KNN, "mappings": {"properties": {"body_vector": vector}}})[0] == 200
    mapping = declare(body_vector={"source": "body", "model": MODEL})
    status, answer = send(sidecar.native_url, "PUT", f"/{index_name}/_mapping", mapping)
    assert (status, answer["error"]["type"]) == (400, "mapper_parsing_exception")
    assert fields_of(node, index_name) == {}


def test_an_index_without_knn_refuses_as_the_cluster_does_and_stores_nothing(
    sidecar: Sidecar, node: str, index_name: str
) -> None:
    assert send(node, "PUT", f"/{index_name}")[0] == 200
    status, answer = send(sidecar.native_url, "PUT", f"/{index_name}/_mapping", declaring())
    native = send(node, "PUT", f"/{index_name}/_mapping", {"properties": {"body_vector": VECTOR}})
    assert (status, answer) == native
    assert status == 400
    assert fields_of(node, index_name) == {}


def test_a_nested_parent_of_the_index_stays_nested(sidecar: Sidecar, node: str, index_name: str) -> None:
    properties = {"chunks": {"type": "nested", "properties": {"text": {"type": "text"}}}}
    assert send(node, "PUT", f"/{index_name}", {**KNN, "mappings": {"properties": properties}})[0] == 200
    mapping = {"_meta": {"sidecar": {"fields": {"chunks.vector": {"source": "body", "model": MODEL}}}}}
    status, answer = send(sidecar.native_url, "PUT", f"/{index_name}/_mapping", mapping)
    assert status == 200, answer
    assert stored(node, index_name)[0]["properties"]["chunks"]["properties"]["vector"] == STORED


def test_each_of_several_indexes_keeps_its_own(sidecar: Sidecar, node: str, index_name: str) -> None:
    names = [f"{index_name}-{letter}" for letter in "abc"]
    for name in names:
        assert send(node, "PUT", f"/{name}", KNN)[0] == 200
    own = declare(title_vector={"source": "title", "model": MODEL})
    assert send(sidecar.native_url, "PUT", f"/{names[0]}/_mapping", own)[0] == 200
    assert send(node, "POST", f"/{names[2]}/_close")[0] == 200
    try:
        status, answer = send(sidecar.native_url, "PUT", f"/{index_name}-*/_mapping?timeout=10s", declaring())
        assert (status, answer) == (200, {"acknowledged": True})
        assert set(fields_of(node, names[0])) == {"body_vector", "title_vector"}
        assert set(fields_of(node, names[1])) == set(fields_of(node, names[2])) == {"body_vector"}
        # Without declarations the request is one, and each keeps its own too.
        assert send(sidecar.native_url, "PUT", f"/{','.join(names)}/_mapping", {"_meta": {"a": 1}})[0] == 200
        assert set(fields_of(node, names[0])) == {"body_vector", "title_vector"}
        assert stored(node, names[1])[0]["_meta"]["a"] == 1
    finally:
        request(node, "DELETE", f"/{','.join(names)}")


def test_only_the_write_index_is_declared_where_that_is_asked_for(sidecar: Sidecar, node: str, index_name: str) -> None:
    names = [f"{index_name}-{letter}" for letter in "ab"]
    try:
        for name in names:
            aliases = {f"{index_name}-alias": {"is_write_index": name == names[1]}}
            assert send(node, "PUT", f"/{name}", {**KNN, "aliases": aliases})[0] == 200
        path = f"/{index_name}-alias/_mapping?write_index_only=true"
        assert send(sidecar.native_url, "PUT", path, declaring())[0] == 200
        assert [set(fields_of(node, name)) for name in names] == [set(), {"body_vector"}]
    finally:
        request(node, "DELETE", f"/{','.join(names)}")


def test_a_semantic_field_joins_what_is_declared(sidecar: Sidecar, node: str, declared: str) -> None:
    mapping = {"properties": {"passage": {"type": "semantic", "model_id": MODEL}}}
    for _ in range(2):
        assert send(sidecar.native_url, "PUT", f"/{declared}/_mapping", mapping) == (200, {"acknowledged": True})
        kept = stored(node, declared)[0]
        assert set(fields_of(node, declared)) == {"body_vector", "passage_semantic_info.embedding"}
        assert kept["_meta"]["owner"] == {"team": "search"}
        assert kept["properties"]["passage"]["type"] == "text"


def test_a_missing_index_has_the_clusters_answer(sidecar: Sidecar, node: str, index_name: str) -> None:
    path = f"/{index_name}/_mapping"
    assert send(sidecar.native_url, "PUT", path, declaring()) == send(node, "PUT", path, declaring())


def test_declarations_made_at_the_same_time_are_all_kept(sidecar: Sidecar, node: str, declared: str) -> None:
    def put(number: int) -> int:
        mapping = declare(**{f"vector_{number}": {"source": f"text_{number}", "model": MODEL}})
        return send(sidecar.native_url, "PUT", f"/{declared}/_mapping", mapping)[0]

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(put, range(8))) == {200}
    assert len(fields_of(node, declared)) == 9


def test_an_index_of_the_other_face_keeps_what_it_is(sidecar: Sidecar, index: str) -> None:
    sidecar.add(index, [{"_id": "1", "title": "a"}])
    before = sidecar.get(f"/indexes/{index}/settings").json()
    assert send(sidecar.native_url, "PUT", f"/{index}/_mapping", {"_meta": {"mine": 1}})[0] == 200
    mapping = declare(body_vector={"source": "body", "model": MODEL})
    assert send(sidecar.native_url, "PUT", f"/{index}/_mapping", mapping)[0] == 200
    assert sidecar.get(f"/indexes/{index}/settings").json() == before
    sidecar.add(index, [{"_id": "2", "title": "b"}])
    found = sidecar.post(f"/indexes/{index}/search", {"q": "b"}).json()
    assert found["hits"][0]["_id"] == "2"
