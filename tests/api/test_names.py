from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.api.schemas.names import check_index_name, check_reserved_index_name, is_reserved_index_name
from sidecar.errors import InvalidIndexName
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
    "name",
    ["bulk", ".opendistro_security", "security-auditlog-2024.01", ".kibana", ".kibana_1", ".opendistro-x"],
)
def test_reserved_index_name_is_refused(name: str) -> None:
    assert is_reserved_index_name(name)
    with pytest.raises(InvalidIndexName, match="reserved"):
        check_reserved_index_name(name)


@pytest.mark.parametrize("name", ["ABC", "a,b", "_a", "-a", "a b", "a" * 256, "a:b", "a#b", ".."])
def test_index_name_is_one_that_the_cluster_refuses_too(cluster: Cluster, name: str) -> None:
    with pytest.raises(InvalidIndexName):
        cluster.create_index(name, {})


@given(st.text(max_size=300))
def test_any_text_is_an_index_name_or_is_refused(text: str) -> None:
    try:
        check_index_name(text)
    except InvalidIndexName as refused:
        assert len(refused.message) < 400
