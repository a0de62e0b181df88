from __future__ import annotations

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.opensearch.bulk_actions import BulkAction, FieldEmbedding, ItemResult, encode_source

VECTORS = np.array([[0.1, 1.0], [-2.5e-9, 3.0]], dtype=np.float32)
TITLE = FieldEmbedding(VECTORS, [(0, 3), (4, 7)], "abc")
TITLE_JSON = (
    b'"__embeddings":{"title":[{"vector":[0.1,1.0],"start":0,"end":3,"hash":"abc"},'
    b'{"vector":[-2.5e-9,3.0],"start":4,"end":7}]}}'
)


@pytest.mark.parametrize(
    ("document", "head"),
    [
        (b"{}", b"{"),
        (b" { } \n", b" {"),
        (b'{"a":1e3,"a":[{}]}', b'{"a":1e3,"a":[{}],'),
        (b'{"a":{}}', b'{"a":{},'),
        (b'{"a":"{"}', b'{"a":"{",'),
        (b'{"big":12345678901234567890123, "x":1.50 }', b'{"big":12345678901234567890123, "x":1.50,'),
    ],
)
def test_encode_source_adds_embeddings_and_leaves_the_document_s_bytes(document: bytes, head: bytes) -> None:
    assert encode_source(document, {"title": TITLE}) == head + TITLE_JSON


def test_encode_source_returns_the_document_when_nothing_is_embedded() -> None:
    assert encode_source(b'{"a": 1}', {}) == b'{"a": 1}'


def test_encode_source_quotes_field_names_and_leaves_out_a_hash_that_is_not_there() -> None:
    encoded = encode_source(b"{}", {"my title": FieldEmbedding(VECTORS[1:], [(0, 1)])})
    assert encoded == b'{"__embeddings":{"my%20title":[{"vector":[-2.5e-9,3.0],"start":0,"end":1}]}}'


def test_encode_source_takes_vectors_of_any_layout() -> None:
    turned = np.asfortranarray(VECTORS)
    assert encode_source(b"{}", {"title": FieldEmbedding(turned, TITLE.spans, "abc")}) == b"{" + TITLE_JSON


def test_encode_source_writes_bytes_as_whole_numbers_and_contents_where_there_are_some() -> None:
    embedding = FieldEmbedding(np.array([[-128, 127], [0, 1]], dtype=np.int8), [(0, 3), (0, 3)], None, [None, "[1.0]"])
    assert encode_source(b"{}", {"f": embedding}) == (
        b'{"__embeddings":{"f":[{"vector":[-128,127],"start":0,"end":3},'
        b'{"vector":[0,1],"start":0,"end":3,"content":"[1.0]"}]}}'
    )


@given(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=1, max_size=8))
def test_encode_source_writes_vectors_that_read_back_exactly(values: list[float]) -> None:
    vector = np.array([values], dtype=np.float32)
    encoded = encode_source(b"{}", {"f": FieldEmbedding(vector, [(0, 1)])})
    read = orjson.loads(encoded)["__embeddings"]["f"][0]["vector"]
    assert np.array_equal(np.array(read, dtype=np.float32), vector[0])


def test_an_action_is_two_lines_whatever_is_in_it() -> None:
    lines = BulkAction('a"\n', b'{"a":\n 1,\r\n"b":"x\\ny"}').as_lines()
    header, source, rest = lines.split(b"\n")
    assert orjson.loads(header) == {"index": {"_id": 'a"\n'}}
    assert orjson.loads(source) == {"a": 1, "b": "x\ny"}
    assert rest == b""


def test_an_action_without_a_source_deletes() -> None:
    assert BulkAction("1").as_lines() == b'{"delete":{"_id":"1"}}\n'


@pytest.mark.parametrize(
    ("status", "reason", "is_retryable", "is_disk_full"),
    [
        (429, "rejected execution", True, False),
        (503, "primary shard is not active", True, False),
        (400, "failed to parse", False, False),
        (
            429,
            "index [a] blocked by: [TOO_MANY_REQUESTS/12/disk usage exceeded flood-stage watermark];",
            False,
            True,
        ),
    ],
)
def test_a_result_says_whether_a_repeat_may_help(
    status: int, reason: str, is_retryable: bool, is_disk_full: bool
) -> None:
    error = {"type": "cluster_block_exception", "reason": reason}
    result = ItemResult.from_answer({"index": {"_id": "1", "status": status, "error": error}})
    assert (result.is_retryable, result.is_disk_full) == (is_retryable, is_disk_full)


def test_update_that_other_writers_overtook_is_repeated() -> None:
    error = {"type": "version_conflict_engine_exception", "reason": "[1]: version conflict"}
    assert ItemResult.from_answer({"update": {"_id": "1", "status": 409, "error": error}}).is_retryable


def test_update_says_so_in_its_line() -> None:
    header, source = BulkAction("1", b"{}", is_update=True).as_lines().splitlines()
    assert orjson.loads(header) == {"update": {"_id": "1", "retry_on_conflict": 3}}
    assert source == b"{}"
