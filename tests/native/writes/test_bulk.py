"""`_bulk` through the sidecar: what is stored, and what is answered."""

from __future__ import annotations

import gzip
import json
import re
import zlib
from typing import Any

import pytest

from tests.native.writes.written import BODY_VECTOR, DIMENSIONS, MODEL, VECTOR, Expected, Port, is_vector, make_index


def test_documents_get_vectors_of_their_texts(native: Port, direct: Port, index_name: str, expected: Expected) -> None:
    make_index(direct, index_name)
    lines = [
        {"index": {"_id": "1"}},
        '{"n":1e3, "body":"a cat", "z":1.50}',
        {"create": {"_id": "2"}},
        {"body": "a dog"},
    ]
    answer = native.bulk(f"/{index_name}/_bulk?refresh=true", *lines)
    assert [item[name]["status"] for item in answer["items"] for name in item] == [201, 201]
    for document_id, text in (("1", "a cat"), ("2", "a dog")):
        assert is_vector(direct.source(index_name, document_id)["body_vector"], expected(text))
    vector = expected("a dog").tolist()
    found = direct.done(
        "POST", f"/{index_name}/_search", {"query": {"knn": {"body_vector": {"vector": vector, "k": 1}}}}
    )
    assert [hit["_id"] for hit in found["hits"]["hits"]] == ["2"]


def test_the_documents_own_bytes_stay(native: Port, direct: Port, index_name: str) -> None:
    # Derived source, the default, writes documents anew when they are read.
    make_index(direct, index_name, **{"index.knn.derived_source.enabled": False})
    text = '{"n" : 1e3,"big":1234567890123456789,"body":"x\\u00e9 \\/", "a":{"a":[1.50, null]}}'
    native.bulk(f"/{index_name}/_bulk", {"index": {"_id": "1"}}, text)
    stored = direct.source_text(index_name, "1").decode()
    vector = json.loads(stored)["body_vector"]
    assert len(vector) == DIMENSIONS
    spliced = re.sub(r',"body_vector":\[[^]]*\]', "", stored)
    assert spliced == text
    numbers = stored[stored.index("[") + 1 : stored.index("]")].split(",")
    assert all(("." in number or "e" in number) and len(number) <= 14 for number in numbers)


def test_nothing_is_computed_of_what_has_no_text(native: Port, direct: Port, index_name: str) -> None:
    make_index(direct, index_name)
    documents: list[Any] = [{"n": 1}, {"body": None}, {"body": ""}, {"body": " \t"}, {"x": {"body": "no"}}]
    lines = [line for number, document in enumerate(documents) for line in ({"index": {"_id": str(number)}}, document)]
    assert not native.bulk(f"/{index_name}/_bulk", *lines)["errors"]
    assert [direct.source(index_name, str(number)) for number in range(len(documents))] == documents


def test_a_vector_that_the_client_sends_is_kept_unless_the_field_replaces(
    native: Port, direct: Port, index_name: str, expected: Expected
) -> None:
    replacing = {"other_vector": {"source": "body", "model": MODEL, "existing_vector": "replace"}}
    make_index(direct, index_name, BODY_VECTOR | replacing)
    own = [0.5] * DIMENSIONS
    lines = [
        {"index": {"_id": "1"}},
        {"body_vector": own, "body": "a cat", "other_vector": own},
        {"index": {"_id": "2"}},
        {"body_vector": None, "body": "a cat"},
    ]
    assert not native.bulk(f"/{index_name}/_bulk", *lines)["errors"]
    first, second = direct.source(index_name, "1"), direct.source(index_name, "2")
    assert first["body_vector"] == own
    assert is_vector(first["other_vector"], expected("a cat"))
    assert is_vector(second["body_vector"], expected("a cat"))


def test_dotted_keys_and_objects_keep_their_spelling(
    native: Port, direct: Port, index_name: str, expected: Expected
) -> None:
    properties = {"a": {"properties": {"v": VECTOR}}}
    make_index(direct, index_name, {"a.v": {"source": "a.t", "model": MODEL}}, properties)
    lines = [{"index": {"_id": "1"}}, {"a": {"t": "one", "x": 1}}, {"index": {"_id": "2"}}, {"a.t": "two", "a.x": 1}]
    assert not native.bulk(f"/{index_name}/_bulk?refresh=true", *lines)["errors"]
    assert is_vector(direct.source(index_name, "1")["a"]["v"], expected("one"))
    count = direct.done("POST", f"/{index_name}/_count", {"query": {"exists": {"field": "a.v"}}})["count"]
    assert count == 2


def test_elements_of_a_nested_list_have_vectors_of_their_own(
    native: Port, direct: Port, index_name: str, expected: Expected
) -> None:
    properties = {"l": {"type": "nested", "properties": {"v": VECTOR}}}
    make_index(direct, index_name, {"l.v": {"source": "l.t", "model": MODEL}}, properties)
    native.bulk(f"/{index_name}/_bulk", {"index": {"_id": "1"}}, {"l": [{"t": "one"}, {"x": 1}, {"t": "two"}]})
    stored = direct.source(index_name, "1")["l"]
    assert is_vector(stored[0]["v"], expected("one"))
    assert "v" not in stored[1]
    assert is_vector(stored[2]["v"], expected("two"))


def test_a_nested_vector_has_an_entry_for_each_chunk(
    native: Port, direct: Port, index_name: str, expected: Expected
) -> None:
    fields = {"chunks.v": {"source": "body", "model": MODEL, "chunk_text": "text"}}
    make_index(direct, index_name, fields, {"chunks": {"type": "nested", "properties": {"v": VECTOR}}})
    text = "One is here. Two is there. Three is gone."
    native.bulk(f"/{index_name}/_bulk", {"index": {"_id": "1"}}, {"body": text})
    first, second = direct.source(index_name, "1")["chunks"]
    assert (first["text"], second["text"]) == ("One is here. Two is there.", "Three is gone.")
    assert is_vector(second["v"], expected("Three is gone."))


def test_several_sources_make_one_vector_by_their_weights(
    native: Port, direct: Port, index_name: str, expected: Expected
) -> None:
    sources = [{"field": "title", "weight": 0.75}, {"field": "body", "weight": 0.25}]
    make_index(direct, index_name, {"v": {"source": sources, "model": MODEL}})
    native.bulk(
        f"/{index_name}/_bulk",
        {"index": {"_id": "1"}},
        {"title": "a cat", "body": "a dog"},
        {"index": {"_id": "2"}},
        {"body": "a dog"},
    )
    mean = 0.75 * expected("a cat") + 0.25 * expected("a dog")
    assert is_vector(direct.source(index_name, "1")["v"], mean / (mean @ mean) ** 0.5)
    assert is_vector(direct.source(index_name, "2")["v"], expected("a dog"))


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_compressed_bodies_are_embedded(native: Port, direct: Port, index_name: str, encoding: str) -> None:
    make_index(direct, index_name)
    body = b'{"index":{"_id":"1"}}\n{"body":"a cat"}\n'
    packed = gzip.compress(body) if encoding == "gzip" else zlib.compress(body)
    assert not native.done("POST", f"/{index_name}/_bulk", packed, content_encoding=encoding)["errors"]
    assert "body_vector" in direct.source(index_name, "1")


def test_a_body_that_is_not_what_it_claims_is_refused(native: Port, direct: Port, index_name: str) -> None:
    make_index(direct, index_name)
    answer = native.send("POST", f"/{index_name}/_bulk", b'{"index":{}}\n{}\n', content_encoding="gzip")
    assert answer.status == 400
    assert answer.json()["error"]["type"] == "illegal_argument_exception"


def test_targets_of_one_request_mix(native: Port, direct: Port, index_name: str) -> None:
    make_index(direct, index_name)
    plain = f"{index_name}-plain"
    direct.done("PUT", f"/{plain}", {})
    try:
        lines = [
            {"index": {"_index": plain, "_id": "1"}},
            {"body": "a cat"},
            {"index": {"_index": index_name, "_id": "1"}},
            {"body": "a cat"},
            {"delete": {"_index": plain, "_id": "missing"}},
        ]
        answer = native.bulk("/_bulk", *lines)
        assert not answer["errors"]
        assert answer["items"][2]["delete"]["status"] == 404
        assert direct.source(plain, "1") == {"body": "a cat"}
        assert "body_vector" in direct.source(index_name, "1")
    finally:
        direct.done("DELETE", f"/{plain}")


def test_aliases_lead_to_their_indexes(native: Port, direct: Port, index_name: str) -> None:
    make_index(direct, index_name)
    alias = f"{index_name}-alias"
    direct.done("POST", "/_aliases", {"actions": [{"add": {"index": index_name, "alias": alias}}]})
    native.bulk(f"/{alias}/_bulk", {"index": {"_id": "1"}}, {"body": "a cat"})
    assert "body_vector" in direct.source(index_name, "1")


POISON = [
    {"index": {"_id": "1"}},
    {"body": "a cat"},
    {"index": {"_id": "2"}},
    {"body": 7},
    {"create": {"_id": "3"}},
    {"body": ["a", "b"]},
    {"index": {"_id": "4"}},
    {"body": "a dog"},
    {"delete": {"_id": "5"}},
]


def test_documents_that_cannot_be_embedded_fail_alone_in_their_places(
    native: Port, direct: Port, index_name: str
) -> None:
    make_index(direct, index_name)
    body = "".join(json.dumps(line) + "\n" for line in POISON)
    answer = native.send("POST", f"/{index_name}/_bulk?refresh=true", body)
    assert re.match(rb'\{"took":\d+,"errors":true,"items":\[\{"index":\{"_index":', answer.body)
    items = answer.json()["items"]
    assert [(name, item[name]["_id"], item[name]["status"]) for item in items for name in item] == [
        ("index", "1", 201),
        ("index", "2", 400),
        ("create", "3", 400),
        ("index", "4", 201),
        ("delete", "5", 404),
    ]
    assert items[1]["index"] == {
        "_index": index_name,
        "_id": "2",
        "status": 400,
        "error": {
            "type": "mapper_parsing_exception",
            "reason": "failed to embed field [body]: it must be a string, not a number",
        },
    }
    assert answer.header("content-type") == "application/json; charset=UTF-8"
    assert direct.done("GET", f"/{index_name}/_count")["count"] == 2


def test_a_merged_answer_obeys_filter_path_and_pretty(native: Port, direct: Port, index_name: str) -> None:
    make_index(direct, index_name)
    path = f"/{index_name}/_bulk?filter_path=errors,took,items.*.error&pretty"
    body = "".join(json.dumps(line) + "\n" for line in POISON)
    text = native.send("POST", path, body).body.decode()
    assert text.startswith('{\n  "took" : ')
    found = json.loads(text)
    assert list(found) == ["took", "errors", "items"]
    assert [next(iter(item.values())).keys() for item in found["items"]] == [{"error"}, {"error"}]


def test_where_all_is_poison_nothing_is_sent(native: Port, direct: Port, index_name: str) -> None:
    make_index(direct, index_name)
    answer = native.send("POST", f"/{index_name}/_bulk", '{"index":{}}\n{"body":{}}\n', x_opaque_id="mine")
    assert answer.json()["items"][0]["index"]["status"] == 400
    assert answer.header("x-opaque-id") == "mine"


@pytest.mark.parametrize(
    "lines",
    [
        ['{"index":{"_id":"1"}}', '{"body":"a cat"}', '{"index":{"_id":"2","_type":"x"}}', '{"body":"a"}'],
        ['{"index":{"_id":"1"}}', '{"body":"a cat"}', "not json", '{"body":"a"}'],
        ['{"index":{"_id":"1"}}', '{"body":"a cat"}', '{"update":{"_id":"1"}}', "not json"],
        ['{"index":{"_id":"1"}}', '{"body":"a cat"}', '{"index":{"_id":"2"}}', '{"body":'],
        ['{"index":{"_id":"1"}}', '{"body":"a cat"}', '{"index":{"_id":"2"}}', ""],
    ],
)
def test_bad_lines_are_told_as_the_cluster_tells_them(
    native: Port, direct: Port, index_name: str, lines: list[str]
) -> None:
    make_index(direct, index_name)
    plain = f"{index_name}-plain"
    make_index(direct, plain, {})
    try:
        body = "".join(line + "\n" for line in lines)
        through, straight = (
            native.send("POST", f"/{index_name}/_bulk", body),
            direct.send("POST", f"/{plain}/_bulk", body),
        )
        assert _comparable(through.body, index_name) == _comparable(straight.body, plain)
        assert through.status == straight.status
    finally:
        direct.done("DELETE", f"/{plain}")


def _comparable(body: bytes, index: str) -> str:
    return re.sub(r'"took":\d+', "", body.decode().replace(index, "the-index"))
