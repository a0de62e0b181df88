"""Changing some fields of documents."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from sidecar.embedding.loaders.random import RandomLoader
from tests.fix_opensearch import request
from tests.fix_server import SMALL, MakeClient, Sidecar

RIGHT = RandomLoader(32)


def patch(sidecar: Sidecar, index: str, documents: list[Any], query: str = "", **others: Any) -> dict[str, Any]:
    """Update documents; returns the answer."""
    body = {"documents": documents, **others}
    answered = sidecar.request("PATCH", f"/indexes/{index}/documents{query}", body)
    assert answered.status_code == 200, answered.text
    told: dict[str, Any] = answered.json()
    return told


def stored(sidecar: Sidecar, index: str, document_id: str = "1") -> dict[str, Any]:
    answered = sidecar.get(f"/indexes/{index}/documents/{document_id}?expose_facets=true")
    assert answered.status_code == 200, answered.text
    document: dict[str, Any] = answered.json()
    return document


def facets(document: dict[str, Any]) -> dict[str, Any]:
    """Field -> (contents, vectors), of a document that was read with its facets."""
    found: dict[str, Any] = {}
    for facet in document["_tensor_facets"]:
        ((field, content),) = [(name, value) for name, value in facet.items() if name != "_embedding"]
        contents, vectors = found.setdefault(field, ([], []))
        contents.append(content)
        vectors.append(facet["_embedding"])
    return found


def check_embedded(document: dict[str, Any], **texts: str) -> None:
    """Exactly these fields are embedded, each from this text of one chunk."""
    found = facets(document)
    assert found.keys() == texts.keys()
    for field, text in texts.items():
        assert found[field][0] == [text]
        np.testing.assert_allclose(found[field][1], RIGHT.encode_text([text]), atol=1e-6)


def texts_embedded(sidecar: Sidecar) -> float:
    """Texts of documents that models ran on so far."""
    lines = sidecar.get("/metrics").text.splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith("sidecar_batch_texts_sum"))


@pytest.fixture
def article(sidecar: Sidecar, index: str) -> str:
    """An index with one document, of two embedded fields and two others."""
    document = {"_id": "1", "title": "A title.", "body": "A body.", "n": 1, "tags": ["a"]}
    sidecar.add(index, [document], tensor_fields=("title", "body"))
    return index


def test_only_what_was_sent_changes_and_is_embedded(sidecar: Sidecar, article: str) -> None:
    before, runs = stored(sidecar, article), texts_embedded(sidecar)
    answered = patch(sidecar, article, [{"_id": "1", "body": "Another body.", "n": 2}], "?refresh=true")
    assert answered.pop("processingTimeMs") > 0
    items = [{"_id": "1", "result": "updated", "status": 200, "forced_refresh": True}]
    assert answered == {"errors": False, "index_name": article, "items": items}
    after = stored(sidecar, article)
    assert {**after, "_tensor_facets": None} == {
        "_id": "1",
        "title": "A title.",
        "body": "Another body.",
        "n": 2,
        "tags": ["a"],
        "_tensor_facets": None,
    }
    check_embedded(after, title="A title.", body="Another body.")
    assert facets(after)["title"] == facets(before)["title"], "the same bits"
    assert texts_embedded(sidecar) == runs + 1
    hits = sidecar.post(f"/indexes/{article}/search", {"q": "Another body.", "filter": "n:2"}).json()["hits"]
    assert [(hit["_id"], hit["_score"]) for hit in hits] == [("1", pytest.approx(1, abs=1e-6))]
    assert hits[0]["_highlights"] == {"body": "Another body."}


def test_equal_text_runs_no_model_and_equal_documents_are_not_written(sidecar: Sidecar, article: str) -> None:
    before, runs = stored(sidecar, article), texts_embedded(sidecar)
    same = {"_id": "1", "title": "A title.", "n": 1, "tags": ["a"], "gone": None}
    assert patch(sidecar, article, [same])["items"] == [{"_id": "1", "result": "noop", "status": 200}]
    assert patch(sidecar, article, [{"_id": "1"}])["items"] == [{"_id": "1", "result": "noop", "status": 200}]
    answered = patch(sidecar, article, [{"_id": "1", "title": "A title.", "n": 3}])
    assert answered["items"][0]["result"] == "updated"
    assert texts_embedded(sidecar) == runs
    assert facets(stored(sidecar, article)) == facets(before)


def test_null_removes_a_field_with_its_embeddings(sidecar: Sidecar, article: str) -> None:
    patch(sidecar, article, [{"_id": "1", "title": None, "n": None}], "?refresh=true")
    after = stored(sidecar, article)
    check_embedded(after, body="A body.")
    assert {name for name in after if not name.startswith("_")} == {"body", "tags"}
    assert sidecar.get(f"/indexes/{article}/stats").json() == {"numberOfDocuments": 1, "numberOfVectors": 1}
    patch(sidecar, article, [{"_id": "1", "body": None}], "?refresh=true")
    assert stored(sidecar, article) == {"_id": "1", "tags": ["a"], "_tensor_facets": []}


def test_field_that_is_not_embedded_any_more_loses_its_embeddings(sidecar: Sidecar, article: str) -> None:
    patch(sidecar, article, [{"_id": "1", "title": 5}])
    check_embedded(stored(sidecar, article), body="A body.")
    patch(sidecar, article, [{"_id": "1", "body": "Plain."}], tensorFields=[])
    after = stored(sidecar, article)
    assert (after["body"], after["_tensor_facets"]) == ("Plain.", [])


def test_new_fields_are_embedded_where_the_request_says_so(sidecar: Sidecar, article: str) -> None:
    patch(sidecar, article, [{"_id": "1", "plain": "Not embedded."}])
    check_embedded(stored(sidecar, article), title="A title.", body="A body.")
    patch(sidecar, article, [{"_id": "1", "my notes": "Some notes."}], tensorFields=["my notes"])
    patch(sidecar, article, [{"_id": "1", "more": "More.", "code": "x"}], nonTensorFields=["code"])
    found = {"title": "A title.", "body": "A body.", "my notes": "Some notes.", "more": "More."}
    check_embedded(stored(sidecar, article), **found)
    patch(sidecar, article, [{"_id": "1", "my notes": "Other notes."}])
    check_embedded(stored(sidecar, article), **{**found, "my notes": "Other notes."})


def test_objects_are_replaced_whole(sidecar: Sidecar, index: str) -> None:
    mappings = {
        "combo": {"type": "multimodal_combination", "weights": {"a": 1, "b": 1}},
        "own": {"type": "custom_vector"},
    }
    document = {"_id": "1", "combo": {"a": "red", "b": "blue"}, "own": {"content": "x", "vector": [1, *[0] * 31]}}
    body = {"documents": [document], "tensorFields": ["combo", "own"], "mappings": mappings}
    assert sidecar.post(f"/indexes/{index}/documents", body).json()["errors"] is False
    patch(
        sidecar, index, [{"_id": "1", "combo": {"a": "red"}, "own": {"vector": [0, 2, *[0] * 30]}}], mappings=mappings
    )
    after = stored(sidecar, index)
    assert (after["combo"], after["own"]) == ({"a": "red"}, "")
    found = facets(after)
    assert found["combo"][0] == ['{"a": "red"}']
    np.testing.assert_allclose(found["combo"][1], RIGHT.encode_text(["red"]), atol=1e-6)
    assert found["own"] == ([""], [[0, 2, *[0] * 30]])


def test_bad_documents_and_missing_ones_fail_alone(sidecar: Sidecar, article: str) -> None:
    documents = [
        {"_id": "nope", "n": 2},
        {"n": 2},
        {"_id": None, "n": 2},
        {"_id": "1", "tags": [1]},
        {"_id": "1", "a.b": None},
        {"_id": "1", "n": "no number"},
        {"_id": "1", "huge": "x" * 100_001},
        {"_id": "1", "n": 7},
    ]
    answered = patch(sidecar, article, documents)
    assert answered["errors"] is True
    assert [(item["_id"], item["status"], item.get("code")) for item in answered["items"]] == [
        ("nope", 404, "document_not_found"),
        ("", 400, "invalid_document_id"),
        ("", 400, "invalid_document_id"),
        ("1", 400, "invalid_argument"),
        ("1", 400, "invalid_field_name"),
        ("1", 400, None),
        ("", 400, "doc_too_large"),
        ("1", 200, None),
    ]
    assert "needs the _id" in answered["items"][1]["error"]
    assert sidecar.get(f"/indexes/{article}/documents/nope").status_code == 404
    assert sidecar.get(f"/indexes/{article}/documents/1").json()["n"] == 7


def test_one_document_twice_gets_both_changes(sidecar: Sidecar, article: str) -> None:
    patch(sidecar, article, [{"_id": "1", "title": "First."}, {"_id": "1", "n": 9}, {"_id": "1", "title": "Last."}])
    after = stored(sidecar, article)
    assert after["n"] == 9
    check_embedded(after, title="Last.", body="A body.")


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        ({"documents": []}, 400, "Received empty"),
        ({"documents": [{}] * 10_001}, 400, "SIDECAR_MAX_ADD_DOCUMENTS"),
        ({"documents": [{"_id": "1"}], "tensorFields": [], "nonTensorFields": []}, 400, "At most one"),
        ({"documents": [{"_id": "1"}], "foo": 1}, 422, "foo"),
        ([{"_id": "1"}], 422, "dict"),
    ],
)
def test_wrong_requests_are_refused(sidecar: Sidecar, index: str, body: Any, status: int, message: str) -> None:
    answered = sidecar.request("PATCH", f"/indexes/{index}/documents", body)
    assert answered.status_code == status
    assert message in answered.text


def test_index_without_stored_vectors_is_refused_with_the_way_out(sidecar: Sidecar, node: str, index_name: str) -> None:
    assert sidecar.post(f"/indexes/{index_name}", SMALL).status_code == 200
    body = json.loads(request(node, "GET", f"/{index_name}/_mapping")[1])[index_name]
    assert request(node, "DELETE", f"/{index_name}")[0] == 200
    body["settings"] = {"index.knn": True, "index.knn.derived_source.enabled": True}
    assert request(node, "PUT", f"/{index_name}", json.dumps(body))[0] == 200
    assert sidecar.add(index_name, [{"_id": "1", "title": "x"}])["errors"] is False
    answered = sidecar.request("PATCH", f"/indexes/{index_name}/documents", {"documents": [{"_id": "1", "n": 1}]})
    assert (answered.status_code, answered.json()["code"]) == (400, "invalid_argument")
    assert "Send whole documents" in answered.json()["message"]


def test_updates_of_different_fields_at_once_lose_nothing(make_client: MakeClient, node: str, index: str) -> None:
    client = make_client(opensearch_url=node)
    path = f"/indexes/{index}/documents"
    client.post(path, json={"documents": [{"_id": "1", "n": 0}], "tensorFields": []})
    fields = [f"field {number}" for number in range(6)]
    rounds = 10

    def change(field: str) -> Callable[[], None]:
        def run() -> None:
            own = client.application.test_client()
            for number in range(rounds):
                body = {"documents": [{"_id": "1", field: f"{field} {number}."}], "tensorFields": fields}
                answered = own.patch(path, json=body).get_json()
                assert answered["errors"] is False, answered

        return run

    run_at_once([change(field) for field in fields])
    document = client.get(f"{path}/1?expose_facets=true").get_json()
    check_embedded(document, **{field: f"{field} {rounds - 1}." for field in fields})


def test_updates_while_the_document_is_replaced_keep_vectors_with_their_texts(
    make_client: MakeClient, node: str, index: str
) -> None:
    client = make_client(opensearch_url=node)
    path = f"/indexes/{index}/documents"
    texts = ["Red.", "Green.", "Blue."]
    client.post(path, json={"documents": [{"_id": "1", "title": texts[0]}], "tensorFields": ["title"]})
    is_over = threading.Event()
    read: list[dict[str, Any]] = []

    def write(method: str, offset: int) -> Callable[[], None]:
        def run() -> None:
            own = client.application.test_client()
            for number in range(40):
                document = {"_id": "1", "title": texts[(number + offset) % 3], f"n{offset}": number}
                body = {"documents": [document], "tensorFields": ["title"]}
                answered = own.open(path, method=method, json=body).get_json()
                assert answered["errors"] is False, answered
            is_over.set()

        return run

    def look() -> None:
        own = client.application.test_client()
        while not is_over.is_set():
            read.append(own.get(f"{path}/1?expose_facets=true").get_json())

    run_at_once([write("POST", 0), write("PATCH", 1), write("PATCH", 2), look])
    for document in [*read, client.get(f"{path}/1?expose_facets=true").get_json()]:
        check_embedded(document, title=document["title"])
    assert len({document["title"] for document in read}) > 1


def run_at_once(calls: list[Callable[[], None]]) -> None:
    """Run all, each on a thread of its own; raises what the first that failed raised."""
    failures: list[BaseException] = []

    def guarded(call: Callable[[], None]) -> None:
        try:
            call()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=guarded, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    if failures:
        raise failures[0]
