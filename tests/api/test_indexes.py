"""Making, looking at and deleting indexes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.default_settings import DEFAULTS
from tests.fix_opensearch import request
from tests.fix_server import SMALL, Sidecar


def ann(**parameters: object) -> dict[str, Any]:
    return {"index_defaults": {"ann_parameters": {"parameters": parameters}}, "number_of_shards": 1}


@pytest.mark.parametrize("body", [None, b"null", b"{}"])
def test_new_index_has_the_defaults_when_no_settings_are_given(
    sidecar: Sidecar, index_name: str, body: bytes | None
) -> None:
    answered = sidecar.post(f"/indexes/{index_name}", data=body, headers={"Content-Type": "application/json"})
    assert answered.json() == {"acknowledged": True, "shards_acknowledged": True, "index": index_name}
    assert sidecar.get(f"/indexes/{index_name}/settings").json() == DEFAULTS


def test_new_index_is_refused_when_there_is_one_of_that_name(sidecar: Sidecar, index: str) -> None:
    answered = sidecar.post(f"/indexes/{index}", SMALL)
    assert (answered.status_code, answered.json()["code"]) == (409, "index_already_exists")
    assert index in answered.json()["message"]


def test_new_index_is_refused_when_the_cluster_has_no_room_for_its_shards(sidecar: Sidecar, index_name: str) -> None:
    # Beyond a node's 1,000, which the cluster has by default.
    answered = sidecar.post(f"/indexes/{index_name}", SMALL | {"number_of_shards": 1024})
    assert (answered.status_code, answered.json()["code"]) == (400, "invalid_argument")
    assert "number_of_shards" in answered.json()["message"]
    assert "1024" in answered.json()["message"]


@pytest.mark.parametrize("name", ["ABC", "bulk", "_a", "a,b", "-a", "a%20b", "a*", ".kibana_1", "x" * 256, "%2E"])
def test_new_index_is_refused_for_a_bad_name(sidecar: Sidecar, name: str) -> None:
    answered = sidecar.post(f"/indexes/{name}", SMALL)
    assert (answered.status_code, answered.json()["code"]) == (400, "invalid_index_name")


@pytest.mark.parametrize(
    "body",
    [
        {"foo": 1},
        {"index_defaults": {"foo": 1}},
        {"index_defaults": None},
        {"index_defaults": 5},
        ann(m=1),
        ann(m=101),
        {"index_defaults": {"ann_parameters": {"engine": "nmslib"}}},
        {"index_defaults": {"ann_parameters": {"space_type": "linf"}}},
        {"number_of_shards": 0},
        {"number_of_shards": "2"},
        {"number_of_replicas": 2},
        {"index_defaults": {"model": "nope"}},
        {"index_defaults": {"model": "mine", "model_properties": {"name": "x"}}},
        {"index_defaults": {"search_model": "random/small"}},
        {"index_defaults": {"model": "random/small", "search_model": "random/medium"}},
        {"index_defaults": {"field_models": {"a": {"model": "nope"}}}},
    ],
)
def test_new_index_is_refused_for_bad_settings(sidecar: Sidecar, index_name: str, body: dict[str, Any]) -> None:
    answered = sidecar.post(f"/indexes/{index_name}", body)
    assert (answered.status_code, answered.json()["code"]) == (400, "invalid_argument"), answered.text
    assert sidecar.get(f"/indexes/{index_name}/settings").status_code == 404


def test_error_for_an_unknown_model_names_the_nearest(sidecar: Sidecar, index_name: str) -> None:
    answered = sidecar.post(f"/indexes/{index_name}", {"index_defaults": {"model": "random/smal"}})
    assert "random/small" in answered.json()["message"]


@pytest.mark.parametrize("body", [[], 5, "text", [{}]])
def test_new_index_is_422_when_the_body_is_no_object(sidecar: Sidecar, index_name: str, body: object) -> None:
    answered = sidecar.post(f"/indexes/{index_name}", body)
    assert answered.status_code == 422
    assert answered.json()["detail"][0]["type"] == "type_error.dict"


def test_null_counts_as_not_given(sidecar: Sidecar, index_name: str) -> None:
    assert sidecar.post(f"/indexes/{index_name}", {"index_defaults": {"model": None}}).status_code == 200
    settings = sidecar.get(f"/indexes/{index_name}/settings").json()
    assert settings["index_defaults"]["model"] == DEFAULTS["index_defaults"]["model"]  # type: ignore[index]


def test_settings_are_merged_over_the_defaults(sidecar: Sidecar, index_name: str) -> None:
    assert sidecar.post(f"/indexes/{index_name}", ann(m=24)).status_code == 200
    shown = sidecar.get(f"/indexes/{index_name}/settings").json()
    assert shown["index_defaults"]["ann_parameters"]["parameters"] == {"ef_construction": 128, "m": 24}


def test_model_with_dimensions_of_its_own_is_taken(sidecar: Sidecar, index_name: str) -> None:
    described = {"model": "mine", "model_properties": {"name": "org/mine", "dimensions": 12}}
    assert sidecar.post(f"/indexes/{index_name}", {"index_defaults": described}).status_code == 200
    shown = sidecar.get(f"/indexes/{index_name}/settings").json()["index_defaults"]
    assert shown["search_model_properties"] == described["model_properties"]


def test_deleted_index_is_gone_for_all_routes(sidecar: Sidecar, node: str, index: str) -> None:
    assert sidecar.delete(f"/indexes/{index}").json() == {"acknowledged": True}
    assert sidecar.delete(f"/indexes/{index}").status_code == 404
    add = {"documents": [{"title": "x"}], "tensorFields": ["title"]}
    for method, path, body in (
        ("GET", "settings", None),
        ("GET", "stats", None),
        ("POST", "refresh", None),
        ("POST", "search", {"q": "x"}),
        ("POST", "documents", add),
        ("GET", "documents/1", None),
        ("GET", "documents", ["1"]),
        ("POST", "documents/delete-batch", ["1"]),
    ):
        answered = sidecar.request(method, f"/indexes/{index}/{path}", body)
        assert (answered.status_code, answered.json()["code"]) == (404, "index_not_found"), path
    assert index not in request(node, "GET", "/_cat/indices")[1]


def test_delete_takes_a_pattern_literally(sidecar: Sidecar, index: str) -> None:
    for name in ("*", "_all", index[:-1] + "*", f"{index},x"):
        assert sidecar.delete(f"/indexes/{name}").json()["code"] == "index_not_found"
    assert sidecar.get(f"/indexes/{index}/settings").status_code == 200


@pytest.fixture
def foreign_index(node: str, index_name: str) -> Iterator[str]:
    """An index that this API did not make."""
    assert request(node, "PUT", f"/{index_name}")[0] == 200
    yield index_name


def test_foreign_index_is_neither_listed_nor_deleted(sidecar: Sidecar, foreign_index: str) -> None:
    assert {"index_name": foreign_index} not in sidecar.get("/indexes").json()["results"]
    for method, path in (("DELETE", ""), ("GET", "/settings"), ("GET", "/stats"), ("POST", "/refresh")):
        answered = sidecar.request(method, f"/indexes/{foreign_index}{path}")
        assert (answered.status_code, answered.json()["code"]) == (400, "document_not_found")


def test_indexes_are_listed(sidecar: Sidecar, index: str) -> None:
    assert {"index_name": index} in sidecar.get("/indexes").json()["results"]


def test_index_health_is_red_when_there_is_no_such_index(sidecar: Sidecar, index: str) -> None:
    unknown = sidecar.get("/indexes/zzz/health")
    assert unknown.status_code == 200
    assert (unknown.json()["status"], unknown.json()["backend"]["status"]) == ("red", "red")
    assert sidecar.get(f"/indexes/{index}/health").json()["status"] in {"green", "yellow"}


def test_stats_count_documents_and_chunks_of_the_last_refresh(sidecar: Sidecar, index: str) -> None:
    assert sidecar.get(f"/indexes/{index}/stats").json() == {"numberOfDocuments": 0, "numberOfVectors": 0}
    sidecar.add(index, [{"title": "One. Two. Three."} for _ in range(20)])
    assert sidecar.get(f"/indexes/{index}/stats").json() == {"numberOfDocuments": 20, "numberOfVectors": 40}


def test_refresh_lets_searches_see_documents(sidecar: Sidecar, index: str) -> None:
    body = {"documents": [{"title": "seen"}], "tensorFields": ["title"]}
    sidecar.post(f"/indexes/{index}/documents", body)
    answered = sidecar.post(f"/indexes/{index}/refresh", headers={"Content-Type": "application/json"})
    assert answered.json() == {"_shards": {"total": 1, "successful": 1, "failed": 0}}
    assert sidecar.get(f"/indexes/{index}/stats").json()["numberOfDocuments"] == 1


def test_index_of_a_second_sidecar_just_works(sidecar: Sidecar, index: str) -> None:
    with Sidecar(sidecar.environment) as second:
        second.add(index, [{"_id": "1", "title": "from the second"}])
        assert second.get(f"/indexes/{index}/settings").json() == sidecar.get(f"/indexes/{index}/settings").json()
        assert sidecar.post(f"/indexes/{index}/search", {"q": "second"}).json()["hits"][0]["_id"] == "1"
        assert second.delete(f"/indexes/{index}").status_code == 200
    assert sidecar.get(f"/indexes/{index}/settings").status_code == 404
