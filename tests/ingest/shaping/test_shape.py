"""Records become documents."""

from __future__ import annotations

import copy
import datetime
import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.errors import InvalidArgument
from sidecar.indexing.custom_vectors import VectorRules
from sidecar.indexing.requests import AddDocuments
from sidecar.indexing.validation import DocumentRules, validate_document
from sidecar.ingest.shaping.ids import made_id
from sidecar.ingest.shaping.shape import DocumentShape
from sidecar.ingest.sources.source import Record


def record(document: dict[str, Any] | None, *, row: int = 0, part: str = "a.jsonl", **fields: Any) -> Record:
    return Record(part, row, document, 10, **fields)


def shaped(document: dict[str, Any], **shape: Any) -> dict[str, Any]:
    """The document without an id."""
    before = copy.deepcopy(document)
    made = DocumentShape(**shape).document(record(document, document_id="id"))
    assert document == before, "the record must stay as it is"
    assert made.pop("_id") == "id"
    return made


@pytest.mark.parametrize(
    ("document", "id_field", "source_id", "expected"),
    [
        ({"_id": "a"}, None, None, "a"),
        ({"_id": "a"}, None, "path", "a"),
        ({"_id": None, "x": 1}, None, "path", "path"),
        ({"x": 1}, None, "path", "path"),
        ({"sku": "s-1", "_id": "a"}, "sku", "path", "s-1"),
        ({"sku": 12}, "sku", None, "12"),
        ({"meta": {"id": 7}}, "meta.id", None, "7"),
        ({"meta.id": "flat", "meta": {"id": 7}}, "meta.id", None, "flat"),
        ({"_id": 7}, None, None, "7"),
    ],
)
def test_the_id_is_the_fields_or_the_sources(
    document: dict[str, Any], id_field: str | None, source_id: str | None, expected: str
) -> None:
    made = DocumentShape(id_field=id_field).document(record(document, document_id=source_id))
    assert made["_id"] == expected
    assert made.keys() - {"_id"} == {name for name, value in document.items() if name != "_id" and value is not None}


@pytest.mark.parametrize("value", [None, "", 1.5, 1.0, True, ["a"], {"a": 1}])
def test_an_id_that_is_no_string_or_whole_number_is_refused(value: Any) -> None:
    with pytest.raises(InvalidArgument, match="field 'sku', which has the id"):
        DocumentShape(id_field="sku").document(record({"sku": value}))


def test_a_missing_id_field_is_refused_whatever_the_source_says() -> None:
    with pytest.raises(InvalidArgument, match="field 'sku', which has the id, is not there"):
        DocumentShape(id_field="sku").document(record({"_id": "a"}, document_id="b"))


def test_records_without_ids_get_one_of_their_place() -> None:
    shape = DocumentShape()
    made = {
        shape.document(record({"x": 1}, row=row, part=part))["_id"] for row in range(100) for part in ("a", "b", "b\n1")
    }
    assert len(made) == 300
    # Stored documents have it: it must never change.
    assert made_id(record({}, row=7, part="folder/a.jsonl")) == "3ea8a3cdb28b7546356c"


def test_fields_are_kept_dropped_and_renamed() -> None:
    row = {"title": "t", "body": "b", "meta": {"author": {"name": "n", "age": 3}, "year": 2024}, "gone": None}
    assert shaped(row) == {"title": "t", "body": "b", "meta": row["meta"]}
    assert shaped(row, keep=("title", "gone", "missing")) == {"title": "t"}
    assert shaped(row, drop=("meta", "body")) == {"title": "t"}
    assert shaped(row, keep=("title",), rename={"meta.year": "year"}) == {"title": "t", "year": 2024}
    assert shaped(row, rename={"body": "text", "missing": "x"}) == {"title": "t", "text": "b", "meta": row["meta"]}
    assert shaped(row, rename={"meta.author.name": "author"}, drop=("title", "body")) == {
        "author": "n",
        "meta": {"author": {"age": 3}, "year": 2024},
    }
    everything = {"meta.author.name": "author", "meta.author.age": "age", "meta.year": "year"}
    assert shaped(row, rename=everything, drop=("title", "body")) == {"author": "n", "age": 3, "year": 2024}


def test_names_may_change_places() -> None:
    assert shaped({"a": 1, "b": 2}, rename={"a": "b", "b": "a"}) == {"b": 1, "a": 2}


def test_a_name_that_two_fields_would_have_is_refused() -> None:
    with pytest.raises(InvalidArgument, match="field 'text' is there twice"):
        shaped({"body": "b", "text": "t"}, rename={"body": "text"})
    assert shaped({"body": "b", "text": "t"}, rename={"body": "text"}, drop=("text",)) == {"text": "b"}


def test_types_are_those_of_the_documents_names_and_set_values_hold() -> None:
    row = {"pages": "12", "tags": "a, b", "lang": "de"}
    made = shaped(
        row,
        rename={"pages": "page_count"},
        types={"page_count": "int", "tags": "list", "absent": "int"},
        set={"lang": "en", "added": datetime.date(2024, 2, 29)},
    )
    assert made == {"page_count": 12, "tags": ["a", "b"], "lang": "en", "added": "2024-02-29"}


def test_a_json_null_is_no_value() -> None:
    assert shaped({"a": "null", "b": "{}"}, types={"a": "json", "b": "json"}) == {"b": {}}


def test_values_of_python_become_json() -> None:
    row = {"vector": np.array([0.5], np.float32), "n": np.int64(3), "when": datetime.datetime(2024, 2, 29)}
    assert shaped(row) == {"vector": [0.5], "n": 3, "when": "2024-02-29T00:00:00"}


VECTOR = [0.25, 0.5]


@pytest.mark.parametrize(
    "value", [VECTOR, json.dumps(VECTOR), np.array(VECTOR, np.float32), {"vector": VECTOR, "content": "a text"}]
)
def test_precomputed_vectors_are_taken_by_the_write_path(value: Any) -> None:
    shape = DocumentShape(precomputed={"embedding": "title"}, tensor_fields=("title",))
    document = shape.document(record({"title": "a text", "embedding": value}))
    request = AddDocuments([document], shape.embedded_fields, None, mappings=shape.mappings())
    rules = DocumentRules(request, 10_000, lambda field: VectorRules(2, "cosinesimil"))
    valid = validate_document(0, document, rules)
    assert valid.vectors["embedding"].vector.tolist() == VECTOR
    assert valid.vectors["embedding"].content == "a text"
    assert valid.texts == {"title": "a text"}
    assert shape.embedded_fields == ("title", "embedding")


def test_precomputed_vectors_may_have_no_text_or_be_missing() -> None:
    shape = {"precomputed": {"embedding": None}}
    assert shaped({"embedding": VECTOR}, **shape) == {"embedding": {"content": "", "vector": VECTOR}}
    assert shaped({"title": "t"}, **shape) == {"title": "t"}


@pytest.mark.parametrize("value", ["no vector", 7, {"content": "x"}, {"vector": 7}, "7"])
def test_what_is_no_vector_is_told(value: Any) -> None:
    with pytest.raises(InvalidArgument, match="field 'embedding', precomputed, "):
        shaped({"embedding": value}, precomputed={"embedding": None})


@pytest.mark.parametrize(
    ("shape", "told"),
    [
        ({"rename": {"a": "c", "b": "c"}}, "'c' is what two fields are renamed to"),
        ({"rename": {"a": "c"}, "drop": ("a",)}, "'a' is renamed and dropped"),
        ({"keep": ("a",), "drop": ("a",)}, "'a' is kept and dropped"),
        ({"set": {"_id": "x"}}, "'_id' can't be set"),
        ({"rename": {"sku": "_id"}}, "'_id' can't be set, nor be what a field is renamed to"),
        ({"types": {"a": "number"}}, "'a' is to be 'number', which is no type; known are int, float"),
    ],
)
def test_a_shape_that_contradicts_itself_is_refused(shape: dict[str, Any], told: str) -> None:
    with pytest.raises(InvalidArgument, match=told):
        DocumentShape(**shape)


def test_a_row_that_cannot_be_read_says_why() -> None:
    with pytest.raises(InvalidArgument, match="not JSON"):
        DocumentShape().document(record(None, error="not JSON: cut off"))


NAMES = st.sampled_from(["a", "b", "c", "d"])


@given(
    st.dictionaries(NAMES, st.integers() | st.none() | st.dictionaries(NAMES, st.integers(), max_size=2)),
    st.dictionaries(NAMES | st.tuples(NAMES, NAMES).map(".".join), st.sampled_from(["x", "y"]), max_size=2),
    st.lists(NAMES, max_size=2),
)
def test_a_record_always_becomes_the_same_document_and_stays(
    row: dict[str, Any], rename: dict[str, str], drop: list[str]
) -> None:
    before = copy.deepcopy(row)
    try:
        shape = DocumentShape(rename=rename, drop=tuple(drop))
    except InvalidArgument:
        return
    first, second = (shape.document(record(row)) for _ in range(2))
    assert first == second
    assert row == before
    assert None not in first.values()


@pytest.mark.parametrize(
    ("shape", "needs_model"),
    [
        (DocumentShape(tensor_fields=("a",)), True),
        (DocumentShape(image_fields=("a",), precomputed={"b": None}), True),
        (DocumentShape(precomputed={"b": None}), False),
        (DocumentShape(), False),
    ],
)
def test_a_shape_whose_vectors_are_all_ready_needs_no_model(shape: DocumentShape, needs_model: bool) -> None:
    assert shape.needs_model is needs_model
