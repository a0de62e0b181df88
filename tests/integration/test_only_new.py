"""Documents that are added only where they are new."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sidecar.errors import InvalidArgument
from sidecar.indexing.requests import AddDocuments, CustomVector
from sidecar.opensearch.bulk_actions import BulkAction
from sidecar.opensearch.document_ids import find_ids
from tests.rooms import Rooms

KEPT = {"result": "kept", "status": 200}


def only_new(*documents: dict[str, Any]) -> AddDocuments:
    return AddDocuments(list(documents), ("text",), None, is_only_new=True)


def outcomes(items: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(item["_id"], item["result"]) for item in items]


def test_documents_that_are_there_stay_as_they_are_and_no_model_runs_for_them(rooms: Rooms, index_name: str) -> None:
    rooms.create(index_name)
    rooms.add(index_name, [{"_id": "1", "text": "old"}, {"_id": "3", "text": "old too"}])
    before, reads = rooms.embedded_texts, rooms.calls["read_documents"]
    documents = [{"_id": str(number), "text": f"new {number}"} for number in range(1, 5)]
    items = rooms.send(index_name, only_new(*documents))
    assert outcomes(items) == [("1", "kept"), ("2", "created"), ("3", "kept"), ("4", "created")]
    assert items[0] == {"_id": "1", **KEPT}
    assert rooms.embedded_texts == before + 2
    assert rooms.calls["read_documents"] == reads
    assert [rooms.stored(index_name, document_id)["text"] for document_id in "1234"] == [
        "old",
        "new 2",
        "old too",
        "new 4",
    ]
    assert rooms.find(index_name, "new 4", limit=1) == ["4"]


def test_a_document_that_is_there_but_not_refreshed_yet_is_seen(rooms: Rooms, index_name: str) -> None:
    rooms.create(index_name)
    request = only_new({"_id": "1", "text": "first"})
    assert outcomes(rooms.writer.add(index_name, request)) == [("1", "created")]
    assert outcomes(rooms.writer.add(index_name, only_new({"_id": "1", "text": "second"}))) == [("1", "kept")]
    assert rooms.stored(index_name, "1")["text"] == "first"


def test_of_two_documents_with_one_id_the_first_is_kept(rooms: Rooms, index_name: str) -> None:
    rooms.create(index_name)
    items = rooms.send(index_name, only_new({"_id": "1", "text": "first"}, {"_id": "1", "text": "second"}))
    assert outcomes(items) == [("1", "created"), ("1", "kept")]
    assert items[1] == {"_id": "1", **KEPT}
    assert rooms.stored(index_name, "1")["text"] == "first"


def test_a_document_that_another_writes_meanwhile_is_kept(
    rooms: Rooms, index_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rooms.create(index_name)

    def find_none(*arguments: object, **options: object) -> set[str]:
        """What the index had before the other came."""
        return set()

    rooms.add(index_name, [{"_id": "1", "text": "the other's"}])
    monkeypatch.setattr("sidecar.indexing.addition.find_ids", find_none)
    assert rooms.send(index_name, only_new({"_id": "1", "text": "ours"})) == [{"_id": "1", **KEPT}]
    assert rooms.stored(index_name, "1")["text"] == "the other's"


def test_documents_without_an_id_are_new(rooms: Rooms, index_name: str) -> None:
    rooms.create(index_name)
    items = rooms.send(index_name, only_new({"text": "a"}, {"text": "a"}))
    assert [item["result"] for item in items] == ["created", "created"]


def test_a_bad_document_fails_alone_and_documents_without_embeddings_are_kept_too(
    rooms: Rooms, index_name: str
) -> None:
    rooms.create(index_name)
    rooms.add(index_name, [{"_id": "1", "year": 1}], fields=())
    documents: list[object] = [{"_id": "2", "text": {}}, {"_id": "1", "year": 2}, {"_id": "3", "year": 3}]
    items = rooms.send(index_name, AddDocuments(documents, (), None, is_only_new=True))
    assert [item.get("result", item["status"]) for item in items] == [400, "kept", "created"]
    assert rooms.stored(index_name, "1")["year"] == 1


def test_documents_with_vectors_of_their_own_are_kept(rooms: Rooms, index_name: str) -> None:
    rooms.create(index_name)
    dimensions = rooms.states.get(index_name).dimensions
    request = AddDocuments(
        [{"_id": "1", "v": {"content": "a", "vector": [1.0] * dimensions}}],
        ("v",),
        None,
        mappings={"v": CustomVector()},
    )
    rooms.send(index_name, replace(request, is_only_new=True))
    other = [{"_id": "1", "v": {"content": "b", "vector": [2.0] * dimensions}}]
    assert rooms.send(index_name, replace(request, documents=other, is_only_new=True)) == [{"_id": "1", **KEPT}]
    assert rooms.stored(index_name, "1")["v"] == "a"


def test_a_partial_update_can_t_be_for_new_documents_only(rooms: Rooms, index_name: str) -> None:
    rooms.create(index_name)
    request = replace(only_new({"_id": "1", "text": "a"}), is_partial=True)
    with pytest.raises(InvalidArgument, match="new ones only"):
        rooms.writer.add(index_name, request)


def test_ids_are_found_where_they_are_and_once_for_many(rooms: Rooms, index_name: str) -> None:
    rooms.create(index_name)
    rooms.cluster.bulk(index_name, BulkAction("a/ü", b"{}").as_lines() + BulkAction("b", b"{}").as_lines())
    calls = rooms.calls["find_ids"]
    assert find_ids(rooms.cluster, index_name, ["b", "none", "a/ü", "b"]) == {"a/ü", "b"}
    assert find_ids(rooms.cluster, index_name, []) == set()
    assert rooms.calls["find_ids"] == calls + 1


def test_ids_are_found_on_the_shard_that_the_routing_names(rooms: Rooms, index_name: str) -> None:
    rooms.cluster.create_index(index_name, {"settings": {"index": {"number_of_shards": 5}}})
    for number in range(20):
        rooms.cluster.bulk(index_name, BulkAction(str(number), b"{}").as_lines(), routing="place")
    ids = [str(number) for number in range(20)]
    assert find_ids(rooms.cluster, index_name, ids, routing="place") == set(ids)
    assert len(find_ids(rooms.cluster, index_name, ids)) < 20
