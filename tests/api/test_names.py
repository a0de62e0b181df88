from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.api.schemas.names import (
    check_document_id,
    check_field_name,
    check_index_name,
    check_reserved_index_name,
    is_reserved_index_name,
)
from sidecar.errors import InvalidDocumentId, InvalidFieldName, InvalidIndexName
from sidecar.opensearch.client import Cluster


@pytest.mark.parametrize("name", ["a", "my-index_1", "a.b", "büch", "1", "a+b", "語" * 85])
def test_index_name_is_taken(name: str) -> None:
    check_index_name(name)
    check_reserved_index_name(name)


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("", "empty"),
        ("ABC", "lower case"),
        ("É", "lower case"),
        ("a,b", "','"),
        ("a b*", r"' ' '\*'"),
        ("a/b", "'/'"),
        ("a:b", "':'"),
        ("a#b", "'#'"),
        ("_a", "start with '_'"),
        ("-a", "start with '-'"),
        ("+a", r"start with '\+'"),
        (".", "'.' or '..'"),
        ("..", "'.' or '..'"),
        ("a" * 256, "256 bytes long; the limit is 255"),
        ("語" * 86, "258 bytes"),
    ],
)
def test_index_name_is_refused_with_its_rule(name: str, rule: str) -> None:
    with pytest.raises(InvalidIndexName, match=rule):
        check_index_name(name)


@pytest.mark.parametrize(
    "name", ["bulk", ".opendistro_security", "security-auditlog-2024.01", ".kibana", ".kibana_1", ".opendistro-x"]
)
def test_reserved_index_name_is_refused(name: str) -> None:
    assert is_reserved_index_name(name)
    with pytest.raises(InvalidIndexName, match="reserved"):
        check_reserved_index_name(name)


@pytest.mark.parametrize("name", ["ABC", "a,b", "_a", "-a", "a b", "a" * 256, "a:b", "a#b", ".."])
def test_index_name_is_one_that_the_cluster_refuses_too(cluster: Cluster, name: str) -> None:
    with pytest.raises(InvalidIndexName):
        cluster.create_index(name, {})


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


@pytest.mark.parametrize(("document_id", "rule"), [("", "can't be empty"), ("é" * 257, "514 bytes long; the limit is 512")])
def test_document_id_is_refused_with_its_rule(document_id: str, rule: str) -> None:
    with pytest.raises(InvalidDocumentId, match=rule):
        check_document_id(document_id)


@given(st.text(alphabet=st.characters(), max_size=300))
def test_any_text_is_a_name_or_is_refused(text: str) -> None:
    for check, error in (
        (check_index_name, InvalidIndexName),
        (check_field_name, InvalidFieldName),
        (check_document_id, InvalidDocumentId),
    ):
        try:
            check(text)
        except error as refused:
            assert len(refused.message) < 400
