"""The fields of documents and their values, as those who write filters ask for them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fix_server import SMALL, Sidecar

NAME = "fields-of-documents"
ODD = ["two words", 'a "quote" \\ and [more] <1-2> ~#@&^', "Grüne, ΣΊΣΥΦΟΣ", "line\nbreak", "a.c", "abc"]


@pytest.fixture(scope="module")
def filled(sidecar: Sidecar) -> Iterator[str]:
    assert sidecar.post(f"/indexes/{NAME}", SMALL).status_code == 200
    documents = [
        {"_id": str(number), "title": "a title", "topic": value, "number": number, "is_odd": bool(number % 2)}
        for number, value in enumerate([*ODD, "abc"])
    ]
    combined = {"_id": "combined", "both": {"caption": "a part"}}
    sidecar.add(NAME, documents)
    body = {
        "documents": [combined],
        "tensorFields": ["both"],
        "mappings": {"both": {"type": "multimodal_combination", "weights": {"caption": 1}}},
    }
    assert sidecar.post(f"/indexes/{NAME}/documents?refresh=true", body).json()["errors"] is False
    yield NAME
    sidecar.delete(f"/indexes/{NAME}")


def values(sidecar: Sidecar, field: str, **query: Any) -> Any:
    answered = sidecar.get(f"/indexes/{NAME}/fields/{field}/values", params=query)
    assert answered.status_code == 200, answered.text
    return answered.json()


def test_fields_tell_their_type_and_what_is_embedded(sidecar: Sidecar, filled: str) -> None:
    found = sidecar.get(f"/indexes/{filled}/fields").json()["fields"]
    plain = {"embedded": None, "model": None}
    assert found == [
        {"name": "both", "type": "object", "embedded": "multimodal_combination", "model": "random/small"},
        {"name": "both.caption", "type": "text", **plain},
        {"name": "is_odd", "type": "boolean", **plain},
        {"name": "number", "type": "long", **plain},
        {"name": "title", "type": "text", "embedded": "text", "model": "random/small"},
        {"name": "topic", "type": "text", **plain},
    ]


def test_values_come_with_their_counts_the_most_frequent_first(sidecar: Sidecar, filled: str) -> None:
    found = values(sidecar, "topic", size=1)
    assert found == {"values": [{"value": "abc", "count": 2}], "others": 5}


def test_numbers_have_a_range_and_booleans_have_values(sidecar: Sidecar, filled: str) -> None:
    assert values(sidecar, "number")["max"] == 6
    assert values(sidecar, "is_odd", contains="t")["values"][0] == {"value": False, "count": 4}


@given(st.sampled_from(ODD).flatmap(lambda text: st.tuples(st.just(text), st.integers(0, 40), st.integers(1, 40))))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_value_is_found_by_any_part_of_it_in_any_case(
    sidecar: Sidecar, filled: str, part: tuple[str, int, int]
) -> None:
    text, start, length = part
    contained = text[start : start + length].swapcase() or text
    found = {each["value"] for each in values(sidecar, "topic", contains=contained)["values"]}
    assert text in found
    folded = contained.casefold()
    assert all(folded in value.casefold() for value in found)


def test_wrong_questions_are_refused_in_words(sidecar: Sidecar, filled: str) -> None:
    for path, named in (
        ("nothing/values", "nothing"),
        ("topic/values?size=0", "'size'"),
        ("topic/values?size=many", "'size'"),
        (f"topic/values?contains={'x' * 101}", "'contains'"),
    ):
        answered = sidecar.get(f"/indexes/{filled}/fields/{path}")
        assert (answered.status_code, answered.json()["code"]) == (400, "invalid_argument")
        assert named in answered.json()["message"]
    assert sidecar.get("/indexes/no-such-index/fields").status_code == 404
