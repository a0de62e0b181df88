"""What older clusters are not sent."""

from __future__ import annotations

import json

import pytest

from sidecar.embedding.model_table import ModelTable
from sidecar.native.declarations.declaration import VectorField
from sidecar.native.embedder import QueryModel
from sidecar.native.errors import Refused
from sidecar.native.json.spans import read
from sidecar.native.queries.clause import read_clause
from sidecar.native.queries.fields import SearchedField
from sidecar.native.queries.grammar import QUERY, find_clauses
from sidecar.native.queries.knn import KnnWriter
from sidecar.opensearch.client import Version

SPEC = ModelTable().resolve("random/small")
FIELD = SearchedField((VectorField("v", 32),), QueryModel(SPEC, ""), is_everywhere=False)


def written(version: Version, **parameters: object) -> list[str]:
    """The parameters that a cluster of that version is sent."""
    data = json.dumps({"neural": {"v": {"query_text": "x", **parameters}}}).encode()
    (clause,) = find_clauses(read(data), QUERY, data)
    text = KnnWriter(version).member(read_clause(clause, data), FIELD, b"[1.0]", data=data, inner=[])
    return list(json.loads(b"{%b}" % text)["knn"]["v"])


@pytest.mark.parametrize(
    ("parameter", "value", "since"),
    [
        ("method_parameters", {"ef_search": 10}, (2, 16, 0)),
        ("rescore", {"oversample_factor": 2}, (2, 17, 0)),
        ("expand_nested_docs", True, (2, 19, 0)),
    ],
)
def test_parameters_that_only_tune_are_left_out(parameter: str, value: object, since: Version) -> None:
    older = (since[0], since[1] - 1, 9)
    assert written(since, k=1, **{parameter: value}) == ["vector", "k", parameter, "ignore_unmapped"]
    assert written(older, k=1, **{parameter: value}) == ["vector", "k", "ignore_unmapped"]


def test_indexes_without_the_vector_are_no_matter_for_clusters_that_do_not_know_how_to_pass_them_over() -> None:
    assert written((2, 11, 0)) == ["vector", "k", "ignore_unmapped"]
    assert written((2, 10, 0)) == ["vector", "k"]


def test_a_least_score_is_refused_where_the_cluster_knows_none() -> None:
    assert written((2, 14, 0), min_score=0.5) == ["vector", "min_score", "ignore_unmapped"]
    with pytest.raises(Refused) as refused:
        written((2, 13, 0), min_score=0.5)
    assert refused.value.message == "[neural] query does not support [min_score]"
