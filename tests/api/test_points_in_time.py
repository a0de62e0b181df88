"""Points in time: deep pages of an index that changes, and what they are refused for."""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import requests

from sidecar.embedding.loaders.random import RandomLoader
from tests.fix_opensearch import request
from tests.fix_server import SMALL, Sidecar

COUNT = 2500
TEXTS = [f"Kind {number} thing." for number in range(7)]
"""So few that documents of one score are many."""
DOCUMENTS = [{"_id": f"d{number}", "title": TEXTS[number % 7], "number": number % 50} for number in range(COUNT)]


@pytest.fixture(scope="module")
def many(sidecar: Sidecar) -> Iterator[str]:
    """An index of three shards with the documents above."""
    name = f"test-{uuid.uuid4().hex[:12]}"
    assert sidecar.post(f"/indexes/{name}", SMALL | {"number_of_shards": 3}).status_code == 200
    assert sidecar.add(name, DOCUMENTS)["errors"] is False
    yield name
    sidecar.delete(f"/indexes/{name}")


@pytest.fixture
def filled(sidecar: Sidecar, index: str) -> str:
    """An index of one document."""
    sidecar.add(index, [{"_id": "1", "title": "A red car."}])
    return index


def open_point_in_time(sidecar: Sidecar, index: str, query: str = "") -> str:
    answered = sidecar.post(f"/indexes/{index}/point-in-time{query}")
    assert answered.status_code == 200, answered.text
    found: str = answered.json()["pointInTime"]
    return found


def close(sidecar: Sidecar, index: str, point_in_time: str) -> Any:
    return sidecar.request("DELETE", f"/indexes/{index}/point-in-time", {"pointInTime": point_in_time})


def page(sidecar: Sidecar, index: str, **body: Any) -> dict[str, Any]:
    answered = sidecar.post(f"/indexes/{index}/search", body)
    assert answered.status_code == 200, answered.text
    found: dict[str, Any] = answered.json()
    return found


def refusal(sidecar: Sidecar, index: str, **body: Any) -> tuple[int, str, str]:
    answered = sidecar.post(f"/indexes/{index}/search", {"q": "x", **body})
    return answered.status_code, answered.json()["code"], answered.json()["message"]


def all_pages(sidecar: Sidecar, index: str, **body: Any) -> list[dict[str, Any]]:
    """The hits of all pages, each asked for behind the one before."""
    hits: list[dict[str, Any]] = []
    answer = page(sidecar, index, **body)
    while answer["hits"]:
        hits += answer["hits"]
        answer = page(sidecar, index, **body, searchAfter=answer["searchAfter"])
    assert answer["searchAfter"] is None
    return hits


# Opening and closing


def test_a_point_in_time_is_opened_and_closed(sidecar: Sidecar, filled: str) -> None:
    answered = sidecar.post(f"/indexes/{filled}/point-in-time?keepAlive=5m").json()
    assert set(answered) == {"pointInTime", "keepAlive"}
    assert answered["keepAlive"] == "5m"
    moment = answered["pointInTime"]
    assert [hit["_id"] for hit in page(sidecar, filled, q="x", pointInTime=moment)["hits"]] == ["1"]
    closed = close(sidecar, filled, moment)
    assert (closed.status_code, closed.json()) == (200, {"succeeded": True})
    status, code, message = refusal(sidecar, filled, pointInTime=moment)
    assert (status, code) == (400, "invalid_argument")
    assert f"pointInTime '{moment[:24]}…' is closed" in message
    assert close(sidecar, filled, moment).status_code == 200, "closing it again does no harm"


def test_a_point_in_time_that_has_expired_is_told(sidecar: Sidecar, node: str, filled: str) -> None:
    moment = open_point_in_time(sidecar, filled, "?keepAlive=1ms")
    # The cluster forgets what is too old when its reaper comes by; what it has closed itself is the same to a search.
    assert request(node, "DELETE", "/_search/point_in_time/_all")[0] == 200
    for others in ({}, {"filter": "number:1"}, {"exact": True, "searchAfter": [0.5, 1]}, {"searchMethod": "LEXICAL"}):
        status, code, message = refusal(sidecar, filled, pointInTime=moment, **others)
        assert (status, code) == (400, "invalid_argument")
        assert f"pointInTime '{moment[:24]}…' is closed, or was not used for longer than its keepAlive" in message
    queries = [{"index": filled, "q": "x"}, {"index": filled, "q": "x", "pointInTime": moment}]
    answered = sidecar.post("/indexes/bulk/search", {"queries": queries})
    assert (answered.status_code, answered.json()["code"]) == (400, "invalid_argument")
    assert "is closed" in answered.json()["message"]


@pytest.mark.parametrize("keep_alive", ["1ms", "30s", "90m", "24h", "1d", "86400s", "1000000nanos", "1000micros"])
def test_times_are_those_of_the_cluster(sidecar: Sidecar, filled: str, keep_alive: str) -> None:
    answered = sidecar.post(f"/indexes/{filled}/point-in-time?keepAlive={keep_alive}")
    assert answered.status_code == 200, answered.text
    assert answered.json()["keepAlive"] == keep_alive
    close(sidecar, filled, answered.json()["pointInTime"])


@pytest.mark.parametrize(
    "keep_alive", ["", "0s", "5", "m", "1.5m", "-1m", "1w", "1M", "25h", "2d", "86401s", "999nanos", "1m%26a", "1%20m"]
)
def test_other_times_are_refused(sidecar: Sidecar, filled: str, keep_alive: str) -> None:
    answered = sidecar.post(f"/indexes/{filled}/point-in-time?keepAlive={keep_alive}")
    assert (answered.status_code, answered.json()["code"]) == (400, "invalid_argument")
    assert "keepAlive" in answered.json()["message"]


def test_a_time_that_the_cluster_s_operator_forbids_is_refused(sidecar: Sidecar, node: str, filled: str) -> None:
    def limit(value: str | None) -> None:
        body = {"persistent": {"point_in_time.max_keep_alive": value}}
        assert request(node, "PUT", "/_cluster/settings", json.dumps(body))[0] == 200

    limit("10m")
    try:
        answered = sidecar.post(f"/indexes/{filled}/point-in-time?keepAlive=11m")
        assert (answered.status_code, answered.json()["code"]) == (400, "invalid_argument")
        assert "keepAlive '11m'" in answered.json()["message"]
    finally:
        limit(None)


@pytest.mark.parametrize(
    ("body", "error"), [({}, "value_error.missing"), ({"pointInTime": "x", "id": 1}, "value_error.extra")]
)
def test_bodies_of_another_shape_are_422(sidecar: Sidecar, filled: str, body: Any, error: str) -> None:
    answered = sidecar.request("DELETE", f"/indexes/{filled}/point-in-time", body)
    assert answered.status_code == 422
    assert [problem["type"] for problem in answered.json()["detail"]] == [error]
    assert sidecar.delete(f"/indexes/{filled}/point-in-time").status_code == 422


def test_unknown_indexes_are_told(sidecar: Sidecar) -> None:
    for answered in (sidecar.post("/indexes/zzz/point-in-time"), close(sidecar, "zzz", "x")):
        assert (answered.status_code, answered.json()["code"]) == (404, "index_not_found")


# Of which index


@pytest.mark.parametrize("has_documents", [True, False])
@pytest.mark.parametrize("method", ["TENSOR", "LEXICAL"])
def test_a_point_in_time_of_another_index_is_refused(
    sidecar: Sidecar, filled: str, has_documents: bool, method: str
) -> None:
    other = f"{filled}-other"
    assert sidecar.post(f"/indexes/{other}", SMALL).status_code == 200
    try:
        if has_documents:
            sidecar.add(other, [{"_id": "secret", "title": "A red car."}])
        moment = open_point_in_time(sidecar, other)
        status, code, message = refusal(sidecar, filled, pointInTime=moment, searchMethod=method, q="red")
        assert (status, code) == (400, "invalid_argument")
        assert f"is not one of index '{filled}'" in message
        own = open_point_in_time(sidecar, filled)
        # The beginning that ties it to an index can't be changed for another's.
        forged = f"{own.partition('.')[0]}.{moment.partition('.')[2]}"
        for wrong in (forged, moment.partition(".")[2], "", "x", ".", own[:-1]):
            assert refusal(sidecar, filled, pointInTime=wrong)[:2] == (400, "invalid_argument"), wrong
            answered = close(sidecar, filled, wrong)
            assert (answered.status_code, answered.json()["code"]) == (400, "invalid_argument"), wrong
        queries = [{"index": name, "q": "red", "pointInTime": moment} for name in (other, filled)]
        assert sidecar.post("/indexes/bulk/search", {"queries": queries}).status_code == 400
        assert page(sidecar, other, q="red", pointInTime=moment, searchMethod=method)["hits"] or not has_documents
    finally:
        sidecar.delete(f"/indexes/{other}")


def test_a_point_in_time_goes_with_its_index(sidecar: Sidecar, filled: str) -> None:
    moment = open_point_in_time(sidecar, filled)
    assert sidecar.delete(f"/indexes/{filled}").status_code == 200
    assert refusal(sidecar, filled, pointInTime=moment)[:2] == (404, "index_not_found")
    assert sidecar.post(f"/indexes/{filled}", SMALL).status_code == 200
    status, code, message = refusal(sidecar, filled, pointInTime=moment)
    assert (status, code) == (400, "invalid_argument")
    assert "as it is now" in message


def test_an_alias_and_its_index_have_their_points_in_time_in_common(sidecar: Sidecar, filled: str) -> None:
    alias = f"{filled}-alias"
    assert sidecar.request("PUT", f"/indexes/{filled}/aliases/{alias}").status_code == 200
    moment = open_point_in_time(sidecar, alias)
    for name in (filled, alias):
        assert [hit["_id"] for hit in page(sidecar, name, q="x", pointInTime=moment)["hits"]] == ["1"]
    assert close(sidecar, filled, moment).json() == {"succeeded": True}


def test_an_index_without_vectors_has_an_end_too(sidecar: Sidecar, index: str) -> None:
    moment = open_point_in_time(sidecar, index)
    answer = page(sidecar, index, q="x", pointInTime=moment, exact=True, facets=[])
    assert (answer["hits"], answer["searchAfter"]) == ([], None)


# Pages


@pytest.mark.parametrize(
    "body",
    [
        {"q": "kind thing", "searchMethod": "LEXICAL"},
        {"q": "Kind 3 thing.", "exact": True},
        {"q": "kind", "searchMethod": "LEXICAL", "sort": [{"number": "desc"}]},
        {"q": "x", "exact": True, "filter": "number:[0 TO 9]"},
    ],
    ids=["words", "meaning", "sorted", "filtered"],
)
def test_all_pages_have_every_document_once_while_others_are_written(
    sidecar: Sidecar, many: str, body: dict[str, Any]
) -> None:
    wanted = [document for document in DOCUMENTS if "filter" not in body or int(str(document["number"])) < 10]
    moment = open_point_in_time(sidecar, many, "?keepAlive=2m")
    is_over = threading.Event()
    added: list[Any] = []

    def write() -> None:
        while not is_over.is_set():
            new = [{"_id": f"new{len(added) + n}", "title": TEXTS[n % 7], "number": n % 50} for n in range(50)]
            added.extend(document["_id"] for document in new)
            # Documents that the pages have are written anew, too.
            batch = {"documents": [*new, *DOCUMENTS[::500]], "tensorFields": ["title"]}
            # On a connection of its own.
            answered = requests.post(f"{sidecar.url}/indexes/{many}/documents?refresh=true", json=batch, timeout=60)
            assert answered.json()["errors"] is False

    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(write)
        try:
            hits = all_pages(sidecar, many, **body, pointInTime=moment, limit=137)
        finally:
            is_over.set()
        writing.result()
    try:
        assert added
        ids = [hit["_id"] for hit in hits]
        assert len(ids) == len(set(ids))
        assert set(ids) == {document["_id"] for document in wanted}
        if "sort" in body:
            numbers = [hit["number"] for hit in hits]
            assert numbers == sorted(numbers, reverse=True)
        else:
            scores = [hit["_score"] for hit in hits]
            assert scores == sorted(scores, reverse=True)
        if body.get("exact"):
            cosines = RandomLoader(32).encode_text(TEXTS) @ RandomLoader(32).encode_text([body["q"]])[0]
            own = [(1 + cosines[TEXTS.index(hit["title"])]) / 2 for hit in hits]
            np.testing.assert_allclose([hit["_score"] for hit in hits], own, atol=1e-5)  # float32
        assert close(sidecar, many, moment).json() == {"succeeded": True}
    finally:
        sidecar.post(f"/indexes/{many}/documents/delete-batch?refresh=true", added)


def test_pages_are_of_the_moment_and_not_of_now(sidecar: Sidecar, index: str) -> None:
    sidecar.add(index, [{"_id": "1", "title": "Old."}])
    moment = open_point_in_time(sidecar, index)
    sidecar.add(index, [{"_id": "1", "title": "New."}, {"_id": "2", "title": "More."}])
    assert [hit["title"] for hit in page(sidecar, index, q="x", pointInTime=moment)["hits"]] == ["Old."]
    assert len(page(sidecar, index, q="x")["hits"]) == 2


def test_a_point_in_time_of_a_route_has_its_shards_only(sidecar: Sidecar, many: str) -> None:
    body = {"q": "kind", "searchMethod": "LEXICAL", "limit": 1000}
    found = [
        {hit["_id"] for hit in all_pages(sidecar, many, **body, pointInTime=open_point_in_time(sidecar, many, query))}
        for query in ("?routing=a", "")
    ]
    assert found[0] == {hit["_id"] for hit in page(sidecar, many, **body, routing="a")["hits"]}
    assert 0 < len(found[0]) < len(found[1]) == COUNT


def test_pages_of_neighbours_must_be_exact(sidecar: Sidecar, filled: str) -> None:
    moment = open_point_in_time(sidecar, filled)
    hybrid = {"searchMethod": "HYBRID", "hybridParameters": {"retrievalMethod": "tensor"}}
    words = {"searchMethod": "HYBRID", "hybridParameters": {"retrievalMethod": "lexical"}}
    for others in ({}, hybrid):
        answer = page(sidecar, filled, q="red", pointInTime=moment, **others)
        after = {"pointInTime": moment, "searchAfter": answer["searchAfter"]}
        status, code, message = refusal(sidecar, filled, **after, **others)
        assert (status, code) == (400, "invalid_argument")
        assert "'searchAfter' needs 'exact'" in message
        assert page(sidecar, filled, q="red", exact=True, **after, **others)["hits"] == []
    after["searchAfter"] = page(sidecar, filled, q="red", pointInTime=moment, **words)["searchAfter"]
    assert page(sidecar, filled, q="red", **after, **words)["hits"] == []
