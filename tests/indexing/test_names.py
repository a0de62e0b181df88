from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.errors import InvalidDocumentId, InvalidFieldName
from sidecar.indexing.names import check_document_id, check_field_name


@pytest.mark.parametrize("name", ["title", "my field", "a-b", "語", "_x", "__x", "a*b", "a%b", " "])
def test_field_name_is_taken(name: str) -> None:
    assert check_field_name(name) == name


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("", "empty"),
        ("a.b", "a dot"),
        ("a/b", "a slash"),
        ("a\nb", "a line break"),
        ("__vector_x", "'__vector_'"),
        ("__chunks", "'__chunks'"),
        ("__embeddings", "'__embeddings'"),
        ("__embeddings_x", "'__embeddings'"),
        ("_highlights", "reserved"),
        ("_score", "reserved"),
        ("_found", "reserved"),
        ("__chunk_ids", "reserved"),
        (5, "must be a string"),
        (None, "must be a string"),
    ],
)
def test_field_name_is_refused_with_its_rule(name: object, rule: str) -> None:
    with pytest.raises(InvalidFieldName, match=rule):
        check_field_name(name)


@pytest.mark.parametrize("document_id", ["1", "a/b c", "é" * 256, " "])
def test_document_id_is_taken(document_id: str) -> None:
    assert check_document_id(document_id) == document_id


@pytest.mark.parametrize("document_id", [5, None, 1.5, ["a"], {}, True])
def test_document_id_that_is_no_string_is_refused(document_id: object) -> None:
    with pytest.raises(InvalidDocumentId, match=r"^Document _id must be a string"):
        check_document_id(document_id)


@pytest.mark.parametrize(
    ("document_id", "rule"), [("", "can't be empty"), ("é" * 257, "514 bytes long; the limit is 512")]
)
def test_document_id_is_refused_with_its_rule(document_id: str, rule: str) -> None:
    with pytest.raises(InvalidDocumentId, match=rule):
        check_document_id(document_id)


@given(st.text(max_size=300))
def test_any_text_is_a_name_or_is_refused(text: str) -> None:
    for check, error in ((check_field_name, InvalidFieldName), (check_document_id, InvalidDocumentId)):
        try:
            assert check(text) == text
        except error as refused:
            assert len(refused.message) < 400
