"""The search route. What searches find: tests/searching."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sidecar.embedding.loader import Embeddings
from sidecar.embedding.loaders.random import RandomLoader
from tests.fix_server import Sidecar

DOCUMENTS: list[dict[str, Any]] = [
    {"_id": "a", "title": "A red car. It is fast.", "color": "red", "size": 10, "tags": ["x", "y"]},
    {"_id": "b", "title": "A boat.", "body": "It swims.", "color": "dark red", "size": 15},
    {"_id": "c", "body": "Trees are green.", "color": "green", "size": 30, "my field": "hello world"},
]


@pytest.fixture
def filled(sidecar: Sidecar, index: str) -> str:
    """An index with the documents above; `title` and `body` are embedded."""
    sidecar.add(index, DOCUMENTS, tensor_fields=("title", "body"))
    return index


def search(sidecar: Sidecar, index: str, **body: Any) -> dict[str, Any]:
    answered = sidecar.post(f"/indexes/{index}/search", body)
    assert answered.status_code == 200, answered.text
    found: dict[str, Any] = answered.json()
    return found


def ids(answer: dict[str, Any]) -> list[str]:
    return [hit["_id"] for hit in answer["hits"]]


def refusal(sidecar: Sidecar, index: str, **body: Any) -> tuple[int, str, str]:
    answered = sidecar.post(f"/indexes/{index}/search", body)
    return answered.status_code, answered.json()["code"], answered.json()["message"]


def problems(sidecar: Sidecar, index: str, **body: Any) -> list[tuple[list[Any], str]]:
    answered = sidecar.post(f"/indexes/{index}/search", body)
    assert answered.status_code == 422, answered.text
    return [(problem["loc"], problem["type"]) for problem in answered.json()["detail"]]


def test_answer_has_hits_by_descending_score_and_echoes_the_request(sidecar: Sidecar, filled: str) -> None:
    answer = search(sidecar, filled, q="x")
    assert list(answer) == ["hits", "query", "limit", "offset", "processingTimeMs"]
    assert [answer["query"], answer["limit"], answer["offset"]] == ["x", 10, 0]
    assert isinstance(answer["processingTimeMs"], int)
    scores = [hit["_score"] for hit in answer["hits"]]
    assert len(scores) == 3
    assert scores == sorted(scores, reverse=True)
    for hit in answer["hits"]:
        stored = next(document for document in DOCUMENTS if document["_id"] == hit["_id"])
        assert {key: value for key, value in hit.items() if key not in {"_score", "_highlights"}} == stored
        ((field, chunk),) = hit["_highlights"].items()
        assert chunk in stored[field]


@pytest.mark.parametrize("point_in_time", ["", "abc"])
def test_what_is_no_point_in_time_is_refused(sidecar: Sidecar, filled: str, point_in_time: str) -> None:
    status, code, message = refusal(sidecar, filled, q="car", pointInTime=point_in_time)
    assert (status, code) == (400, "invalid_argument")
    assert message.startswith("pointInTime")


def test_chunk_that_equals_the_query_comes_first(sidecar: Sidecar, filled: str) -> None:
    (first, *_) = search(sidecar, filled, q="Trees are green.", limit=1)["hits"]
    assert (first["_id"], first["_highlights"]) == ("c", {"body": "Trees are green."})
    assert first["_score"] == pytest.approx(1.0, abs=1e-5)  # float32


def test_explicit_nulls_of_clients_are_fine(sidecar: Sidecar, filled: str) -> None:
    nulls = ["searchableAttributes", "attributesToRetrieve", "filter", "reRanker", "boost", "scoreModifiers", "context"]
    nulls += ["image_download_headers", "modelAuth", "textQueryPrefix"]
    assert len(search(sidecar, filled, q="x", **dict.fromkeys(nulls))["hits"]) == 3


def test_pages_follow_each_other(sidecar: Sidecar, filled: str) -> None:
    every = ids(search(sidecar, filled, q="x"))
    assert (
        ids(search(sidecar, filled, q="x", limit=1)) + ids(search(sidecar, filled, q="x", limit=2, offset=1)) == every
    )


@pytest.mark.parametrize(
    ("window", "message"),
    [
        ({"limit": 0}, "limit is 0"),
        ({"limit": -1}, "limit is -1"),
        ({"offset": -1}, "offset is -1"),
        ({"limit": 10_001}, "limit + offset is 10001"),
        ({"limit": 1, "offset": 10_000}, "limit + offset is 10001"),
    ],
)
def test_window_beyond_the_limits_is_refused(
    sidecar: Sidecar, filled: str, window: dict[str, int], message: str
) -> None:
    status, code, said = refusal(sidecar, filled, q="x", **window)
    assert (status, code) == (400, "illegal_requested_doc_count")
    assert message in said


def test_numbers_may_come_as_texts_and_q_as_a_number(sidecar: Sidecar, filled: str) -> None:
    answer = search(sidecar, filled, q=5, limit="2", offset=1.9, showHighlights="false", searchMethod="tensor")
    assert [answer["query"], answer["limit"], answer["offset"]] == ["5", 2, 1]
    assert len(answer["hits"]) == 2
    assert not any("_highlights" in hit for hit in answer["hits"])


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"q": None},
        {"q": {}},
        {"q": []},
        {"q": True},
        {"searchMethod": "LEXICAL"},
        {"searchMethod": "LEXICAL", "q": {}},
        {"q": {"A": 1.0}, "searchMethod": "LEXICAL"},
        {"q": None, "context": {"tensor": []}, "searchMethod": "LEXICAL"},
    ],
)
def test_search_without_a_text_is_refused(sidecar: Sidecar, filled: str, body: dict[str, Any]) -> None:
    status, code, message = refusal(sidecar, filled, **body)
    assert (status, code) == (400, "invalid_argument")
    assert "'q' must be a string" in message


# Weighted queries and context


def vector(text: str) -> Embeddings:
    """What random/small makes of the text."""
    embedded: Embeddings = RandomLoader(32).encode_text([text])[0]
    return embedded


def context(*entries: tuple[Any, Any]) -> dict[str, Any]:
    return {"tensor": [{"vector": vector, "weight": weight, "extra": "ignored"} for vector, weight in entries]}


CHUNKS = {"a": "A red car. It is fast.", "b": ["A boat.", "It swims."], "c": "Trees are green."}
MIXTURES: list[tuple[dict[str, float] | None, dict[str, float]]] = [
    ({"A boat.": 1}, {}),
    ({"Trees are green.": 1, "A boat.": 0.2}, {}),
    ({"Trees are green.": 0.3, "A boat.": -1, "unknown": 2.5}, {}),
    ({"x": 1}, {"Trees are green.": 3}),
    ({"x": 1, "A boat.": 1}, {"Trees are green.": -1, "y": 0.5}),
    (None, {"It swims.": 2, "x": 1}),
]


@pytest.mark.parametrize(("q", "given"), MIXTURES)
def test_query_of_several_terms_is_their_weighted_mean(
    sidecar: Sidecar, filled: str, q: dict[str, float] | None, given: dict[str, float]
) -> None:
    tensor = context(*((vector(text).tolist(), weight) for text, weight in given.items())) if given else None
    answer = search(sidecar, filled, q=q, context=tensor)
    mean = sum(weight * vector(text) for text, weight in [*(q or {}).items(), *given.items()])
    mean = mean / np.linalg.norm(mean)
    wanted = {
        key: max(float(1 + vector(text) @ mean) / 2 for text in ([texts] if isinstance(texts, str) else texts))
        for key, texts in CHUNKS.items()
    }
    assert ids(answer) == sorted(wanted, key=lambda key: -wanted[key])
    scores = {hit["_id"]: hit["_score"] for hit in answer["hits"]}
    assert scores == pytest.approx(wanted, abs=1e-5)  # float32


def test_weights_are_echoed_as_floats(sidecar: Sidecar, filled: str) -> None:
    answered = sidecar.post(f"/indexes/{filled}/search", {"q": {"A": 1, "B": -2}})
    assert '"query":{"A":1.0,"B":-2.0}' in answered.text.replace(" ", "")
    assert search(sidecar, filled, context=context((vector("x").tolist(), 1)))["query"] is None


@pytest.mark.parametrize(
    ("q", "given"), [({"A": 0}, {}), ({"A": 1}, {"A": -1}), (None, {"A": 0.1, "B": 0}), (None, {"A": 0})]
)
def test_terms_that_cancel_out_find_nothing(
    sidecar: Sidecar, filled: str, q: dict[str, float] | None, given: dict[str, float]
) -> None:
    opposite = [(vector(text).tolist(), weight) for text, weight in given.items()]
    opposite += [((-vector("A")).tolist(), 0.1)] if given.get("A") == 0.1 else []
    assert search(sidecar, filled, q=q, context=context(*opposite) if given else None)["hits"] == []


def test_context_is_ignored_by_words(sidecar: Sidecar, filled: str) -> None:
    for given in (context(([1.0], 1)), {"tensor": []}, {}):
        assert ids(search(sidecar, filled, q="boat", searchMethod="LEXICAL", context=given)) == ["b"]


FITTING = [0.5] * 32


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"q": "x", "context": context((FITTING, 1))}, "the context only works when the query is a dictionary"),
        ({"q": 5, "context": context((FITTING, 1))}, "This is not supported as the context only works"),
        ({"q": {"x": 1}, "context": context(([1, 2], 1))}, "not in the same dimension of the index"),
        ({"q": None, "context": context((FITTING, 1), ([1, 2], 1))}, "not in the same dimension of the index"),
        ({"context": context(*[(FITTING, 1)] * 65)}, "65 entries; it must have 1 to 64"),
        ({"context": {"tensor": []}}, "0 entries"),
        ({"context": {}}, "the key 'tensor'"),
        ({"context": {"tensor": {"vector": FITTING, "weight": 1}}}, "the key 'tensor', a list"),
        ({"context": {"tensor": [{"vector": FITTING}]}}, r"tensor[0] must be an object .* it lacks weight"),
        ({"context": {"tensor": [5]}}, "it lacks vector and weight"),
        ({"context": context((FITTING, "1"))}, "tensor[0].weight: the weight must be a number; given: '1'"),
        ({"context": context(("x", 1))}, "tensor[0].vector must be a list of numbers"),
        ({"context": context(([True] * 32, 1))}, "must be a list of numbers"),
        ({"context": context(([], 1))}, "must be a list of numbers"),
        ({"context": context(([1e39] * 32, 1))}, "beyond float32's range"),
        ({"q": {"x": "1"}}, "q['x']: the weight must be a number; given: '1'"),
        ({"q": {"x": None}}, "q['x']: the weight must be a number; given: None"),
        ({"q": {"x": True}}, "given: True"),
        ({"q": {"x": 1, "y": []}}, "q['y']"),
    ],
)
def test_bad_terms_are_refused_by_name(sidecar: Sidecar, filled: str, body: dict[str, Any], told: str) -> None:
    status, code, message = refusal(sidecar, filled, **body)
    assert (status, code) == (400, "invalid_argument"), message
    assert all(part in message for part in told.split(" .* ")), message


def test_index_without_a_model_is_searched_by_vectors_alone(sidecar: Sidecar, index_name: str) -> None:
    defaults = {"model": "no_model", "model_properties": {"dimensions": 3}}
    assert sidecar.post(f"/indexes/{index_name}", {"index_defaults": defaults}).status_code == 200
    documents = [
        {"_id": axis, "own": {"content": axis, "vector": vector}}
        for axis, vector in (("x", [1, 0, 0]), ("y", [0, 1, 0]))
    ]
    body = {"documents": documents, "tensorFields": ["own"], "mappings": {"own": {"type": "custom_vector"}}}
    assert sidecar.post(f"/indexes/{index_name}/documents?refresh=true", body).json()["errors"] is False
    answer = search(sidecar, index_name, context=context(([0.1, 1, 0], 1)))
    assert [(hit["_id"], hit["_highlights"]) for hit in answer["hits"]] == [("y", {"own": "y"}), ("x", {"own": "x"})]
    for q in ("text", {"text": 1}):
        assert refusal(sidecar, index_name, q=q)[:2] == (400, "bad_request")


def test_context_must_be_an_object(sidecar: Sidecar, filled: str) -> None:
    assert problems(sidecar, filled, context=[]) == [(["body", "context"], "type_error.dict")]


def test_credentials_are_checked_and_never_told(sidecar: Sidecar, filled: str) -> None:
    assert len(search(sidecar, filled, q="x", modelAuth={"hf": {"token": "secret"}})["hits"]) == 3
    status, code, message = refusal(sidecar, filled, q="x", modelAuth={"hub": {"token": "secret"}})
    assert (status, code) == (400, "invalid_argument")
    assert "secret" not in message
    assert problems(sidecar, filled, q="x", modelAuth={"hf": {}}) == [
        (["body", "modelAuth", "hf", "token"], "value_error.missing")
    ]


def test_headers_for_images_are_checked(sidecar: Sidecar, filled: str) -> None:
    assert len(search(sidecar, filled, q="x", image_download_headers={"a": "b"})["hits"]) == 3
    status, code, message = refusal(sidecar, filled, q="x", image_download_headers={"a b": "c"})
    assert (status, code) == (400, "invalid_argument")
    assert "image_download_headers" in message


def test_wrong_shapes_are_422(sidecar: Sidecar, filled: str) -> None:
    assert problems(sidecar, filled, q="x", searchMethod="BM25") == [(["body", "searchMethod"], "value_error")]
    assert problems(sidecar, filled, q="x", foo=1) == [(["body", "foo"], "value_error.extra")]
    assert problems(sidecar, filled, q="x", limit=None, offset="x", filter=[]) == [
        (["body", "limit"], "type_error.none.not_allowed"),
        (["body", "offset"], "type_error.integer"),
        (["body", "filter"], "type_error.str"),
    ]
    assert problems(sidecar, filled, q="x", searchMethod=None) == [
        (["body", "searchMethod"], "type_error.none.not_allowed")
    ]
    assert problems(sidecar, filled, q="x", searchableAttributes="title") == [
        (["body", "searchableAttributes"], "type_error.list")
    ]


@pytest.mark.parametrize("body", [[], "text", 5, None])
def test_body_that_is_no_object_is_422(sidecar: Sidecar, body: Any) -> None:
    answered = sidecar.post("/indexes/zzz/search", data=b"null" if body is None else None, json=body)
    assert answered.status_code == 422
    assert answered.json()["detail"][0]["type"] in {"type_error.dict", "type_error.none.not_allowed"}


def test_checks_come_in_the_contracts_order(sidecar: Sidecar) -> None:
    wrong: dict[str, Any] = {"foo": 1, "limit": 0, "boost": {"a": []}, "attributesToRetrieve": ["a.b"], "filter": "(("}
    answered = sidecar.post("/indexes/zzz/search?device=tpu", wrong)
    assert "tpu" in answered.json()["message"]
    codes = []
    for key in ("foo", "limit", "q", "boost", "attributesToRetrieve"):
        answered = sidecar.post("/indexes/zzz/search", wrong)
        codes.append(answered.json().get("code", answered.status_code))
        wrong.pop(key, None)
        if key == "limit":
            wrong["q"] = {}
        elif key == "q":
            wrong["q"] = "x"
    codes.append(sidecar.post("/indexes/zzz/search", wrong).json()["code"])
    assert codes == [
        422,
        "illegal_requested_doc_count",
        "invalid_argument",
        "invalid_argument",
        "invalid_field_name",
        "index_not_found",
    ]


def test_attributes_to_retrieve_choose_the_fields_of_hits(sidecar: Sidecar, filled: str) -> None:
    for hit in search(sidecar, filled, q="x", attributesToRetrieve=[])["hits"]:
        assert set(hit) == {"_id", "_score", "_highlights"}
    (hit,) = search(sidecar, filled, q="Trees are green.", limit=1, attributesToRetrieve=["size", "unknown"])["hits"]
    assert {key for key in hit if not key.startswith("_")} == {"size"}
    assert refusal(sidecar, filled, q="x", attributesToRetrieve=["a.b"])[1] == "invalid_field_name"


def test_highlights_can_be_left_out(sidecar: Sidecar, filled: str) -> None:
    assert not any("_highlights" in hit for hit in search(sidecar, filled, q="x", showHighlights=False)["hits"])


def test_searchable_attributes_choose_the_fields_that_are_searched(sidecar: Sidecar, filled: str) -> None:
    assert sorted(ids(search(sidecar, filled, q="x", searchableAttributes=["body"]))) == ["b", "c"]
    assert ids(search(sidecar, filled, q="x", searchableAttributes=[])) == []
    assert ids(search(sidecar, filled, q="x", searchableAttributes=["unknown"])) == []
    assert refusal(sidecar, filled, q="x", searchableAttributes=["a/b"])[1] == "invalid_field_name"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("color:red", ["a"]),
        ("color:(dark red)", ["b"]),
        ("size:[10 TO 20]", ["a", "b"]),
        ("tags:x", ["a"]),
        ("_id:a", ["a"]),
        (r"my\ field:(hello world)", ["c"]),
        ("NOT color:red", ["b", "c"]),
    ],
)
@pytest.mark.parametrize("method", ["TENSOR", "LEXICAL"])
def test_filter_narrows_the_hits(sidecar: Sidecar, filled: str, method: str, text: str, expected: list[str]) -> None:
    found = ids(search(sidecar, filled, q="red boat trees", searchMethod=method, filter=text))
    assert sorted(found) == expected


@pytest.mark.parametrize("method", ["TENSOR", "LEXICAL"])
def test_filter_with_a_syntax_error_is_refused(sidecar: Sidecar, filled: str, method: str) -> None:
    status, code, _ = refusal(sidecar, filled, q="x", filter="((", searchMethod=method)
    assert (status, code) == (400, "invalid_argument")


def test_lexical_search_finds_words_and_phrases(sidecar: Sidecar, filled: str) -> None:
    answer = search(sidecar, filled, q="red", searchMethod="lexical")
    assert sorted(ids(answer)) == ["a", "b"]
    assert all(hit["_highlights"] == [] for hit in answer["hits"])
    assert ids(search(sidecar, filled, q='"dark red"', searchMethod="LEXICAL")) == ["b"]


@pytest.mark.parametrize(
    ("device", "status", "code"),
    [
        ("cpu", 200, None),
        ("CPU", 200, None),
        ("cuda", 400, "hardware_compatability_error"),
        ("cuda1", 400, "hardware_compatability_error"),
        ("cuda:1", 400, "invalid_argument"),
        ("tpu", 400, "invalid_argument"),
    ],
)
def test_device_is_checked(sidecar: Sidecar, filled: str, device: str, status: int, code: str | None) -> None:
    answered = sidecar.post(f"/indexes/{filled}/search?&device={device}", {"q": "x"})
    assert (answered.status_code, answered.json().get("code")) == (status, code)
