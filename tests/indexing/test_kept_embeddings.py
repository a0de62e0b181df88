"""Which stored embeddings are found again; on a real node, whose answers' shape matters."""

from __future__ import annotations

from typing import Any

import numpy as np
import orjson
import pytest

from sidecar.indexing.kept_embeddings import CHUNKS_AT_ONCE, find_kept_embeddings
from sidecar.opensearch.bulk_actions import BulkAction, FieldEmbedding, encode_source
from sidecar.opensearch.bulk_writer import BulkWriter
from sidecar.opensearch.client import Cluster
from sidecar.opensearch.index_states import IndexStates
from sidecar.opensearch.stored_chunks import MAX_READABLE_CHUNKS
from sidecar.opensearch.transport import Transport
from tests.rooms import SETTINGS, CallCounts, Rooms

FIELDS = ("title", "my, field*")


@pytest.fixture
def calls() -> CallCounts:
    return CallCounts()


@pytest.fixture
def counted(transport: Transport, calls: CallCounts) -> Cluster:
    return Cluster(transport, observe=calls)


@pytest.fixture
def index(rooms: Rooms, index_name: str) -> str:
    """An index with room for the embeddings of two fields."""
    rooms.create(index_name, SETTINGS)
    IndexStates(rooms.cluster).ensure_embedded_fields(index_name, FIELDS)
    return index_name


def embedding(content_hash: str | None, count: int = 1, seed: int = 0) -> FieldEmbedding:
    vectors = np.random.default_rng(seed).standard_normal((count, 32)).astype(np.float32)
    return FieldEmbedding(vectors, [(n, n + 1) for n in range(count)], content_hash)


def store(cluster: Cluster, index: str, documents: dict[str, dict[str, FieldEmbedding]]) -> None:
    actions = [
        BulkAction(document_id, encode_source(orjson.dumps({"n": 1}), fields))
        for document_id, fields in documents.items()
    ]
    assert {result.status for result in BulkWriter(cluster).write(index, actions)} == {201}


def assert_equal(found: FieldEmbedding, wanted: FieldEmbedding) -> None:
    np.testing.assert_array_equal(found.vectors, wanted.vectors)
    assert found.vectors.dtype == np.float32
    assert (list(found.spans), found.content_hash) == (list(wanted.spans), wanted.content_hash)


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("count", [1, 5])
def test_an_embedding_of_equal_content_is_found_as_it_was_stored(
    cluster: Cluster, index: str, field: str, count: int
) -> None:
    wanted = embedding("same", count)
    store(cluster, index, {"1": {field: wanted}})
    found = find_kept_embeddings(cluster, index, {"1": {field: "same"}})
    assert set(found) == {"1"}
    assert_equal(found["1"][field], wanted)


def test_contents_of_chunks_are_found_with_them(cluster: Cluster, index: str) -> None:
    plain = embedding("same", 2)
    wanted = FieldEmbedding(plain.vectors, plain.spans, "same", [None, "[0.0, 0.0, 1.0, 1.0]"])
    store(cluster, index, {"1": {"title": wanted}})
    found = find_kept_embeddings(cluster, index, {"1": {"title": "same"}})["1"]["title"]
    assert_equal(found, wanted)
    assert found.contents == wanted.contents


@pytest.mark.parametrize(
    "stored", [{}, {"title": embedding("other")}, {"title": embedding(None)}, {"my, field*": embedding("same")}]
)
def test_other_content_is_not_found_and_no_vector_is_read(
    counted: Cluster, calls: CallCounts, index: str, stored: dict[str, Any]
) -> None:
    store(counted, index, {"1": stored})
    assert find_kept_embeddings(counted, index, {"1": {"title": "same"}, "none": {"title": "same"}}) == {}
    assert calls["read_documents"] == 1


def test_of_each_document_only_the_unchanged_fields_are_found(cluster: Cluster, index: str) -> None:
    title, text = embedding("t", 3, seed=1), embedding("x", 2, seed=2)
    store(cluster, index, {document_id: dict(zip(FIELDS, (title, text), strict=True)) for document_id in "123"})
    wanted = {
        "1": dict(zip(FIELDS, ("t", "new"), strict=True)),
        "2": dict(zip(FIELDS, ("new", "x"), strict=True)),
        "3": dict(zip(FIELDS, ("new", "new"), strict=True)),
    }
    found = find_kept_embeddings(cluster, index, wanted)
    assert {document_id: set(fields) for document_id, fields in found.items()} == {"1": {FIELDS[0]}, "2": {FIELDS[1]}}
    assert_equal(found["1"][FIELDS[0]], title)
    assert_equal(found["2"][FIELDS[1]], text)


def test_vectors_are_read_for_a_bounded_number_of_chunks_at_a_time(
    counted: Cluster, calls: CallCounts, index: str
) -> None:
    count = 2 * (CHUNKS_AT_ONCE // MAX_READABLE_CHUNKS) + 1
    documents = {f"{n}": {"title": embedding("same", MAX_READABLE_CHUNKS, seed=n)} for n in range(count)}
    store(counted, index, documents)
    found = find_kept_embeddings(counted, index, {document_id: {"title": "same"} for document_id in documents})
    assert calls["read_documents"] == 1 + 3, "the hashes, then two full groups and the last document"
    for document_id, fields in documents.items():
        assert_equal(found[document_id]["title"], fields["title"])


def test_documents_whose_vectors_the_cluster_mixes_up_are_not_found(cluster: Cluster, index: str) -> None:
    half = (MAX_READABLE_CHUNKS + 1) // 2
    documents = {
        **{f"one {n}": {"title": embedding("same", MAX_READABLE_CHUNKS + 1, seed=n)} for n in range(5)},
        **{f"two {n}": {field: embedding("same", half, seed=n) for field in FIELDS} for n in range(5)},
    }
    store(cluster, index, documents)
    assert find_kept_embeddings(cluster, index, {document_id: {"title": "same"} for document_id in documents}) == {}
