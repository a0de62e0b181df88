"""Indexes and templates that declare embedded fields, against the run's own node."""

from __future__ import annotations

import gzip
import http.client
import json
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.fix_opensearch import request
from tests.fix_server import Sidecar
from tests.native.declaring.indexes import METHOD, MODEL, STORED, declaring, send, stored


def test_a_declaration_makes_the_vector_field_and_the_setting(sidecar: Sidecar, node: str, index_name: str) -> None:
    status, answer = send(sidecar.native_url, "PUT", f"/{index_name}", {"mappings": declaring()})
    assert (status, answer["acknowledged"]) == (200, True)
    mapping, settings = stored(node, index_name)
    assert mapping["properties"]["body_vector"] == STORED
    assert settings["knn"] == "true"
    # Reading back gives what was declared, and the dimension.
    assert send(sidecar.native_url, "GET", f"/{index_name}/_mapping") == (200, {index_name: {"mappings": mapping}})
    expected = {"source": "body", "model": MODEL, "dimension": 32}
    assert mapping["_meta"]["sidecar"]["fields"]["body_vector"] == expected


@pytest.mark.parametrize("given", [{"knn": True}, {"index.knn": "true"}, {"index": {"knn": True}}])
def test_the_setting_is_left_as_the_client_spells_it(
    sidecar: Sidecar, node: str, index_name: str, given: dict[str, Any]
) -> None:
    body = {"settings": {**given, "number_of_shards": 1}, "mappings": declaring()}
    assert send(sidecar.native_url, "PUT", f"/{index_name}", body)[0] == 200
    assert stored(node, index_name)[1]["knn"] == "true"


@pytest.mark.parametrize(
    "settings",
    [{}, {"number_of_shards": 2}, {"index": {"knn": {"derived_source": {"enabled": False}}, "number_of_shards": 2}}],
)
def test_the_setting_joins_others(sidecar: Sidecar, node: str, index_name: str, settings: dict[str, Any]) -> None:
    body = {"settings": settings, "mappings": declaring()}
    status, answer = send(sidecar.native_url, "PUT", f"/{index_name}", body)
    assert status == 200, answer
    kept = stored(node, index_name)[1]
    assert kept["knn"] == "true"
    assert kept["knn.derived_source"]["enabled"] == "false"
    if settings:
        assert kept["number_of_shards"] == "2"


def test_derived_source_is_as_the_client_wants_it(sidecar: Sidecar, node: str, index_name: str) -> None:
    body = {"settings": {"index": {"knn.derived_source.enabled": True}}, "mappings": declaring()}
    assert send(sidecar.native_url, "PUT", f"/{index_name}", body)[0] == 200
    assert stored(node, index_name)[1]["knn.derived_source"]["enabled"] == "true"


def test_the_clients_own_vector_field_is_kept(sidecar: Sidecar, node: str, index_name: str) -> None:
    own = {"type": "knn_vector", "dimension": 32, "method": {**METHOD, "space_type": "l2", "parameters": {"m": 8}}}
    body = {"mappings": declaring({"body_vector": own})}
    assert send(sidecar.native_url, "PUT", f"/{index_name}", body)[0] == 200
    assert stored(node, index_name)[0]["properties"]["body_vector"] == own


def test_what_the_clients_vector_field_leaves_open_is_filled_in(sidecar: Sidecar, node: str, index_name: str) -> None:
    body = {"mappings": declaring({"body_vector": {"type": "knn_vector", "space_type": "l2"}})}
    status, answer = send(sidecar.native_url, "PUT", f"/{index_name}", body)
    assert status == 200, answer
    field = stored(node, index_name)[0]["properties"]["body_vector"]
    assert (field["dimension"], field["space_type"]) == (32, "l2")
    assert field["method"]["engine"] == "lucene"


@pytest.mark.parametrize(
    ("mapping", "error", "reason"),
    [
        (declaring(model="no/such"), "illegal_argument_exception", "there is no model named 'no/such'"),
        (declaring(dimension=3), "mapper_parsing_exception", r"dimension [3], but vectors of model [random/small]"),
        (
            declaring({"body_vector": {"type": "knn_vector", "dimension": 3, "method": METHOD}}),
            "mapper_parsing_exception",
            "dimension [3]",
        ),
        (declaring({"body_vector": {"type": "text"}}), "mapper_parsing_exception", "of type [text]"),
        (
            declaring({"body_vector": {"type": "knn_vector", "dimension": 32, "data_type": "byte"}}),
            "mapper_parsing_exception",
            "embeddings are float",
        ),
        (declaring(sources="body"), "illegal_argument_exception", "unknown option [sources]"),
        (declaring(existing_vector="maybe"), "illegal_argument_exception", "keep or replace"),
        (declaring(source=""), "illegal_argument_exception", "no path of a field"),
        (declaring(source=[{"field": "a", "weight": 0}]), "illegal_argument_exception", "weight [0]"),
        (declaring(source=[{"field": "a"}, {"field": "a"}]), "illegal_argument_exception", "a source twice"),
        (declaring(source="body_vector"), "illegal_argument_exception", "its own source"),
        (
            declaring(model="sentence-transformers/all-MiniLM-L6-v2", kind="image"),
            "illegal_argument_exception",
            "embeds no images",
        ),
    ],
)
def test_a_bad_declaration_is_refused_and_makes_nothing(
    sidecar: Sidecar, node: str, index_name: str, mapping: dict[str, Any], error: str, reason: str
) -> None:
    status, answer = send(sidecar.native_url, "PUT", f"/{index_name}", {"mappings": mapping})
    assert (status, answer["status"], answer["error"]["type"]) == (400, 400, error)
    assert reason in answer["error"]["reason"]
    assert answer["error"]["root_cause"] == [{"type": error, "reason": answer["error"]["reason"]}]
    assert request(node, "HEAD", f"/{index_name}")[0] == 404


def test_several_sources_make_one_vector_and_nested_parents_one_for_each_chunk(
    sidecar: Sidecar, node: str, index_name: str
) -> None:
    joint = {"source": [{"field": "title", "weight": 0.7}, {"field": "picture", "kind": "image"}], "model": MODEL}
    fields = {"joint": joint, "a.b.vector": {"source": "body", "model": MODEL}}
    mapping = {"_meta": {"sidecar": {"fields": fields}}, "properties": {"a.b": {"type": "nested"}}}
    status, answer = send(sidecar.native_url, "PUT", f"/{index_name}", {"mappings": mapping})
    assert status == 200, answer
    kept = stored(node, index_name)[0]
    assert kept["properties"]["joint"] == STORED
    assert kept["properties"]["a"]["properties"]["b"] == {"type": "nested", "properties": {"vector": STORED}}
    assert kept["_meta"]["sidecar"]["fields"]["joint"]["source"] == joint["source"]


def test_vectors_under_one_new_parent_share_it(sidecar: Sidecar, node: str, index_name: str) -> None:
    fields = {f"vectors.{name}": {"source": name, "model": MODEL} for name in ("title", "body")}
    body = {"mappings": {"_meta": {"sidecar": {"fields": fields}}}}
    assert send(sidecar.native_url, "PUT", f"/{index_name}", body)[0] == 200
    expected = {"properties": {"title": STORED, "body": STORED}}
    assert stored(node, index_name)[0]["properties"]["vectors"] == expected


def test_a_gzipped_body_is_translated(sidecar: Sidecar, node: str, index_name: str) -> None:
    connection = http.client.HTTPConnection(urlsplit(sidecar.native_url).netloc, timeout=30)
    body = gzip.compress(json.dumps({"mappings": declaring()}).encode())
    headers = {"Content-Type": "application/json; charset=UTF-8", "Content-Encoding": "gzip"}
    connection.request("PUT", f"/{index_name}", body, headers)
    assert connection.getresponse().status == 200
    connection.close()
    assert stored(node, index_name)[0]["properties"]["body_vector"] == STORED


@pytest.mark.parametrize(
    "body",
    [
        '{"settings": {"number_of_shards": 1}, "mappings": {"_meta": {"n": 1e3}, "dynamic": false}}',
        '{"mappings": {"_meta": {"sidecar": {"fields": {}}}}}',
        '{"mappings": {"_meta": {"sidecar": 5}}}',
        '{"mappings": null}',
        '{"mappings": 3}',
        '{"settings": ',
        "[]",
    ],
)
def test_a_body_without_declarations_has_the_clusters_answer(
    sidecar: Sidecar, node: str, index_name: str, body: str
) -> None:
    status, answer = send(sidecar.native_url, "PUT", f"/{index_name}", body)
    made = stored(node, index_name) if status == 200 else None
    request(node, "DELETE", f"/{index_name}?ignore_unavailable=true")
    assert (status, answer) == send(node, "PUT", f"/{index_name}", body)
    if made is not None:
        mapping, settings = stored(node, index_name)
        assert made[0] == mapping
        assert "knn" not in settings


def test_an_index_template_declares_fields_of_indexes_to_come(
    sidecar: Sidecar, node: str, index_name: str, template: str
) -> None:
    body = {"index_patterns": [f"{index_name}*"], "template": {"mappings": declaring()}, "priority": 900}
    status, answer = send(sidecar.native_url, "PUT", f"/_index_template/{template}", body)
    assert status == 200, answer
    assert send(node, "PUT", f"/{index_name}")[0] == 200
    mapping, settings = stored(node, index_name)
    assert mapping["properties"]["body_vector"] == STORED
    assert settings["knn"] == "true"
    assert mapping["_meta"]["sidecar"]["fields"]["body_vector"]["dimension"] == 32


def test_declarations_of_component_template_and_request_compose(
    sidecar: Sidecar, node: str, index_name: str, template: str
) -> None:
    component = {"template": {"mappings": declaring()}}
    assert send(sidecar.native_url, "PUT", f"/_component_template/{template}", component)[0] == 200
    composed = {"index_patterns": [f"{index_name}*"], "composed_of": [template], "priority": 900}
    assert send(sidecar.native_url, "PUT", f"/_index_template/{template}", composed)[0] == 200
    fields = {"title_vector": {"source": "title", "model": MODEL}}
    body = {"mappings": {"_meta": {"sidecar": {"fields": fields}}}}
    assert send(sidecar.native_url, "PUT", f"/{index_name}", body)[0] == 200
    mapping = stored(node, index_name)[0]
    assert set(mapping["_meta"]["sidecar"]["fields"]) == {"body_vector", "title_vector"}
    assert mapping["properties"]["title_vector"] == mapping["properties"]["body_vector"] == STORED


def test_a_legacy_template_declares_fields(sidecar: Sidecar, node: str, index_name: str, template: str) -> None:
    body = {"index_patterns": [f"{index_name}*"], "mappings": declaring()}
    assert send(sidecar.native_url, "PUT", f"/_template/{template}", body)[0] == 200
    assert send(node, "PUT", f"/{index_name}")[0] == 200
    mapping, settings = stored(node, index_name)
    assert (mapping["properties"]["body_vector"], settings["knn"]) == (STORED, "true")


def test_a_bad_template_is_refused(sidecar: Sidecar, node: str, template: str) -> None:
    body = {"index_patterns": ["nothing-*"], "template": {"mappings": declaring(model="no/such")}}
    status, answer = send(sidecar.native_url, "PUT", f"/_index_template/{template}", body)
    assert (status, answer["error"]["type"]) == (400, "illegal_argument_exception")
    assert request(node, "HEAD", f"/_index_template/{template}")[0] == 404


def test_a_simulated_template_is_the_clusters(sidecar: Sidecar, node: str) -> None:
    body = {"index_patterns": ["nothing-*"], "template": {"mappings": declaring()}}
    path = "/_index_template/_simulate"
    assert send(sidecar.native_url, "POST", path, body) == send(node, "POST", path, body)
