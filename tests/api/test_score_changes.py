"""What the search route says of boosts and score modifiers. What they do to scores: tests/integration."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fix_server import Sidecar

MULTIPLY = {"multiply_score_by": [{"field_name": "size", "weight": 2}]}


@pytest.fixture
def filled(sidecar: Sidecar, index: str) -> str:
    sidecar.add(index, [{"_id": "a", "title": "A red car.", "size": 30}])
    return index


def search(sidecar: Sidecar, index: str, **body: Any) -> list[dict[str, Any]]:
    answered = sidecar.post(f"/indexes/{index}/search", body)
    assert answered.status_code == 200, answered.text
    hits: list[dict[str, Any]] = answered.json()["hits"]
    return hits


@pytest.mark.parametrize(
    ("modifiers", "wanted"),
    [
        (MULTIPLY, 60.0),
        ({"add_to_score": [{"field_name": "size", "weight": 0.5}]}, 16.0),
        ({"multiply_score_by": [{"field_name": "size"}], "add_to_score": [{"field_name": "size"}]}, 60.0),
        ({"add_to_score": [{"field_name": "no such field", "weight": 2}]}, 1.0),
        (None, 1.0),
    ],
)
def test_modifiers_change_the_score(
    sidecar: Sidecar, filled: str, modifiers: dict[str, Any] | None, wanted: float
) -> None:
    (hit,) = search(sidecar, filled, q="A red car.", scoreModifiers=modifiers)
    assert hit["_score"] == pytest.approx(wanted, rel=1e-5)


def test_a_boost_changes_the_score(sidecar: Sidecar, filled: str) -> None:
    for boost, wanted in (({"title": [0.5]}, 0.5), ({"title": [2, -3]}, -1.0), ({"body": [7]}, 1.0), (None, 1.0)):
        (hit,) = search(sidecar, filled, q="A red car.", boost=boost)
        assert hit["_score"] == pytest.approx(wanted, rel=1e-5)


def test_modifiers_are_ignored_by_words(sidecar: Sidecar, filled: str) -> None:
    plain = search(sidecar, filled, q="red", searchMethod="LEXICAL")
    assert search(sidecar, filled, q="red", searchMethod="LEXICAL", scoreModifiers=MULTIPLY) == plain
    assert search(sidecar, filled, q="red", searchMethod="LEXICAL", scoreModifiers={"odd": 1}) == plain


def entry(**others: Any) -> dict[str, Any]:
    return {"add_to_score": [others]}


@pytest.mark.parametrize(
    ("body", "code", "told"),
    [
        ({"scoreModifiers": {}}, "invalid_argument", "scoreModifiers is empty"),
        ({"scoreModifiers": {"add_to_score": []}}, "invalid_argument", "scoreModifiers.add_to_score must be a list"),
        ({"scoreModifiers": {"add_to_score": None}}, "invalid_argument", "scoreModifiers.add_to_score must be a list"),
        ({"scoreModifiers": MULTIPLY | {"add_to_score": []}}, "invalid_argument", "scoreModifiers.add_to_score"),
        ({"scoreModifiers": {"subtract": []}}, "invalid_argument", "unknown key 'subtract'"),
        ({"scoreModifiers": MULTIPLY | {"subtract": []}}, "invalid_argument", "unknown key 'subtract'"),
        (
            {"scoreModifiers": entry(weight=2)},
            "invalid_argument",
            "must be an object with 'field_name'",
        ),
        ({"scoreModifiers": entry(field_name=5)}, "invalid_argument", "add_to_score[0] must be an object"),
        ({"scoreModifiers": entry(field_name="_id")}, "invalid_argument", "'_id' is no field of numbers"),
        ({"scoreModifiers": entry(field_name="a", odd=1)}, "invalid_argument", "unknown key 'odd'"),
        ({"scoreModifiers": entry(field_name="a", weight="2")}, "invalid_argument", "given: '2'"),
        ({"scoreModifiers": entry(field_name="a", weight=True)}, "invalid_argument", "given: True"),
        ({"scoreModifiers": entry(field_name="a", weight=None)}, "invalid_argument", "given: None"),
        ({"scoreModifiers": {"add_to_score": ["a"]}}, "invalid_argument", "add_to_score[0]"),
        ({"boost": {"title": 2}}, "invalid_argument", "boost.title must be a list"),
        ({"boost": {"title": []}}, "invalid_argument", "boost.title must be a list"),
        ({"boost": {"title": [1, 2, 3]}}, "invalid_argument", "boost.title must be a list"),
        ({"boost": {"title": ["2"]}}, "invalid_argument", "boost.title: the weight must be a number"),
        ({"boost": {"title": [True]}}, "invalid_argument", "boost.title: the weight must be a number"),
        ({"boost": {"title": [1, None]}}, "invalid_argument", "boost.title"),
        ({"boost": {"a.b": [1]}}, "invalid_field_name", "a.b"),
        ({"boost": {"title": [1]}, "searchableAttributes": ["body"]}, "invalid_argument", "not one of 'searchable"),
        ({"boost": {"title": [1]}, "searchMethod": "LEXICAL"}, "invalid_argument", "not with LEXICAL"),
        ({"boost": {"title": [1]}, "searchMethod": "lexical"}, "invalid_argument", "not with LEXICAL"),
        ({"boost": {"title": [1]}, "searchMethod": "HYBRID"}, "invalid_argument", "not with HYBRID"),
    ],
)
def test_bad_changes_are_refused_by_name(
    sidecar: Sidecar, filled: str, body: dict[str, Any], code: str, told: str
) -> None:
    answered = sidecar.post(f"/indexes/{filled}/search", {"q": "x", **body})
    assert (answered.status_code, answered.json()["code"]) == (400, code)
    assert told in answered.json()["message"]


@pytest.mark.parametrize("key", ["boost", "scoreModifiers"])
def test_changes_that_are_no_objects_are_422(sidecar: Sidecar, filled: str, key: str) -> None:
    answered = sidecar.post(f"/indexes/{filled}/search", {"q": "x", key: [1]})
    assert answered.status_code == 422
    assert answered.json()["detail"][0]["type"] == "type_error.dict"
