"""Deleting the documents that a filter finds."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from sidecar.opensearch import deletion
from sidecar.opensearch.client import Cluster
from tests.fix_server import MakeClient, Sidecar


def delete(sidecar: Sidecar, index: str, body: Any, query: str = "") -> tuple[int, dict[str, Any]]:
    answered = sidecar.post(f"/indexes/{index}/documents/delete-by-query{query}", body)
    return answered.status_code, answered.json()


def found(sidecar: Sidecar, index: str) -> set[str]:
    """The ids of all documents that searches see."""
    hits = sidecar.post(f"/indexes/{index}/search", {"q": "x", "limit": 100, "searchMethod": "LEXICAL"}).json()["hits"]
    return {hit["_id"] for hit in hits}


@pytest.fixture
def colours(sidecar: Sidecar, index: str) -> str:
    """An index with three documents, the last of them not refreshed."""
    sidecar.add(index, [{"_id": "1", "title": "x", "color": "red"}, {"_id": "2", "title": "x", "color": "dark red"}])
    body = {"documents": [{"_id": "3", "title": "x", "color": "red", "n": 1}], "tensorFields": ["title"]}
    sidecar.post(f"/indexes/{index}/documents", body)
    return index


@pytest.mark.parametrize(
    ("wanted", "left"),
    [
        ("color:red", {"2"}),
        ("color:(dark red)", {"1", "3"}),
        ("NOT n:1", {"3"}),
        ("nope:1", {"1", "2", "3"}),
        ("*:*", set()),
        ({"term": {"color.keyword": "red"}}, {"2"}),
        ({"bool": {"must_not": {"ids": {"values": ["1"]}}}}, {"1"}),
        ({"match_all": {}}, set()),
    ],
)
def test_what_the_filter_finds_is_deleted_refreshed_or_not(
    sidecar: Sidecar, colours: str, wanted: Any, left: set[str]
) -> None:
    status, told = delete(sidecar, colours, {"filter": wanted}, "?refresh=true")
    assert status == 200
    assert told.pop("processingTimeMs") > 0
    count = 3 - len(left)
    assert told == {"index_name": colours, "deleted": count, "total": count, "versionConflicts": 0, "failures": []}
    assert found(sidecar, colours) == left
    stats = sidecar.get(f"/indexes/{colours}/stats").json()
    assert stats == {"numberOfDocuments": len(left), "numberOfVectors": len(left)}


@pytest.mark.parametrize(
    ("body", "status", "told"),
    [
        ({}, 400, "deletes all"),
        ({"filter": None}, 400, "deletes all"),
        ({"filter": "  "}, 400, "deletes all"),
        ({"filter": {}}, 400, "deletes all"),
        ({"filter": "(("}, 400, "filter"),
        ({"filter": {"script": {}}}, 400, "can't have a query 'script'"),
        ({"filter": {"term": {"n": "no number"}}}, 400, "can't be searched with"),
        ({"filter": "color:/[/"}, 400, "column 8: "),
        ({"filter": ["color:red"]}, 422, "filter"),
        ({"filter": "*:*", "limit": 1}, 422, "limit"),
        (["1"], 422, "dict"),
    ],
)
def test_wrong_filters_delete_nothing(sidecar: Sidecar, colours: str, body: Any, status: int, told: str) -> None:
    answered = sidecar.post(f"/indexes/{colours}/documents/delete-by-query", body)
    assert answered.status_code == status
    assert told in answered.text
    assert sidecar.get(f"/indexes/{colours}/documents/1").status_code == 200


def test_unknown_index_is_404(sidecar: Sidecar, index_name: str) -> None:
    status, told = delete(sidecar, index_name, {"filter": "*:*"})
    assert (status, told["code"]) == (404, "index_not_found")


def test_deletion_that_outlasts_one_wait_is_waited_for(
    make_client: MakeClient, node: str, index: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = make_client(opensearch_url=node)
    documents = [{"_id": f"{number}", "n": number} for number in range(5000)]
    client.post(f"/indexes/{index}/documents", json={"documents": documents, "tensorFields": []})
    waits = threading.Semaphore(0)
    read_task = Cluster.read_task

    def counted(cluster: Cluster, task: str, *, wait_seconds: int) -> dict[str, Any]:
        waits.release()
        return read_task(cluster, task, wait_seconds=wait_seconds)

    monkeypatch.setattr(deletion, "WAIT_SECONDS", 0)
    monkeypatch.setattr(Cluster, "read_task", counted)
    told = client.post(f"/indexes/{index}/documents/delete-by-query", json={"filter": "n:<4990"}).json
    assert (told["deleted"], told["total"]) == (4990, 4990)
    assert [waits.acquire(blocking=False) for _ in range(2)] == [True, True]
    assert client.get(f"/indexes/{index}/documents", json=["1", "4995"]).json["results"][1]["n"] == 4995
