"""POST /indexes/bulk/search. What the searches find: tests/integration."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fix_server import MakeClient, Sidecar

DOCUMENTS = [
    {"_id": "a", "title": "A red car.", "color": "red"},
    {"_id": "b", "title": "A boat.", "color": "dark red"},
    {"_id": "c", "title": "Trees are green.", "color": "green"},
]


@pytest.fixture
def filled(sidecar: Sidecar, index: str) -> str:
    sidecar.add(index, DOCUMENTS)
    return index


def bulk(sidecar: Sidecar, *queries: Any) -> dict[str, Any]:
    answered = sidecar.post("/indexes/bulk/search", {"queries": list(queries)})
    assert answered.status_code == 200, answered.text
    found: dict[str, Any] = answered.json()
    return found


def refusal(sidecar: Sidecar, *queries: Any) -> tuple[int, str, str]:
    answered = sidecar.post("/indexes/bulk/search", {"queries": list(queries)})
    return answered.status_code, answered.json()["code"], answered.json()["message"]


def test_results_come_in_order_with_one_time(sidecar: Sidecar, filled: str) -> None:
    answer = bulk(
        sidecar,
        {"index": filled, "q": "A boat.", "limit": 1},
        {"index": filled, "q": "red", "searchMethod": "lexical", "offset": 0},
        {"index": filled, "q": {"A boat.": 1}, "attributesToRetrieve": []},
        {"index": filled, "q": "green", "searchMethod": "HYBRID", "facets": ["color"]},
    )
    assert list(answer) == ["result", "processingTimeMs"]
    assert isinstance(answer["processingTimeMs"], int)
    boat, red, mixture, hybrid = answer["result"]
    assert [list(result) for result in (boat, red)] == [["hits", "query", "limit", "offset"]] * 2
    assert [(result["query"], result["limit"], result["offset"]) for result in (boat, red, mixture)] == [
        ("A boat.", 1, 0),
        ("red", 10, 0),
        ({"A boat.": 1.0}, 10, 0),
    ]
    assert [hit["_id"] for hit in boat["hits"]] == ["b"]
    assert sorted(hit["_id"] for hit in red["hits"]) == ["a", "b"]
    assert mixture["hits"][0]["_id"] == "b"
    assert all(set(hit) == {"_id", "_score", "_highlights"} for hit in mixture["hits"])
    assert hybrid["facets"]["color"]["values"][0]["count"] == 1


def test_no_queries_have_no_results(sidecar: Sidecar) -> None:
    answer = bulk(sidecar)
    assert answer["result"] == []
    assert isinstance(answer["processingTimeMs"], int)


def test_explicit_nulls_of_clients_are_fine(sidecar: Sidecar, filled: str) -> None:
    nulls = ["searchableAttributes", "attributesToRetrieve", "filter", "reRanker", "boost", "scoreModifiers", "context"]
    nulls += ["image_download_headers", "modelAuth", "textQueryPrefix"]
    answer = bulk(sidecar, {"index": filled, "q": "x", **dict.fromkeys(nulls)})
    assert len(answer["result"][0]["hits"]) == 3


def test_device_is_a_parameter_of_the_request(sidecar: Sidecar, filled: str) -> None:
    body = {"queries": [{"index": filled, "q": "x"}]}
    assert sidecar.post("/indexes/bulk/search?&device=cpu", body).status_code == 200
    assert sidecar.post("/indexes/bulk/search?device=tpu", body).status_code == 400


def test_an_unknown_index_is_404_and_answers_nothing(sidecar: Sidecar, filled: str) -> None:
    status, code, message = refusal(sidecar, {"index": filled, "q": "x"}, {"index": "zzz", "q": "x"})
    assert (status, code) == (404, "index_not_found")
    assert message.startswith("queries[1]: There is no index 'zzz'")


@pytest.mark.parametrize(
    ("wrong", "code", "told"),
    [
        ({"limit": 0}, "illegal_requested_doc_count", "queries[1]: limit is 0"),
        ({"q": None}, "invalid_argument", "queries[1]: 'q' must be a string"),
        ({"boost": {"body": 2}}, "invalid_argument", "queries[1]: boost.body"),
        ({"attributesToRetrieve": ["a.b"]}, "invalid_field_name", "queries[1]: "),
        ({"filter": "(("}, "invalid_argument", "queries[1]: "),
        ({"filter": {"range": {"title": {"odd": 1}}}}, "invalid_argument", "queries[1]: filter"),
        ({"exact": True, "efSearch": 5}, "invalid_argument", "queries[1]: 'efSearch'"),
    ],
)
def test_a_bad_query_fails_all_and_is_named_by_its_number(
    sidecar: Sidecar, filled: str, wrong: dict[str, Any], code: str, told: str
) -> None:
    fine = {"index": filled, "q": "x", "filter": "color:red"}
    status, found, message = refusal(sidecar, fine, {"index": filled, "q": "x", **wrong}, fine)
    assert (status, found) == (400, code), message
    assert message.startswith(told), message


@pytest.mark.parametrize(
    ("body", "problems"),
    [
        ({}, [(["body", "queries"], "value_error.missing")]),
        ({"queries": {}}, [(["body", "queries"], "type_error.list")]),
        ({"queries": [], "foo": 1}, [(["body", "foo"], "value_error.extra")]),
        ({"queries": [5]}, [(["body", "queries", 0], "type_error.dict")]),
        ({"queries": [{"q": "x"}]}, [(["body", "queries", 0, "index"], "value_error.missing")]),
        (
            {"queries": [{"index": "a", "q": "x"}, {"index": None, "foo": 1, "limit": None}]},
            [
                (["body", "queries", 1, "limit"], "type_error.none.not_allowed"),
                (["body", "queries", 1, "index"], "type_error.none.not_allowed"),
                (["body", "queries", 1, "foo"], "value_error.extra"),
            ],
        ),
        (
            {"queries": [{"index": "a", "q": "x"}, {"index": "a", "q": "x", "modelAuth": {"hf": {}}}]},
            [(["body", "queries", 1, "modelAuth", "hf", "token"], "value_error.missing")],
        ),
    ],
)
def test_wrong_shapes_are_422_with_the_place(
    sidecar: Sidecar, body: dict[str, Any], problems: list[tuple[list[Any], str]]
) -> None:
    answered = sidecar.post("/indexes/bulk/search", body)
    assert answered.status_code == 422
    assert [(problem["loc"], problem["type"]) for problem in answered.json()["detail"]] == problems


def test_the_limit_of_named_fields_holds_for_every_query(make_client: MakeClient) -> None:
    client = make_client(opensearch_url="http://127.0.0.1:9", max_searchable_tensor_attributes=1)
    fine = {"index": "a", "q": "x", "searchableAttributes": ["a"]}
    for wrong in (
        {"index": "a", "q": "x"},
        {"index": "a", "q": "x", "searchMethod": "HYBRID", "searchableAttributes": ["a", "b"]},
        fine | {"searchMethod": "HYBRID", "hybridParameters": {"searchableAttributesTensor": ["a", "b"]}},
    ):
        answered = client.post("/indexes/bulk/search", json={"queries": [fine, wrong]})
        assert (answered.status_code, answered.json["code"]) == (400, "invalid_argument")
        assert answered.json["message"].startswith("queries[1]: 'searchableAttributes' stands for")
    for free in (
        fine | {"searchMethod": "LEXICAL", "searchableAttributes": ["a", "b"]},
        {"index": "a", "q": "x", "searchMethod": "HYBRID", "hybridParameters": {"retrievalMethod": "lexical"}},
        fine | {"searchMethod": "HYBRID", "searchableAttributes": None,
                "hybridParameters": {"searchableAttributesTensor": ["b"]}},
    ):  # fmt: skip
        answered = client.post("/indexes/bulk/search", json={"queries": [free]})
        assert answered.json["code"] == "backend_communication_error", "the search was fine; no cluster is there"
