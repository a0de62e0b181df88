"""The contract's checklist, point by point, over HTTP: the server, indexes and documents. Searching and the rest:
`test_contract_search.py`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.default_settings import DEFAULTS
from tests.fix_server import Sidecar

WITHOUT_FIELDS = {"documents": [{"_id": "1", "title": "x"}]}


@pytest.fixture(scope="module")
def limited(node: str) -> Iterator[Sidecar]:
    """A server with the limit of documents in one request that Marqo has."""
    with Sidecar({"OPENSEARCH_URL": node, "MARQO_MAX_ADD_DOCS_COUNT": "64"}) as running:
        yield running


def outcome(sidecar: Sidecar, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    """The status of an answer, and its code where it is an error of ours."""
    answered = sidecar.request(method, path, body)
    return answered.status_code, answered.json().get("code")


def create(sidecar: Sidecar, index: str, body: Any) -> tuple[int, Any]:
    return outcome(sidecar, "POST", f"/indexes/{index}", body)


def defaults_of(sidecar: Sidecar, index: str) -> dict[str, Any]:
    found: dict[str, Any] = sidecar.get(f"/indexes/{index}/settings").json()["index_defaults"]
    return found


def test_01_greeting(sidecar: Sidecar) -> None:
    answered = sidecar.get("/").json()
    assert answered["message"] == "Welcome to Marqo"
    assert tuple(map(int, answered["version"].split("."))) >= (1, 0, 0)


def test_02_new_index_without_a_body_has_the_defaults(sidecar: Sidecar, index_name: str) -> None:
    answered = sidecar.post(f"/indexes/{index_name}")
    assert answered.json() == {"acknowledged": True, "shards_acknowledged": True, "index": index_name}
    assert sidecar.get(f"/indexes/{index_name}/settings").json() == DEFAULTS


def test_03_second_index_of_a_name_is_refused(sidecar: Sidecar, index: str) -> None:
    assert create(sidecar, index, {}) == (409, "index_already_exists")


@pytest.mark.parametrize("name", ["ABC", "bulk", "_a", "a,b"])
def test_04_bad_index_names(sidecar: Sidecar, name: str) -> None:
    assert create(sidecar, name, None) == (400, "invalid_index_name")


@pytest.mark.parametrize("body", [{"foo": 1}, {"index_defaults": {"foo": 1}}])
def test_05_unknown_settings(sidecar: Sidecar, index_name: str, body: Any) -> None:
    assert create(sidecar, index_name, body) == (400, "invalid_argument")


def test_06_null_is_the_default(sidecar: Sidecar, index_name: str) -> None:
    assert create(sidecar, index_name, {"index_defaults": {"model": None}})[0] == 200
    assert defaults_of(sidecar, index_name) == DEFAULTS["index_defaults"]


def test_07_ann_parameters(sidecar: Sidecar, index_name: str) -> None:
    def ann(**parameters: Any) -> dict[str, Any]:
        return {"index_defaults": {"model": "random/small", "ann_parameters": parameters}}

    for wrong in ({"parameters": {"m": 1}}, {"parameters": {"m": 101}}, {"engine": "nmslib"}):
        assert create(sidecar, index_name, ann(**wrong)) == (400, "invalid_argument")
    assert create(sidecar, index_name, ann(parameters={"m": 24}))[0] == 200
    assert defaults_of(sidecar, index_name)["ann_parameters"]["parameters"] == {"m": 24, "ef_construction": 128}


@pytest.mark.parametrize("body", [{"number_of_shards": 0}, {"number_of_shards": "2"}, {"number_of_replicas": 2}])
def test_08_shards_and_replicas(sidecar: Sidecar, index_name: str, body: Any) -> None:
    assert create(sidecar, index_name, body) == (400, "invalid_argument")


def test_09_unknown_models_need_dimensions(sidecar: Sidecar, index_name: str) -> None:
    unknown = {"model": "my-own"}
    for properties in ({}, {"model_properties": {"name": "x"}}):
        body = {"index_defaults": {**unknown, **properties}}
        assert create(sidecar, index_name, body) == (400, "invalid_argument")
    body = {"index_defaults": {**unknown, "model_properties": {"dimensions": 12}}}
    assert create(sidecar, index_name, body)[0] == 200


@pytest.mark.parametrize("given", [{}, {"model": "random/medium"}])
def test_10_search_model_goes_with_the_model(sidecar: Sidecar, index_name: str, given: dict[str, str]) -> None:
    body = {"index_defaults": {"search_model": "random/small", **given}}
    assert create(sidecar, index_name, body) == (400, "invalid_argument")


def test_11_deleted_index_is_gone(sidecar: Sidecar, index: str) -> None:
    assert sidecar.delete(f"/indexes/{index}").json() == {"acknowledged": True}
    for method, path in (("DELETE", ""), ("GET", "/settings"), ("GET", "/stats")):
        assert outcome(sidecar, method, f"/indexes/{index}{path}") == (404, "index_not_found")


def test_12_health_of_an_index(sidecar: Sidecar, index: str) -> None:
    answered = sidecar.get(f"/indexes/{index}-x/health")
    assert answered.status_code == 200
    assert (answered.json()["status"], answered.json()["backend"]["status"]) == ("red", "red")
    assert sidecar.get(f"/indexes/{index}/health").json()["status"] in {"green", "yellow"}


def test_13_unknown_routes_and_methods(sidecar: Sidecar) -> None:
    unknown, wrong = sidecar.get("/nope"), sidecar.request("PUT", "/indexes/a")
    assert (unknown.status_code, unknown.json()) == (404, {"detail": "Not Found"})
    assert (wrong.status_code, wrong.json()) == (405, {"detail": "Method Not Allowed"})


def test_14_document_is_created_then_updated(sidecar: Sidecar, index: str) -> None:
    for result, status in (("created", 201), ("updated", 200)):
        answered = sidecar.add(index, [{"_id": "1", "title": "x"}])
        assert answered["errors"] is False
        assert [(item["result"], item["status"]) for item in answered["items"]] == [(result, status)]


def test_15_last_document_of_an_id_wins(sidecar: Sidecar, index: str) -> None:
    answered = sidecar.add(index, [{"_id": "1", "title": "first"}, {"_id": "1", "title": "last"}])
    assert [item["status"] for item in answered["items"]] == [201, 200]
    assert sidecar.get(f"/indexes/{index}/documents/1").json()["title"] == "last"


def test_16_document_without_an_id_gets_a_uuid(sidecar: Sidecar, index: str) -> None:
    (item,) = sidecar.add(index, [{"title": "x"}])["items"]
    assert re.fullmatch("[0-9a-f-]{36}", item["_id"])


def test_17_exactly_one_list_of_fields(sidecar: Sidecar, index: str) -> None:
    path = f"/indexes/{index}/documents"
    both = {**WITHOUT_FIELDS, "tensorFields": [], "nonTensorFields": []}
    for body in (WITHOUT_FIELDS, both):
        assert outcome(sidecar, "POST", path, body) == (400, "bad_request")
    assert sidecar.post(path, {**WITHOUT_FIELDS, "tensorFields": [], "foo": 1}).status_code == 422


def test_18_number_of_documents(limited: Sidecar, index: str) -> None:
    path = f"/indexes/{index}/documents"
    empty = limited.post(path, {"documents": [], "tensorFields": []})
    assert (empty.status_code, empty.json()["code"]) == (400, "bad_request")
    assert "empty add documents request" in empty.json()["message"]
    for count, status in ((64, 200), (65, 400)):
        body = {"documents": [{"title": "x"}] * count, "tensorFields": []}
        assert limited.post(path, body).status_code == status


def test_19_bad_documents_fail_alone_in_their_places(sidecar: Sidecar, index: str) -> None:
    documents = [
        {"_id": "a", "title": "x"},
        {"_id": 5, "title": "x"},
        {"_id": "n", "title": None},
        {"_id": "l", "title": ["x"]},
        {"_id": "d", "a.b": "x"},
        {"_id": "z", "title": "x"},
    ]
    answered = sidecar.add(index, documents)
    assert answered["errors"] is True
    codes = [None, "invalid_document_id", "invalid_argument", "invalid_argument", "invalid_field_name", None]
    assert [item.get("code") for item in answered["items"]] == codes
    found = sidecar.get(f"/indexes/{index}/documents", ["a", "z"]).json()["results"]
    assert [result["_found"] for result in found] == [True, True]


def test_20_too_large_document(sidecar: Sidecar, index: str) -> None:
    (item,) = sidecar.add(index, [{"_id": "1", "title": "x" * 100_001}], tensor_fields=())["items"]
    assert (item["code"], item["_id"]) == ("doc_too_large", "")


def test_21_array_body(sidecar: Sidecar, index: str) -> None:
    path = f"/indexes/{index}/documents"
    assert outcome(sidecar, "POST", f"{path}?non_tensor_fields=x", [{"x": "y"}])[0] == 200
    assert outcome(sidecar, "POST", path, [{"x": "y"}]) == (400, "bad_request")
    body = {**WITHOUT_FIELDS, "tensorFields": []}
    assert outcome(sidecar, "POST", f"{path}?mappings=%7B%7D", body) == (400, "bad_request")


def test_22_nulls_in_the_body(sidecar: Sidecar, index: str) -> None:
    path, body = f"/indexes/{index}/documents", {**WITHOUT_FIELDS, "tensorFields": ["title"]}
    assert sidecar.post(path, {**body, "mappings": None, "modelAuth": None}).status_code == 200
    assert sidecar.post(path, {**body, "imageDownloadHeaders": None}).status_code == 422


def test_23_documents_for_no_index(sidecar: Sidecar, index_name: str) -> None:
    body = {**WITHOUT_FIELDS, "tensorFields": []}
    assert outcome(sidecar, "POST", f"/indexes/{index_name}/documents", body) == (404, "index_not_found")


def test_24_one_document_and_its_facets(sidecar: Sidecar, index: str) -> None:
    sidecar.add(index, [{"_id": "1", "title": "x"}])
    assert sidecar.get(f"/indexes/{index}/documents/1").json() == {"_id": "1", "title": "x"}
    (facet,) = sidecar.get(f"/indexes/{index}/documents/1?expose_facets=True").json()["_tensor_facets"]
    assert facet["title"] == "x"
    assert len(facet["_embedding"]) == 32


def test_25_document_that_is_not_there(sidecar: Sidecar, index: str) -> None:
    assert outcome(sidecar, "GET", f"/indexes/{index}/documents/nope") == (404, "document_not_found")


def test_26_many_documents(sidecar: Sidecar, index: str) -> None:
    sidecar.add(index, [{"_id": "1", "title": "x"}])
    found = sidecar.get(f"/indexes/{index}/documents", ["1", "nope"]).json()["results"]
    assert [(result["_id"], result["_found"]) for result in found] == [("1", True), ("nope", False)]
    assert outcome(sidecar, "GET", f"/indexes/{index}/documents", []) == (400, "invalid_argument")


def test_27_deleting_documents(sidecar: Sidecar, index: str) -> None:
    sidecar.add(index, [{"_id": "1", "title": "x"}])
    path = f"/indexes/{index}/documents/delete-batch"
    answered = sidecar.post(path, ["1", "nope"]).json()
    assert [(item["status"], item["result"]) for item in answered["items"]] == [(200, "deleted"), (404, "not_found")]
    assert answered["details"]["deletedDocuments"] == 1
    empty = sidecar.post(path, [])
    assert empty.status_code == 400
    assert "can't be empty" in empty.json()["message"]


def test_28_counts_of_documents_and_vectors(sidecar: Sidecar, index: str) -> None:
    sidecar.add(index, [{"title": f"One {number}. Two. Three."} for number in range(20)])
    stats = sidecar.get(f"/indexes/{index}/stats").json()
    assert stats == {"numberOfDocuments": 20, "numberOfVectors": 40}
