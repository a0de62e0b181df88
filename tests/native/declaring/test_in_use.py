"""What is declared is in force at once, for whatever name a write gives."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

from tests.fix_opensearch import request
from tests.fix_server import Sidecar
from tests.native.declaring.indexes import declaring, send


def source(node: str, path: str) -> dict[str, Any]:
    """A document as the cluster has it."""
    status, answer = send(node, "GET", path)
    assert status == 200, answer
    found: dict[str, Any] = answer["_source"]
    return found


def bulk(url: str, *actions: tuple[str, str, dict[str, Any]]) -> list[dict[str, Any]]:
    """The outcomes of bulk actions on document 1 of the indexes named."""
    lines = [
        json.dumps(line) for action, index, body in actions for line in ({action: {"_index": index, "_id": "1"}}, body)
    ]
    status, answer = send(url, "POST", "/_bulk", "\n".join(lines) + "\n")
    assert status == 200, answer
    return [outcome for item in answer["items"] for outcome in item.values()]


def test_a_declaration_holds_for_the_next_write(sidecar: Sidecar, node: str, index_name: str) -> None:
    native = sidecar.native_url
    assert send(native, "PUT", f"/{index_name}", {"settings": {"index.knn": True}})[0] == 200
    assert send(native, "PUT", f"/{index_name}/_doc/before", {"body": "a"})[0] == 201
    assert send(native, "PUT", f"/{index_name}/_mapping", declaring())[0] == 200
    assert send(native, "PUT", f"/{index_name}/_doc/declared", {"body": "a"})[0] == 201
    null = {"_meta": {"sidecar": {"fields": {"body_vector": None}}}}
    assert send(native, "PUT", f"/{index_name}/_mapping", null)[0] == 200
    assert send(native, "PUT", f"/{index_name}/_doc/withdrawn", {"body": "a"})[0] == 201
    embedded = {name: "body_vector" in source(node, f"/{index_name}/_doc/{name}") for name in ("before", "declared")}
    assert embedded == {"before": False, "declared": True}
    assert "body_vector" not in source(node, f"/{index_name}/_doc/withdrawn")


def test_an_alias_that_moves_is_followed(sidecar: Sidecar, node: str, index_name: str) -> None:
    native, names = sidecar.native_url, [f"{index_name}-{letter}" for letter in "ab"]
    try:
        for name, mappings in zip(names, (declaring(), {}), strict=True):
            body = {"mappings": mappings, "settings": {"number_of_shards": 1}}
            assert send(native, "PUT", f"/{name}", body)[0] == 200
        for name, other in (names, reversed(names)):
            actions = [{"remove": {"index": other, "alias": index_name, "must_exist": False}}]
            actions += [{"add": {"index": name, "alias": index_name}}]
            assert send(native, "POST", "/_aliases", {"actions": actions})[0] == 200
            assert send(native, "PUT", f"/{index_name}/_doc/1", {"body": "a"})[0] == 201
        assert "body_vector" in source(node, f"/{names[0]}/_doc/1")
        assert "body_vector" not in source(node, f"/{names[1]}/_doc/1")
    finally:
        request(node, "DELETE", f"/{','.join(names)}")


def test_a_template_holds_for_indexes_that_writes_make(
    sidecar: Sidecar, node: str, index_name: str, template: str
) -> None:
    native = sidecar.native_url
    body = {"index_patterns": [f"{index_name}*"], "template": {"mappings": declaring()}, "priority": 900}
    assert send(native, "PUT", f"/_index_template/{template}", body)[0] == 200
    try:
        names = (f"<{index_name}-{{now/y{{yyyy}}}}>", f"{index_name}-x")
        outcomes = bulk(native, *(("index", name, {"body": "a"}) for name in names))
        assert [one["status"] for one in outcomes] == [201, 201]
        for outcome in outcomes:
            assert "body_vector" in source(node, f"/{outcome['_index']}/_doc/1")
    finally:
        request(node, "DELETE", f"/{index_name}-x,{index_name}-{date.today():%Y}?ignore_unavailable=true")


def test_a_data_stream_that_a_write_makes_is_embedded_and_so_are_updates_of_its_documents(
    sidecar: Sidecar, node: str, index_name: str, template: str
) -> None:
    native = sidecar.native_url
    body = {
        "index_patterns": [f"{index_name}*"],
        "data_stream": {},
        "template": {"mappings": declaring()},
        "priority": 900,
    }
    assert send(native, "PUT", f"/_index_template/{template}", body)[0] == 200
    try:
        (made,) = bulk(native, ("create", index_name, {"@timestamp": 1, "body": "a"}))
        assert made["_index"] == f".ds-{index_name}-000001"
        first = source(node, f"/{made['_index']}/_doc/1")["body_vector"]
        (updated,) = bulk(native, ("update", made["_index"], {"doc": {"body": "b"}}))
        assert updated["status"] == 200
        assert source(node, f"/{made['_index']}/_doc/1")["body_vector"] != first
    finally:
        request(node, "DELETE", f"/_data_stream/{index_name}")


def test_an_index_that_is_not_to_find_vectors_is_the_clusters_to_refuse(
    sidecar: Sidecar, node: str, index_name: str
) -> None:
    body = {"settings": {"index.knn": False}, "mappings": declaring()}
    status, answer = send(sidecar.native_url, "PUT", f"/{index_name}", body)
    assert (status, answer["error"]["type"]) == (400, "mapper_parsing_exception")
    assert "index.knn setting is false" in answer["error"]["reason"]
    assert request(node, "HEAD", f"/{index_name}")[0] == 404
