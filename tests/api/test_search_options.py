"""The keys of a search that Marqo 1 has not. What they do to hits: tests/integration."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.fix_server import MakeClient, Sidecar

NOBODY = "http://127.0.0.1:9"  # the discard port, where nothing listens
DOCUMENTS = [
    {"_id": "a", "title": "A red car.", "color": "red", "size": 3},
    {"_id": "b", "title": "A boat.", "color": "red", "size": 1},
    {"_id": "c", "title": "Trees are green.", "note": "red leaves", "color": "green", "size": 2},
]


@pytest.fixture
def filled(sidecar: Sidecar, index: str) -> str:
    sidecar.add(index, DOCUMENTS)
    return index


@pytest.fixture
def client(make_client: MakeClient) -> FlaskClient:
    """A client of an app without a cluster, for what is refused before any is asked."""
    return make_client(opensearch_url=NOBODY)


def search(sidecar: Sidecar, index: str, **body: Any) -> dict[str, Any]:
    answered = sidecar.post(f"/indexes/{index}/search", body)
    assert answered.status_code == 200, answered.text
    found: dict[str, Any] = answered.json()
    return found


def test_a_hybrid_search_tells_both_scores(sidecar: Sidecar, filled: str) -> None:
    parameters = {
        "retrievalMethod": "disjunction",
        "rankingMethod": "rrf",
        "alpha": 0.25,
        "rrfK": 10,
        "searchableAttributesLexical": ["note", "title"],
        "searchableAttributesTensor": ["title"],
        "scoreModifiersTensor": {"add_to_score": [{"field_name": "size", "weight": 5}]},
        "scoreModifiersLexical": {"multiply_score_by": [{"field_name": "size"}]},
    }
    answer = search(sidecar, filled, q="red", searchMethod="hybrid", hybridParameters=parameters)
    assert list(answer) == ["hits", "query", "limit", "offset", "processingTimeMs"]
    scores = {hit["_id"]: hit["_score"] for hit in answer["hits"]}
    assert scores == pytest.approx({"a": 0.25 / 11 + 0.75 / 11, "c": 0.25 / 12 + 0.75 / 12, "b": 0.25 / 13}, rel=1e-6)
    assert ["_lexical_score" in hit for hit in answer["hits"]] == [True, True, False]
    assert all(hit["_tensor_score"] > 5 for hit in answer["hits"])


def test_answers_have_a_key_for_each_thing_asked(sidecar: Sidecar, filled: str) -> None:
    answer = search(
        sidecar,
        filled,
        q="red",
        searchMethod="LEXICAL",
        limit=1,
        facets={"color": 1},
        aggregations={"mean": {"avg": {"field": "size"}}},
        sort=[{"size": "desc"}, "_score"],
        explain=True,
        lexicalHighlights=True,
        source={"includes": ["title", "size"], "excludes": ["siz?", "s*"]},
        minScore=0.0001,
        filter={"range": {"size": {"gte": 2}}},
    )
    assert list(answer) == ["hits", "query", "limit", "offset", "aggregations", "facets", "processingTimeMs"]
    assert answer["aggregations"] == {"mean": {"value": 2.5}}
    assert answer["facets"]["color"]["values"][0]["count"] == 1
    (hit,) = answer["hits"]
    assert set(hit) == {"title", "_id", "_score", "_highlights", "_explanation", "_sort"}
    assert hit["_highlights"]["title"] == ["A <em>red</em> car."]
    assert hit["_sort"] == [3, pytest.approx(hit["_score"])]


def test_facets_of_names_with_any_characters_are_told(sidecar: Sidecar, index: str) -> None:
    names = ["a>b", "c[0]", "facet:0", "with space"]
    sidecar.add(index, [{"_id": "1", "title": "x", **dict.fromkeys(names, "v")}])
    facets = search(sidecar, index, q="x", facets=names)["facets"]
    assert facets == {name: {"values": [{"value": "v", "count": 1}], "others": 0} for name in names}


def test_explicit_nulls_are_fine(sidecar: Sidecar, filled: str) -> None:
    nulls = ["hybridParameters", "efSearch", "minScore", "sort", "aggregations", "facets", "source", "routing"]
    nulls += ["pointInTime", "searchAfter"]
    assert len(search(sidecar, filled, q="x", **dict.fromkeys(nulls))["hits"]) == 3


HYBRID = {"searchMethod": "HYBRID"}
LEXICAL = {"searchMethod": "LEXICAL"}
WORDS = HYBRID | {"hybridParameters": {"retrievalMethod": "lexical"}}
NEAREST = HYBRID | {"hybridParameters": {"retrievalMethod": "tensor"}}
WORDS_BY_TENSOR = HYBRID | {"hybridParameters": {"retrievalMethod": "lexical", "rankingMethod": "tensor"}}
TENSOR_BY_WORDS = HYBRID | {"hybridParameters": {"retrievalMethod": "tensor", "rankingMethod": "lexical"}}
BOOST = {"boost": {"title": [2]}}


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"hybridParameters": {}}, "'hybridParameters' needs searchMethod HYBRID"),
        (LEXICAL | {"hybridParameters": {}}, "'hybridParameters' needs searchMethod HYBRID"),
        (HYBRID | {"hybridParameters": {"alpha": 1.01}}, "hybridParameters.alpha is 1.01"),
        (HYBRID | {"hybridParameters": {"alpha": "nan"}}, "hybridParameters.alpha is nan"),
        (HYBRID | {"hybridParameters": {"rrfK": -1}}, "hybridParameters.rrfK is -1"),
        (HYBRID | {"hybridParameters": {"rankingMethod": "tensor"}}, "'tensor' does not go with"),
        (HYBRID | {"hybridParameters": {"retrievalMethod": "tensor", "rankingMethod": "rrf"}}, "'rrf' does not go"),
        (
            HYBRID | {"hybridParameters": {"retrievalMethod": "lexical", "rankingMethod": "normalize_linear"}},
            "give 'tensor' or 'lexical'",
        ),
        (HYBRID | {"hybridParameters": {"scoreModifiersTensor": {}}}, "scoreModifiersTensor is empty"),
        (HYBRID | {"q": {"x": 1}}, "'q' must be a string"),
        (HYBRID | {"q": None}, "'q' must be a string"),
        (HYBRID | {"context": {"tensor": []}}, "the context only works when"),
        (HYBRID | BOOST, "not with HYBRID"),
        (LEXICAL | {"exact": True}, "'exact' does not go with"),
        (WORDS | {"exact": True}, "'exact' does not go with"),
        (LEXICAL | {"efSearch": 5}, "'efSearch' does not go with documents that are found by words"),
        (WORDS | {"efSearch": 5}, "'efSearch' does not go with"),
        (WORDS_BY_TENSOR | {"efSearch": 5}, "'efSearch' does not go with"),
        ({"efSearch": 5, "exact": True}, "'efSearch' does not go with 'exact'"),
        ({"efSearch": 0}, "efSearch is 0; it must be from 1 to 10,000"),
        ({"efSearch": 10_001}, "efSearch is 10001"),
        ({"lexicalHighlights": True}, "'lexicalHighlights' needs searchMethod LEXICAL"),
        (NEAREST | {"lexicalHighlights": True}, "'lexicalHighlights' needs searchMethod LEXICAL"),
        (HYBRID | {"sort": ["size"]}, "'sort' does not go with"),
        (TENSOR_BY_WORDS | {"sort": ["size"]}, "'sort' does not go with"),
        (BOOST | {"sort": ["size"]}, "'sort' does not go with"),
        (HYBRID | {"minScore": 0.5}, "'minScore' does not go with"),
        (TENSOR_BY_WORDS | {"minScore": 0.5}, "'minScore' does not go with"),
        ({"minScore": 0}, "minScore is 0.0; it must be a number greater than 0"),
        ({"minScore": "inf"}, "minScore is inf"),
        (HYBRID | {"explain": True}, "'explain' tells of one order only"),
        (BOOST | {"explain": True}, "'explain' tells of one order only"),
        (HYBRID | {"pointInTime": "x"}, "'pointInTime' does not go with"),
        (BOOST | {"pointInTime": "x"}, "'pointInTime' does not go with"),
        ({"searchAfter": [1]}, "'searchAfter' needs 'pointInTime'"),
        ({"searchAfter": [1], "pointInTime": "x", "offset": 3}, "'searchAfter' does not go with 'offset'"),
        ({"routing": "a", "pointInTime": "x"}, "'routing' does not go with 'pointInTime'"),
        ({"source": {"includes": ["a"]}, "attributesToRetrieve": []}, "'source' does not go with"),
        ({"facets": {"color": 0}}, "facets.'color' is 0"),
        ({"facets": {"color": 1001}}, "facets.'color' is 1001"),
        ({"sort": [5]}, "sort[0] must be the name of a field"),
        ({"sort": [""]}, "sort[0] must be the name of a field"),
        ({"sort": ["a", {"b": "asc", "c": "asc"}]}, "sort[1] must be the name of a field"),
        ({"sort": [{"b": "up"}]}, "sort[0].b must be 'asc', 'desc', or an object of"),
        ({"sort": [{"b": {"script": "1"}}]}, "sort[0].b must be 'asc', 'desc', or an object of"),
        ({"sort": [{"b": {"nested": {"filter": {}}}}]}, "sort[0].b must be"),
    ],
)
def test_options_that_have_no_sense_are_refused(client: FlaskClient, body: dict[str, Any], told: str) -> None:
    answered = client.post("/indexes/a/search", json={"q": "x", **body})
    assert (answered.status_code, answered.json["code"]) == (400, "invalid_argument"), answered.json
    assert told in answered.json["message"]


@pytest.mark.parametrize(
    "body",
    [
        WORDS_BY_TENSOR | {"sort": ["size"], "minScore": 0.5, "explain": True, "exact": True},
        NEAREST | {"sort": ["size"], "efSearch": 7},
        WORDS | {"minScore": 1, "lexicalHighlights": True},
        HYBRID | {"exact": True, "lexicalHighlights": True, "facets": ["a"]},
        TENSOR_BY_WORDS | {"lexicalHighlights": True, "efSearch": 9},
        NEAREST | {"minScore": 0.1, "exact": True, "sort": [{"_score": "asc"}]},
        # A number is a text here, as everywhere in a search.
        {"filter": 5.5},
    ],
)
def test_options_that_go_together_pass(client: FlaskClient, body: dict[str, Any]) -> None:
    answered = client.post("/indexes/a/search", json={"q": "x", **body})
    assert answered.json["code"] == "backend_communication_error", "the search was fine; no cluster is there"


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({"hybridParameters": {"foo": 1}}, (["body", "hybridParameters", "foo"], "value_error.extra")),
        ({"hybridParameters": []}, (["body", "hybridParameters"], "type_error.dict")),
        (
            {"hybridParameters": {"rankingMethod": "odd"}},
            (["body", "hybridParameters", "rankingMethod"], "value_error"),
        ),
        ({"hybridParameters": {"alpha": "odd"}}, (["body", "hybridParameters", "alpha"], "type_error.float")),
        ({"hybridParameters": {"rrfK": "odd"}}, (["body", "hybridParameters", "rrfK"], "type_error.integer")),
        ({"efSearch": "many"}, (["body", "efSearch"], "type_error.integer")),
        ({"exact": "perhaps"}, (["body", "exact"], "type_error.bool")),
        ({"minScore": []}, (["body", "minScore"], "type_error.float")),
        ({"sort": "size"}, (["body", "sort"], "type_error.list")),
        ({"aggregations": []}, (["body", "aggregations"], "type_error.dict")),
        ({"facets": "color"}, (["body", "facets"], "type_error.list")),
        ({"facets": {"color": None}}, (["body", "facets"], "type_error.list")),
        ({"explain": None}, (["body", "explain"], "type_error.none.not_allowed")),
        ({"lexicalHighlights": 5}, (["body", "lexicalHighlights"], "type_error.bool")),
        ({"source": []}, (["body", "source"], "type_error.dict")),
        ({"source": {"include": []}}, (["body", "source", "include"], "value_error.extra")),
        ({"routing": []}, (["body", "routing"], "type_error.str")),
        ({"searchAfter": 5}, (["body", "searchAfter"], "type_error.list")),
    ],
)
def test_wrong_shapes_are_422(client: FlaskClient, body: dict[str, Any], problem: tuple[list[Any], str]) -> None:
    answered = client.post("/indexes/a/search", json={"q": "x", **body})
    assert answered.status_code == 422, answered.json
    (found,) = answered.json["detail"]
    assert (found["loc"], found["type"]) == problem
