from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.errors import DocumentTooLarge, InvalidArgument, InvalidDocumentId, InvalidFieldName, SidecarError
from sidecar.indexing.custom_vectors import VectorRules
from sidecar.indexing.requests import AddDocuments, CustomVector, FieldMapping, MultimodalCombination
from sidecar.indexing.validation import DocumentRules, ValidDocument, has_faulty_identity, validate_document

LIMIT = 1000


MAPPINGS: dict[str, FieldMapping] = {
    "combo": MultimodalCombination({"a": 1.0, "b": 2.0}),
    "own": CustomVector(),
}


def validate(
    document: object, *, tensor: tuple[str, ...] | None = None, non_tensor: tuple[str, ...] | None = None
) -> ValidDocument:
    if tensor is None and non_tensor is None:
        tensor = ("title", "combo", "own")
    request = AddDocuments([document], tensor, non_tensor, mappings=MAPPINGS)
    return validate_document(7, document, DocumentRules(request, LIMIT, lambda field: VectorRules(2, "cosinesimil")))


def test_a_valid_document_has_its_text_to_embed_and_its_json_without_the_id() -> None:
    document = {"_id": "a", "title": "x", "n": 1, "f": 1.5, "b": True, "tags": ["p", "q"], "none": []}
    valid = validate(document)
    assert (valid.position, valid.document_id, valid.has_own_id, valid.texts) == (7, "a", True, {"title": "x"})
    assert orjson.loads(valid.source) == {key: value for key, value in document.items() if key != "_id"}


def test_a_document_without_an_id_gets_one_of_its_own() -> None:
    one, two = validate({"title": "x"}), validate({"title": "x"})
    assert not one.has_own_id
    assert len(one.document_id) == 36
    assert one.document_id != two.document_id


def test_a_document_of_an_id_alone_is_fine() -> None:
    valid = validate({"_id": "x"})
    assert (valid.source, valid.texts) == (b"{}", {})


def test_all_strings_but_those_listed_are_embedded_with_non_tensor_fields() -> None:
    document = {"_id": "1", "a": "x", "b": "y", "n": 1, "tags": ["t"]}
    assert validate(document, non_tensor=("b", "tags")).texts == {"a": "x"}


def test_numbers_and_booleans_in_tensor_fields_are_stored_and_not_embedded() -> None:
    assert validate({"a": 1, "b": True, "c": 0.5}, tensor=("a", "b", "c")).texts == {}


@pytest.mark.parametrize("document", ["text", 5, None, ["a"], {}])
def test_what_is_no_document_is_refused(document: object) -> None:
    with pytest.raises(InvalidArgument, match="document"):
        validate(document)


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (None, "null"),
        ({"a": 1}, "an object"),
        ([1], "elements that are not strings"),
        (["a", None], "elements that are not strings"),
        ([["a"]], "elements that are not strings"),
        (math.nan, "nan"),
        (math.inf, "inf"),
    ],
)
def test_values_of_unsupported_types_are_refused_by_field(value: object, told: str) -> None:
    with pytest.raises(InvalidArgument, match=f"field 'other'.*{told}"):
        validate({"other": value})


def test_a_list_in_a_tensor_field_is_refused() -> None:
    with pytest.raises(InvalidArgument, match="'title' is a list, and embedded"):
        validate({"title": ["a"]})


def test_a_number_beyond_64_bits_is_refused() -> None:
    with pytest.raises(InvalidArgument, match="64-bit"):
        validate({"n": 2**70})


@pytest.mark.parametrize("name", ["", "a.b", "a/b", "a\nb", "__embeddings", "__chunks", "__vector_x", "_score"])
def test_reserved_and_impossible_field_names_are_refused(name: str) -> None:
    with pytest.raises(InvalidFieldName):
        validate({name: "x"})


@pytest.mark.parametrize("document_id", [5, "", None, True, ["a"], "x" * 513, "é" * 257])
def test_bad_ids_are_refused(document_id: object) -> None:
    with pytest.raises(InvalidDocumentId) as refused:
        validate({"_id": document_id, "title": "x"})
    assert has_faulty_identity(refused.value)


def test_an_id_of_512_bytes_is_taken() -> None:
    assert validate({"_id": "é" * 256}).document_id == "é" * 256


def test_a_documents_size_is_that_of_its_escaped_json() -> None:
    assert validate({"t": "x" * (LIMIT - len(json.dumps({"t": ""})))})
    for text in ("x" * LIMIT, "é" * (LIMIT // 6)):
        with pytest.raises(DocumentTooLarge, match=r"1,0\d\d bytes of JSON; the limit is 1,000") as refused:
            validate({"t": text})
        assert has_faulty_identity(refused.value)


def test_a_combination_is_stored_as_it_came_and_embedded_with_its_weights() -> None:
    document = {"_id": "1", "combo": {"b": "y", "a": "x"}}
    valid = validate(document)
    assert valid.combinations["combo"].members == (("b", "y", 2.0), ("a", "x", 1.0))
    assert (valid.texts, valid.embedded_fields) == ({}, ["combo"])
    assert orjson.loads(valid.source) == {"combo": {"b": "y", "a": "x"}}


def test_a_custom_vector_leaves_its_content_alone_in_the_document() -> None:
    valid = validate({"_id": "1", "own": {"content": "c", "vector": [1, -0.5]}, "n": 1})
    assert orjson.loads(valid.source) == {"own": "c", "n": 1}
    assert valid.vectors["own"].vector.tolist() == [1, -0.5]
    assert orjson.loads(validate({"own": {"vector": [1, 0]}}).source) == {"own": ""}


@pytest.mark.parametrize("name", ["a.b", "", "_score"])
def test_sub_fields_have_the_names_of_fields(name: str) -> None:
    with pytest.raises(InvalidFieldName):
        validate({"combo": {name: "x"}})


@pytest.mark.parametrize(
    "vector", [None, "1, 2", {}, [], [1], [1, 2, 3], [True, 1], ["1", 1], [None, 1], [math.inf, 1], [0, 0], [0, -0.0]]
)
def test_bad_vectors_are_refused_by_field(vector: object) -> None:
    with pytest.raises(InvalidArgument, match="field 'own'"):
        validate({"own": {"vector": vector}})


def test_numbers_of_any_kind_and_size_within_float32_are_taken_as_a_vector() -> None:
    for numbers in ([1, -0.5], [np.float64(0.25), 3], [3 * 10**38, 1e-50], [2**63, -(2**70)]):
        vector = validate({"own": {"vector": numbers}}).vectors["own"].vector
        assert vector.tolist() == [float(np.float32(float(number))) for number in numbers]


@pytest.mark.parametrize("number", [1e39, 10**39, 10**400, -math.inf, math.nan])
def test_a_number_beyond_float32_is_refused(number: float) -> None:
    with pytest.raises(InvalidArgument, match="beyond float32's range"):
        validate({"own": {"vector": [1, number]}})


def test_the_numbers_of_a_vector_count_in_a_documents_size() -> None:
    numbers = [0.12345678901234567, -1.2345678901234567e-30]
    room = LIMIT - len(json.dumps({"own": {"content": "", "vector": numbers}}))
    assert validate({"own": {"content": "x" * room, "vector": numbers}})
    with pytest.raises(DocumentTooLarge, match=f"{LIMIT + 1:,} bytes"):
        validate({"own": {"content": "x" * (room + 1), "vector": numbers}})


def test_a_string_or_number_in_a_mapped_field_is_ordinary() -> None:
    assert validate({"own": "text", "combo": "text"}).texts == {"own": "text", "combo": "text"}
    assert validate({"own": 5}).embedded_fields == []


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


names = st.sampled_from(["_id", "title", "n", "a.b", "", "combo", "own"]) | st.text()
objects = st.dictionaries(st.sampled_from(["a", "b", "content", "vector"]), values | st.just([1.0, 2.0]), max_size=3)


@given(st.dictionaries(names, values | objects, max_size=5))
def test_any_document_is_valid_or_refused_with_a_reason(document: dict[str, Any]) -> None:
    try:
        valid = validate(document)
    except SidecarError as error:
        assert error.status == 400
        assert error.message
        return
    assert len(json.dumps(document)) <= LIMIT
    wanted = {key: value for key, value in document.items() if key != "_id"}
    wanted |= {key: document[key].get("content", "") for key in valid.vectors}
    assert orjson.loads(valid.source) == wanted
