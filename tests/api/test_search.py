"""The search route. What searches find: tests/searching."""

from __future__ import annotations

from typing import Any

import pytest

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
        {"q": {"A": 1.0}, "searchMethod": "LEXICAL"},
        {"q": None, "context": {"tensor": []}, "searchMethod": "LEXICAL"},
    ],
)
def test_search_without_a_text_is_refused(sidecar: Sidecar, filled: str, body: dict[str, Any]) -> None:
    status, code, message = refusal(sidecar, filled, **body)
    assert (status, code) == (400, "invalid_argument")
    assert "'q' must be a string" in message


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("boost", {"title": [1]}),
        ("scoreModifiers", {}),
        ("context", {"tensor": []}),
        ("reRanker", "owl/ViT-B/32"),
        ("modelAuth", {"hf": {"token": "secret"}}),
        ("image_download_headers", {"a": "b"}),
        ("q", {"A": 1.0}),
    ],
)
def test_key_without_its_feature_is_refused_by_name(sidecar: Sidecar, filled: str, key: str, value: Any) -> None:
    status, code, message = refusal(sidecar, filled, **{"q": "x", key: value})
    assert (status, code) == (400, "invalid_argument")
    assert repr(key) in message
    assert "not supported by this version" in message
    assert "secret" not in message


def test_wrong_shapes_are_422(sidecar: Sidecar, filled: str) -> None:
    assert problems(sidecar, filled, q="x", searchMethod="BM25") == [(["body", "searchMethod"], "value_error")]
    assert problems(sidecar, filled, q="x", foo=1) == [(["body", "foo"], "value_error.extra")]
    assert problems(sidecar, filled, q="x", limit=None, offset="x", filter={}) == [
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
    wrong: dict[str, Any] = {"foo": 1, "limit": 0, "boost": {"a": [1]}, "attributesToRetrieve": ["a.b"], "filter": "(("}
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


def test_bulk_search_says_that_it_is_not_there_yet(sidecar: Sidecar) -> None:
    answer = sidecar.post("/indexes/bulk/search", json={"queries": []})
    assert answer.status_code == 400
    assert "not supported by this version" in answer.json()["message"]
