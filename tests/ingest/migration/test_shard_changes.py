"""Reading what a shard has changed, and versions that decide which of two writes holds."""

from __future__ import annotations

import json

import pytest

from sidecar.ingest.stored_documents import hits_of
from sidecar.opensearch.bulk_actions import BulkAction
from sidecar.opensearch.bulk_writer import BulkWriter
from sidecar.opensearch.client import Cluster
from sidecar.opensearch.concrete_index import find_index, names_beginning
from sidecar.opensearch.shard_changes import ShardChanges, count_documents, read_checkpoints
from tests.fix_opensearch import request
from tests.ingest.migration.migrating import ask, hits


@pytest.fixture
def plain_index(node: str, index_name: str) -> str:
    """An index of two shards with 30 documents, some of which were written twice, and some deleted."""
    ask(node, "PUT", f"/{index_name}", {"settings": {"number_of_shards": 2, "number_of_replicas": 0}})
    lines = []
    for number in [*range(40), *range(0, 40, 3)]:
        lines += [{"index": {"_id": str(number)}}, {"n": number, "pad": "x" * 100}]
    lines += [{"delete": {"_id": str(number)}} for number in range(30, 40)]
    body = "".join(json.dumps(line) + "\n" for line in lines)
    assert request(node, "POST", f"/{index_name}/_bulk?refresh=true", body)[0] == 200
    return index_name


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_each_document_is_told_once_by_its_last_change(cluster: Cluster, plain_index: str, size: int) -> None:
    found = []
    for shard, last in read_checkpoints(cluster, plain_index).items():
        after = -1
        for documents, told in ShardChanges(cluster, plain_index, shard, size).pages(-1, last, hits_of):
            assert len(documents) <= size
            assert all(after < document.seq_no <= told for document in documents)
            found += documents
            after = told
        assert after == last
    assert sorted(int(document.document_id) for document in found) == list(range(30))
    assert count_documents(cluster, plain_index) == 30
    assert found[0].source.text(found[0].data).startswith(b'{"n": ')


def test_changes_behind_a_number_are_those_that_came_later(node: str, cluster: Cluster, plain_index: str) -> None:
    before = read_checkpoints(cluster, plain_index)
    ask(node, "PUT", f"/{plain_index}/_doc/7?refresh=true", {"n": 70})
    after = read_checkpoints(cluster, plain_index, has_ended=True)
    (changed,) = [shard for shard in after if after[shard] != before[shard]]
    changes = ShardChanges(cluster, plain_index, changed, 10)
    pages = list(changes.pages(before[changed], after[changed], hits_of))
    assert [document.document_id for documents, _ in pages for document in documents] == ["7"]
    assert list(changes.pages(after[changed], after[changed], hits_of)) == []


def test_an_action_with_a_lower_version_than_what_is_there_does_nothing_and_is_not_repeated(
    node: str, cluster: Cluster, plain_index: str
) -> None:
    writer = BulkWriter(cluster, retry_deadline_seconds=20)
    ask(node, "POST", f"/{plain_index}/_doc/a?routing=r", {"n": 0})

    def write(*actions: BulkAction) -> list[bool]:
        return [result.is_conflict for result in writer.write(plain_index, actions)]

    assert write(BulkAction("b", b'{"n":1}', version=5), BulkAction("b", b'{"n":2}', version=5)) == [False, True]
    assert write(BulkAction("b", version=6), BulkAction("b", b'{"n":3}', version=6)) == [False, True]
    assert write(BulkAction("b", b'{"n":4}', version=7), BulkAction("a", b'{"n":5}', version=9, routing="r")) == [
        False,
        False,
    ]
    found = hits(node, plain_index)
    assert (found["b"]["_source"], found["b"]["_version"]) == ({"n": 4}, 7)
    assert (found["a"]["_source"], found["a"]["_routing"]) == ({"n": 5}, "r")


def test_names_are_found_by_their_beginning_as_indexes_and_as_aliases(
    node: str, cluster: Cluster, plain_index: str
) -> None:
    ask(node, "PUT", f"/{plain_index}/_alias/{plain_index}-v3")
    assert sorted(names_beginning(cluster, plain_index)) == [plain_index, f"{plain_index}-v3"]
    assert names_beginning(cluster, f"{plain_index}-v4") == []
    assert find_index(cluster, f"{plain_index}-v3").name == plain_index
