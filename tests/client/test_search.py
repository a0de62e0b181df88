"""The client's search, with each of its parameters."""

from __future__ import annotations

from typing import Any

import pytest

from tests.client.remote import Raised, RemoteClient, RemoteIndex, Worker
from tests.fix_server import Sidecar

DOCUMENTS: list[dict[str, Any]] = [
    {"_id": "a", "title": "A red car.", "color": "red", "size": 30},
    {"_id": "b", "title": "A boat.", "body": "It swims.", "color": "dark red", "size": 10},
    {"_id": "c", "body": "Trees are green.", "color": "green"},
]


@pytest.fixture
def filled(sidecar: Sidecar, index: str) -> str:
    """An index with the documents above; `title` and `body` are embedded."""
    sidecar.add(index, DOCUMENTS, tensor_fields=("title", "body"))
    return index


@pytest.fixture
def ix(mq: RemoteClient, filled: str) -> RemoteIndex:
    return mq.index(filled)


def ids(answer: dict[str, Any]) -> list[str]:
    return [hit["_id"] for hit in answer["hits"]]


def refusal(ix: RemoteIndex, *arguments: Any, **named: Any) -> tuple[int, str]:
    with pytest.raises(Raised) as error:
        ix.search(*arguments, **named)
    return error.value.status_code, error.value.code


def test_answer_has_all_parts(ix: RemoteIndex) -> None:
    answer = ix.search("A boat.")
    assert answer.keys() == {"hits", "query", "limit", "offset", "processingTimeMs"}
    best = answer["hits"][0]
    assert best.pop("_score") == pytest.approx(1.0, abs=1e-5)  # float32
    assert best == {**DOCUMENTS[1], "_highlights": {"title": "A boat."}}


def test_pages(ix: RemoteIndex) -> None:
    every = ids(ix.search(q="x"))
    assert ids(ix.search(q="x", limit=1)) + ids(ix.search(q="x", limit=2, offset=1)) == every
    assert refusal(ix, "x", limit=0) == (400, "illegal_requested_doc_count")
    assert refusal(ix, "x", offset=-1) == (400, "illegal_requested_doc_count")


@pytest.mark.parametrize("method", ["LEXICAL", "lexical"])
def test_words_are_searched(ix: RemoteIndex, method: str) -> None:
    answer = ix.search("car swims", search_method=method)
    assert sorted(ids(answer)) == ["a", "b"]
    assert all(hit["_highlights"] == [] for hit in answer["hits"])


def test_weighted_queries(ix: RemoteIndex) -> None:
    answer = ix.search({"A boat.": 2, "A red car.": -1})
    assert answer["query"] == {"A boat.": 2.0, "A red car.": -1.0}
    assert ids(answer)[0] == "b"
    assert ids(answer)[-1] == "a"


def test_filters(ix: RemoteIndex) -> None:
    assert ids(ix.search("x", filter_string="color:red")) == ["a"]
    assert ids(ix.search("x", filter_string="color:(dark red) AND size:[5 TO 15]")) == ["b"]
    assert refusal(ix, "x", filter_string="((") == (400, "invalid_argument")


def test_searchable_attributes(ix: RemoteIndex) -> None:
    assert sorted(ids(ix.search("x", searchable_attributes=["body"]))) == ["b", "c"]
    assert ids(ix.search("x", searchable_attributes=[])) == []


def test_attributes_to_retrieve(ix: RemoteIndex) -> None:
    (first, *_) = ix.search("A boat.", attributes_to_retrieve=["color"])["hits"]
    assert first.keys() == {"color", "_id", "_score", "_highlights"}
    (first, *_) = ix.search("A boat.", attributes_to_retrieve=[])["hits"]
    assert first.keys() == {"_id", "_score", "_highlights"}


@pytest.mark.parametrize("parameter", ["show_highlights", "highlights"])
def test_highlights_can_be_left_out(ix: RemoteIndex, parameter: str) -> None:
    off: dict[str, Any] = {parameter: False}
    assert not any("_highlights" in hit for hit in ix.search("x", **off)["hits"])
    assert all("_highlights" in hit for hit in ix.search("x", show_highlights=True, highlights=None)["hits"])


def test_boost(ix: RemoteIndex) -> None:
    plain = ix.search("A boat.", filter_string="_id:b", searchable_attributes=["title"])["hits"][0]["_score"]
    boosted = ix.search("A boat.", filter_string="_id:b", searchable_attributes=["title"], boost={"title": [0.5, 3]})
    assert boosted["hits"][0]["_score"] == pytest.approx(plain * 0.5 + 3)
    assert refusal(ix, "x", searchable_attributes=["title"], boost={"body": [2]}) == (400, "invalid_argument")


def test_context(ix: RemoteIndex) -> None:
    context = {"tensor": [{"vector": [1.0] * 32, "weight": 0.5}]}
    assert len(ids(ix.search({"A boat.": 1.0}, context=context))) == 3
    assert ix.search(context=context)["query"] is None
    assert refusal(ix, "x", context=context) == (400, "invalid_argument")


def test_score_modifiers(ix: RemoteIndex) -> None:
    modifiers = {"multiply_score_by": [{"field_name": "size", "weight": 2}], "add_to_score": [{"field_name": "size"}]}
    (hit,) = ix.search("A red car.", filter_string="_id:a", score_modifiers=modifiers)["hits"]
    assert hit["_score"] == pytest.approx(60 + 30, abs=1e-3)  # float32
    assert refusal(ix, "x", score_modifiers={}) == (400, "invalid_argument")


def test_reranker(ix: RemoteIndex) -> None:
    plain = [hit["_score"] for hit in ix.search("A boat.", searchable_attributes=["title"])["hits"]]
    answer = ix.search("A boat.", searchable_attributes=["title"], reranker="_testing")
    assert sorted(ids(answer)) == ["a", "b"]
    scores = [hit["_score"] for hit in answer["hits"]]
    assert not set(plain) & set(scores)
    assert scores == sorted(scores, reverse=True)
    assert all(set(hit["_highlights"]) == {"title"} for hit in answer["hits"])
    assert refusal(ix, "x", reranker="_testing") == (400, "invalid_argument")


def test_model_auth_is_checked(ix: RemoteIndex) -> None:
    keys = {"aws_access_key_id": "a", "aws_secret_access_key": "b"}
    assert len(ids(ix.search("x", model_auth={"s3": keys}))) == 3
    assert refusal(ix, "x", model_auth={"s3": keys, "hf": {"token": "t"}}) == (400, "invalid_argument")


def test_image_download_headers_are_taken(ix: RemoteIndex) -> None:
    assert len(ids(ix.search("x", image_download_headers={"X-Token": "t"}))) == 3


def test_query_prefix_changes_the_vector_alone(newest_worker: Worker, sidecar: Sidecar, filled: str) -> None:
    ix = RemoteClient(newest_worker, {"url": sidecar.url}).index(filled)
    answer = ix.search("boat.", text_query_prefix="A ")
    assert answer["query"] == "boat."
    assert answer["hits"][0]["_score"] == pytest.approx(1.0, abs=1e-5)  # float32


def test_devices(ix: RemoteIndex) -> None:
    assert len(ids(ix.search("x", device="cpu"))) == 3
    assert refusal(ix, "x", device="tpu") == (400, "invalid_argument")
    assert refusal(ix, "x", device="cuda:63") == (400, "hardware_compatability_error")
