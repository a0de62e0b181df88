"""The contract's checklist from chunks on, point by point, over HTTP; what comes before: `test_contract.py`."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from PIL import Image

from sidecar.embedding.loaders.random import RandomLoader
from tests.embedding.media.file_server import FileServer, file
from tests.fix_server import MakeClient, Sidecar
from tests.served_app import NOBODY

DOCUMENTS: list[dict[str, Any]] = [
    {"_id": "a", "title": "A.", "color": "red", "size": 30, "tags": ["x", "y"]},
    {"_id": "b", "title": "B.", "body": "It swims.", "color": "dark red", "size": 15},
    {"_id": "c", "body": "Trees.", "color": "green", "my field": "hello world", "low": -3},
]
E1 = [1.0] + [0.0] * 31
E2 = [0.0, 1.0] + [0.0] * 30
FLOAT32 = 1e-5
"""What sums of float32 may differ by."""


@pytest.fixture
def filled(sidecar: Sidecar, index: str) -> str:
    """An index with the documents above; `title` and `body` are embedded."""
    sidecar.add(index, DOCUMENTS, tensor_fields=("title", "body"))
    return index


@pytest.fixture(scope="module")
def images(node: str) -> Iterator[Sidecar]:
    """A server that fetches images from this machine."""
    with Sidecar({"OPENSEARCH_URL": node, "SIDECAR_MEDIA_ALLOW_PRIVATE": "true"}) as running:
        yield running


def hits(sidecar: Sidecar, index: str, **body: Any) -> list[dict[str, Any]]:
    answered = sidecar.post(f"/indexes/{index}/search", body)
    assert answered.status_code == 200, answered.text
    found: list[dict[str, Any]] = answered.json()["hits"]
    return found


def ids(sidecar: Sidecar, index: str, **body: Any) -> list[str]:
    return [hit["_id"] for hit in hits(sidecar, index, **body)]


def refusal(sidecar: Sidecar, index: str, **body: Any) -> tuple[int, Any]:
    answered = sidecar.post(f"/indexes/{index}/search", body)
    return answered.status_code, answered.json().get("code")


def add_mapped(sidecar: Sidecar, index: str, document: dict[str, Any], mappings: dict[str, Any]) -> dict[str, Any]:
    """Add a document whose mapped fields are tensor fields; returns its item."""
    body = {"documents": [document], "tensorFields": list(mappings), "mappings": mappings}
    (item,) = sidecar.post(f"/indexes/{index}/documents?refresh=true", body).json()["items"]
    return dict(item)


def towards(*vectors: list[float]) -> dict[str, Any]:
    return {"tensor": [{"vector": vector, "weight": 1} for vector in vectors]}


def test_29_chunks_of_two_sentences(sidecar: Sidecar, index: str) -> None:
    sidecar.add(index, [{"_id": "1", "title": "A. B. C."}])
    assert sidecar.get(f"/indexes/{index}/stats").json()["numberOfVectors"] == 2
    for chunk in ("A. B.", "C."):
        assert hits(sidecar, index, q=chunk)[0]["_highlights"] == {"title": chunk}


def test_30_combination_is_the_weighted_mean(sidecar: Sidecar, index: str) -> None:
    combination = {"type": "multimodal_combination", "weights": {"first": 0.5, "second": 2}}
    add_mapped(sidecar, index, {"_id": "1", "f": {"first": "A.", "second": "B."}}, {"f": combination})
    first, second = (vector / np.linalg.norm(vector) for vector in RandomLoader(32).encode_text(["A.", "B."]))
    mean = 0.5 * first + 2 * second
    (hit,) = hits(sidecar, index, context=towards(mean.tolist()))
    assert hit["_score"] == pytest.approx(1.0, abs=FLOAT32)
    assert json.loads(hit["_highlights"]["f"]) == {"first": "A.", "second": "B."}


def test_31_custom_vectors(sidecar: Sidecar, index: str) -> None:
    mapping = {"f": {"type": "custom_vector"}}
    assert add_mapped(sidecar, index, {"_id": "1", "f": {"vector": E1}}, mapping)["status"] == 201
    assert sidecar.get(f"/indexes/{index}/documents/1").json()["f"] == ""
    assert add_mapped(sidecar, index, {"_id": "2", "f": {"vector": [1.0]}}, mapping)["code"] == "invalid_argument"


def test_32_existing_tensors(sidecar: Sidecar, index: str) -> None:
    sidecar.add(index, [{"_id": "1", "title": "x", "n": 1}])
    body = {"documents": [{"_id": "1", "title": "x", "n": 2}], "tensorFields": ["title"], "useExistingTensors": True}
    assert sidecar.post(f"/indexes/{index}/documents?refresh=true", body).status_code == 200
    assert ids(sidecar, index, q="x", filter="n:2") == ["1"]
    assert sidecar.get(f"/indexes/{index}/stats").json()["numberOfVectors"] == 1


def test_33_answer_to_a_search(sidecar: Sidecar, filled: str) -> None:
    answered = sidecar.post(f"/indexes/{filled}/search", {"q": "x"}).json()
    assert (answered["query"], answered["limit"], answered["offset"]) == ("x", 10, 0)
    assert isinstance(answered["processingTimeMs"], int)
    scores = [hit["_score"] for hit in answered["hits"]]
    assert len(scores) == 3
    assert scores == sorted(scores, reverse=True)


def test_34_scores(sidecar: Sidecar, index: str) -> None:
    add_mapped(sidecar, index, {"_id": "1", "f": {"vector": E1}}, {"f": {"type": "custom_vector"}})
    for vector, score in ((E1, 1.0), (E2, 0.5)):
        (hit,) = hits(sidecar, index, context=towards(vector))
        assert hit["_score"] == pytest.approx(score, abs=FLOAT32)


@pytest.mark.parametrize("window", [{"limit": 0}, {"offset": -1}, {"limit": 10_001}])
def test_35_windows(sidecar: Sidecar, filled: str, window: dict[str, int]) -> None:
    assert refusal(sidecar, filled, q="x", **window) == (400, "illegal_requested_doc_count")


def test_36_search_for_nothing(sidecar: Sidecar, filled: str) -> None:
    for body in ({}, {"searchMethod": "LEXICAL"}):
        assert refusal(sidecar, filled, **body) == (400, "invalid_argument")
    for body in ({"searchMethod": "BM25"}, {"foo": 1}):
        assert refusal(sidecar, filled, q="x", **body)[0] == 422


def test_37_what_hits_show(sidecar: Sidecar, filled: str) -> None:
    for hit in hits(sidecar, filled, q="x", attributesToRetrieve=[]):
        assert hit.keys() == {"_id", "_score", "_highlights"}
    assert not any("_highlights" in hit for hit in hits(sidecar, filled, q="x", showHighlights=False))


def test_38_searchable_attributes(sidecar: Sidecar, filled: str) -> None:
    assert sorted(ids(sidecar, filled, q="x", searchableAttributes=["body"])) == ["b", "c"]
    assert ids(sidecar, filled, q="x", searchableAttributes=[]) == []


def test_39_filter_compares_whole_values(sidecar: Sidecar, filled: str) -> None:
    assert ids(sidecar, filled, q="x", filter="color:red") == ["a"]
    assert ids(sidecar, filled, q="x", filter="color:(dark red)") == ["b"]


def test_40_forms_of_filters(sidecar: Sidecar, filled: str) -> None:
    for text, found in (
        ("size:[10 TO 20]", "b"),
        ("tags:x", "a"),
        ("_id:a", "a"),
        ("my\\ field:(hello world)", "c"),
    ):
        assert ids(sidecar, filled, q="x", filter=text) == [found]
    assert refusal(sidecar, filled, q="x", filter="((") == (400, "invalid_argument")


def test_41_weighted_query(sidecar: Sidecar, filled: str) -> None:
    own = {"own": {"type": "custom_vector"}}
    mean = np.mean([vector / np.linalg.norm(vector) for vector in RandomLoader(32).encode_text(["A.", "B."])], axis=0)
    add_mapped(sidecar, filled, {"_id": "mean", "own": {"vector": mean.tolist()}}, own)
    body = {"q": {"A.": 1, "B.": 1}}
    answered = sidecar.post(f"/indexes/{filled}/search", body).json()
    assert answered["hits"][0]["_id"] == "mean"
    assert json.dumps(answered["query"]) == '{"A.": 1.0, "B.": 1.0}'
    assert refusal(sidecar, filled, **body, searchMethod="LEXICAL") == (400, "invalid_argument")


def test_42_weights_that_cancel_out(sidecar: Sidecar, filled: str) -> None:
    opposite = {"tensor": [{"vector": E1, "weight": 1}, {"vector": E1, "weight": -1}]}
    assert hits(sidecar, filled, q=None, context=opposite) == []


def test_43_context(sidecar: Sidecar, filled: str) -> None:
    for body in (
        {"q": "x", "context": towards(E1)},
        {"q": {"x": 1}, "context": towards(*[E1] * 65)},
        {"q": {"x": 1}, "context": towards([1.0])},
    ):
        assert refusal(sidecar, filled, **body) == (400, "invalid_argument")
    answered = sidecar.post(f"/indexes/{filled}/search", {"context": towards(E1)})
    assert (answered.status_code, answered.json()["query"]) == (200, None)


def test_44_score_modifiers(sidecar: Sidecar, filled: str) -> None:
    def score(q: str, **modifiers: Any) -> float:
        return float(hits(sidecar, filled, q=q, limit=1, scoreModifiers=modifiers)[0]["_score"])

    assert score("A.", multiply_score_by=[{"field_name": "size", "weight": 2}]) == pytest.approx(60, abs=1e-3)
    assert score("A.", add_to_score=[{"field_name": "size", "weight": 0.5}]) == pytest.approx(16, abs=1e-3)
    assert score("A.", add_to_score=[{"field_name": "nope"}]) == pytest.approx(1, abs=FLOAT32)
    negative = {"add_to_score": [{"field_name": "low"}]}
    (hit,) = hits(sidecar, filled, q="Trees.", filter="_id:c", scoreModifiers=negative)
    assert hit["_score"] == 0
    assert refusal(sidecar, filled, q="x", scoreModifiers={}) == (400, "invalid_argument")


def test_45_boost(sidecar: Sidecar, filled: str) -> None:
    (hit,) = hits(sidecar, filled, q="A.", filter="_id:a", boost={"title": [0.5]})
    assert hit["_score"] == pytest.approx(0.5, abs=FLOAT32)
    for body in (
        {"boost": {"body": [1]}, "searchableAttributes": ["title"]},
        {"boost": {"body": [1]}, "searchMethod": "LEXICAL"},
        {"boost": {"body": 2}},
    ):
        assert refusal(sidecar, filled, q="x", **body) == (400, "invalid_argument")


def test_46_words_and_phrases(sidecar: Sidecar, filled: str) -> None:
    found = hits(sidecar, filled, q="red", searchMethod="LEXICAL")
    assert {hit["_id"] for hit in found} == {"a", "b"}
    assert all(hit["_highlights"] == [] for hit in found)
    assert ids(sidecar, filled, q='"dark red"', searchMethod="LEXICAL") == ["b"]


def test_47_several_searches_at_once(sidecar: Sidecar, filled: str) -> None:
    path = "/indexes/bulk/search"
    tensor = {"index": filled, "q": "A."}
    lexical = {"index": filled, "q": "swims", "searchMethod": "LEXICAL"}
    answered = sidecar.post(path, {"queries": [tensor, lexical]}).json()
    assert [result["hits"][0]["_id"] for result in answered["result"]] == ["a", "b"]
    assert isinstance(answered["processingTimeMs"], int)
    unknown = sidecar.post(path, {"queries": [tensor, {**tensor, "index": f"{filled}-x"}]})
    assert (unknown.status_code, unknown.json()["code"]) == (404, "index_not_found")
    assert sidecar.post(path, {"queries": [{"q": "x"}]}).status_code == 422


def test_48_devices(make_client: MakeClient, monkeypatch: pytest.MonkeyPatch, node: str, filled: str) -> None:
    monkeypatch.setattr("sidecar.embedding.devices.cuda_count", lambda: 0)
    client = make_client(opensearch_url=node)
    for query, status, code in (
        ("?device=cuda", 400, "hardware_compatability_error"),
        ("?device=tpu", 400, "invalid_argument"),
        ("?&device=cpu", 200, None),
    ):
        answered = client.post(f"/indexes/{filled}/search{query}", json={"q": "x"})
        assert (answered.status_code, answered.json.get("code")) == (status, code)


def test_49_telemetry(sidecar: Sidecar, filled: str) -> None:
    search = sidecar.post(f"/indexes/{filled}/search?telemetry=True", {"q": "x"}).json()
    assert f"POST /indexes/{filled}/search" in search["telemetry"]["timesMs"]
    assert sidecar.get(f"/indexes/{filled}/documents/a?telemetry=True").json()["telemetry"] == {}
    assert "telemetry" in sidecar.get(f"/indexes/{filled}-x/stats?telemetry=True").json()


def test_50_index_without_a_model(sidecar: Sidecar, index_name: str) -> None:
    defaults = {"model": "no_model", "model_properties": {"dimensions": 32}}
    assert sidecar.post(f"/indexes/{index_name}", {"index_defaults": defaults}).status_code == 200
    body = {"documents": [{"title": "x"}], "tensorFields": ["title"]}
    answered = sidecar.post(f"/indexes/{index_name}/documents", body)
    assert (answered.status_code, answered.json()["code"]) == (400, "bad_request")
    add_mapped(sidecar, index_name, {"_id": "1", "f": {"vector": E1}}, {"f": {"type": "custom_vector"}})
    assert ids(sidecar, index_name, q=None, context=towards(E1)) == ["1"]


def test_51_images(images: Sidecar, index_name: str) -> None:
    picture = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(picture, "PNG")
    images.post(
        f"/indexes/{index_name}",
        {"index_defaults": {"model": "random/small", "treat_urls_and_pointers_as_images": True}},
    )
    with FileServer() as files:
        files.answers["/picture"] = file(picture.getvalue())
        documents = [{"_id": "dead", "image": files.url("/dead.png")}, {"_id": "ok", "image": files.url("/picture")}]
        dead, stored = images.add(index_name, documents, tensor_fields=("image",))["items"]
    assert (dead["status"], dead["code"]) == (400, "invalid_argument")
    assert stored["status"] == 201
    assert images.get(f"/indexes/{index_name}/stats").json() == {"numberOfDocuments": 1, "numberOfVectors": 1}


def test_52_models_in_memory(sidecar: Sidecar, filled: str) -> None:
    listed = {"model_name": "random/small", "model_device": "cpu"}
    assert listed in sidecar.get("/models").json()["models"]
    path = "/models?model_name=random/small&model_device=cpu"
    assert "successfully eject" in sidecar.delete(path).json()["message"]
    assert listed not in sidecar.get("/models").json()["models"]
    gone = sidecar.delete(path)
    assert (gone.status_code, gone.json()["code"]) == (404, "model_not_in_cache")
    assert sidecar.delete("/models").status_code == 422


def test_53_bodies(sidecar: Sidecar, filled: str) -> None:
    def send(content: bytes, kind: str | None) -> Any:
        headers = {} if kind is None else {"Content-Type": kind}
        return sidecar.request("POST", f"/indexes/{filled}/search", data=content, headers=headers)

    bad = send(b"{", "application/json")
    assert (bad.status_code, bad.json()["detail"][0]["type"]) == (422, "value_error.jsondecode")
    assert send(b'{"q": "x"}', "text/plain").status_code == 422
    assert send(b'{"q": "x"}', None).status_code == 200


def test_54_cluster_away(make_client: MakeClient) -> None:
    client = make_client(opensearch_url=NOBODY)
    assert client.get("/").status_code == 200
    answered = client.post("/indexes/a/search", json={"q": "x"})
    assert (answered.status_code, answered.json["code"]) == (500, "backend_communication_error")
