from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sidecar.errors import (
    IndexAlreadyExists,
    IndexNotFound,
    InvalidIndexName,
    OpenSearchError,
    OpenSearchUnreachable,
    TooManyFields,
)
from sidecar.opensearch.address import ClusterAddress
from sidecar.opensearch.client import Cluster, ClusterFacts, SearchLine, parse_version
from sidecar.opensearch.connections import TransportOptions
from sidecar.opensearch.request_text import SourceFilter, encode_json, index_path
from sidecar.opensearch.transport import Transport
from tests.fault_server import FaultServer, answer

ONE_SHARD = {"settings": {"number_of_shards": 1, "number_of_replicas": 0}}
BULK = b'{"index":{"_id":"a/b c?"}}\n{"n":1,"secret":[1]}\n{"index":{"_id":"2"}}\n{"n":2}\n'


@pytest.fixture
def index(cluster: Cluster, index_name: str) -> str:
    """An index with two documents, `a/b c?` and `2`."""
    cluster.create_index(index_name, ONE_SHARD)
    assert [item["index"]["status"] for item in cluster.bulk(index_name, BULK, refresh=True)] == [201, 201]
    return index_name


def cluster_at(server: FaultServer) -> Cluster:
    return Cluster(Transport(ClusterAddress(server.url), TransportOptions()))


def test_facts_hold_the_version_which_is_read_once() -> None:
    with FaultServer([answer(b'{"version":{"number":"2.19.1"}}')]) as server:
        cluster = cluster_at(server)
        assert [cluster.facts(), cluster.facts()] == [ClusterFacts((2, 19, 1), is_embedded=False)] * 2
        assert len(server.requests) == 1


def test_version_asks_whether_it_is_opensearch_when_it_is_something_else() -> None:
    with FaultServer([answer(b"<html>")]) as server, pytest.raises(OpenSearchError, match="is it OpenSearch"):
        cluster_at(server).facts()
    other = answer(b'{"version":{"number":"x"}}')
    with FaultServer([other]) as server, pytest.raises(OpenSearchError, match="is it OpenSearch"):
        cluster_at(server).facts()


def test_version_is_read_again_after_a_failure() -> None:
    with FaultServer([b"", answer(b'{"version":{"number":"3.5.0-SNAPSHOT"}}')]) as server:
        cluster = cluster_at(server)
        with pytest.raises(OpenSearchUnreachable):
            cluster.facts()
        assert cluster.facts().version == (3, 5, 0)


def test_an_embedded_node_is_known_whatever_way_its_url_was_given(cluster: Cluster) -> None:
    assert cluster.facts().is_embedded


def test_parse_version_refuses_what_is_no_version() -> None:
    with pytest.raises(OpenSearchError, match="OPENSEARCH_URL"):
        parse_version("3.5")


def test_observe_hears_the_operation_and_its_seconds(transport: Transport) -> None:
    heard: list[tuple[str, float]] = []
    cluster = Cluster(transport, observe=lambda operation, seconds: heard.append((operation, seconds)))
    cluster.list_indexes()
    ((operation, seconds),) = heard
    assert operation == "list_indexes"
    assert 0 < seconds < 30


def test_create_index_refuses_a_name_that_is_taken(cluster: Cluster, index: str) -> None:
    with pytest.raises(IndexAlreadyExists, match=index):
        cluster.create_index(index, ONE_SHARD)


def test_create_index_tells_the_cluster_s_rule_for_names(cluster: Cluster) -> None:
    with pytest.raises(InvalidIndexName, match="must be lowercase"):
        cluster.create_index("ABC", ONE_SHARD)


def test_delete_index_takes_a_pattern_for_a_name(cluster: Cluster, index: str) -> None:
    with pytest.raises(IndexNotFound):
        cluster.delete_index(f"{index[:-1]}*")
    assert cluster.read_document(index, "2") == {"n": 2}


@pytest.mark.parametrize(
    "name", ["", "_all", "*", "a,b", "a*", "-a", "+a", ".", "..", "<a-{now/d}>", "a b", "a/b", "a?b"]
)
def test_index_path_has_no_place_for_what_is_no_single_index(name: str) -> None:
    with pytest.raises(IndexNotFound):
        index_path(name)


def test_index_path_quotes_what_is_not_plain() -> None:
    assert index_path("büch%er.x") == "/b%C3%BCch%25er.x"


def test_every_call_on_a_missing_index_says_that_it_is_missing(cluster: Cluster, index_name: str) -> None:
    calls: list[Any] = [
        lambda: cluster.delete_index(index_name),
        lambda: cluster.read_index(index_name),
        lambda: cluster.put_mapping(index_name, {}),
        lambda: cluster.refresh(index_name),
        lambda: cluster.search(index_name, {}),
        lambda: cluster.read_document(index_name, "1"),
        lambda: cluster.read_documents(index_name, ["1"]),
        lambda: cluster.count(index_name, []),
    ]
    for call in calls:
        with pytest.raises(IndexNotFound, match=index_name):
            call()


def test_read_document_finds_an_id_with_any_characters(cluster: Cluster, index: str) -> None:
    assert cluster.read_document(index, "a/b c?") == {"n": 1, "secret": [1]}
    assert cluster.read_document(index, "a/b c?", fields=SourceFilter(excludes=("secret*",))) == {"n": 1}
    assert cluster.read_document(index, "a/b c?", fields=SourceFilter(includes=("secret",))) == {"secret": [1]}
    assert cluster.read_document(index, "none") is None


def test_read_documents_keeps_the_order_and_leaves_holes(cluster: Cluster, index: str) -> None:
    found = cluster.read_documents(index, ["2", "none", "a/b c?", "2"], fields=SourceFilter(includes=("n",)))
    assert found == [{"n": 2}, None, {"n": 1}, {"n": 2}]
    assert cluster.read_documents(index, []) == []


def test_read_documents_chooses_among_more_fields_than_a_url_has_room_for(cluster: Cluster, index: str) -> None:
    fields = [f"a field that no document has {number}" for number in range(300)]
    includes = SourceFilter(includes=("n", "secret", *fields), excludes=("secret",))
    assert cluster.read_documents(index, ["2", "none", "a/b c?"], fields=includes) == [{"n": 2}, None, {"n": 1}]
    excludes = SourceFilter(excludes=("secret", *fields))
    assert cluster.read_documents(index, ["a/b c?"], fields=excludes) == [{"n": 1}]


def test_search_sends_numpy_vectors_as_they_are(cluster: Cluster, index: str) -> None:
    values = np.array([1, 7], dtype=np.float32)
    answer = cluster.search(index, {"query": {"terms": {"n": values}}})
    assert [hit["_id"] for hit in answer["hits"]["hits"]] == ["a/b c?"]
    assert encode_json({"v": np.array([0.1, 1], dtype=np.float32)}) == b'{"v":[0.1,1.0]}'


def test_search_tells_why_a_query_fails(cluster: Cluster, index: str) -> None:
    with pytest.raises(OpenSearchError, match=r"unknown query \[foo\]"):
        cluster.search(index, {"query": {"foo": {}}})


def test_search_many_answers_each_line_in_order_or_tells_why_not(cluster: Cluster, index: str) -> None:
    match = {"query": {"match_all": {}}}
    lines = [
        SearchLine(index, {"size": 0, **match}),
        SearchLine(f"{index}-not", match),
        SearchLine(index, {"query": {"term": {"n": "word"}}}),
        SearchLine(index, match),
    ]
    first, missing, refused, last = cluster.search_many(lines)
    assert isinstance(first, dict)
    assert isinstance(last, dict)
    assert [len(answer["hits"]["hits"]) for answer in (first, last)] == [0, 2]
    assert isinstance(missing, IndexNotFound)
    assert isinstance(refused, OpenSearchError)
    assert refused.upstream_type == "query_shard_exception"
    assert "For input string" in refused.message
    (alone,) = cluster.search_many([lines[2]])
    assert isinstance(alone, OpenSearchError)
    assert alone.upstream_type == "query_shard_exception"


@pytest.mark.parametrize("name", ["*", "_all", "a,b", ""])
def test_search_many_takes_no_pattern_for_a_name(cluster: Cluster, index: str, name: str) -> None:
    with pytest.raises(IndexNotFound):
        cluster.search_many([SearchLine(index, {}), SearchLine(name, {})])
    (alone,) = cluster.search_many([SearchLine(name, {})])
    assert isinstance(alone, IndexNotFound)


def test_search_many_routes_each_line(cluster: Cluster, index_name: str) -> None:
    cluster.create_index(index_name, {"settings": {"number_of_shards": 5, "number_of_replicas": 0}})
    body = b"".join(b'{"index":{"_id":"%d"}}\n{"n":%d}\n' % (number, number) for number in range(40))
    cluster.bulk(index_name, body, refresh=True)
    everything = {"query": {"match_all": {}}, "size": 100}
    whole, one, other = cluster.search_many(
        [SearchLine(index_name, everything), *(SearchLine(index_name, everything, key) for key in ("1", "a b&c"))]
    )
    counts = [len(answer["hits"]["hits"]) for answer in (whole, one, other) if isinstance(answer, dict)]
    assert counts[0] == 40
    assert all(count < 40 for count in counts[1:])
    assert one["_shards"]["total"] == other["_shards"]["total"] == 1  # type: ignore[index]


def test_refresh_counts_the_shards(cluster: Cluster, index: str) -> None:
    assert cluster.refresh(index) == {"total": 1, "successful": 1, "failed": 0}


def test_put_mapping_says_when_there_is_no_room(cluster: Cluster, index_name: str) -> None:
    cluster.create_index(index_name, {"settings": {**ONE_SHARD["settings"], "index.mapping.total_fields.limit": 1}})
    with pytest.raises(TooManyFields, match=r"total fields \[1\]"):
        cluster.put_mapping(index_name, {"properties": {"a": {"type": "text"}, "b": {"type": "text"}}})


def test_list_indexes_shows_those_of_the_sidecar_only(cluster: Cluster, index: str) -> None:
    own = f"{index}-own.x"
    cluster.create_index(own, {**ONE_SHARD, "mappings": {"_meta": {"sidecar": {"format": 1}}}})
    try:
        names = cluster.list_indexes()
    finally:
        cluster.delete_index(own)
    assert own in names
    assert index not in names
