"""`semantic` fields: what the cluster gets, and what is kept of them."""

from __future__ import annotations

import json
from typing import Any, cast

import pytest

from sidecar.embedding.model_table import ModelTable
from sidecar.native.declarations.declaration import Entry, Existing
from sidecar.native.declarations.semantic import SemanticTranslation, translate_semantic
from sidecar.native.declarations.stored import read_declarations
from sidecar.native.embedder import NativeEmbedder
from sidecar.native.errors import Refused
from sidecar.native.json.edits import apply
from sidecar.native.json.spans import Object, read
from tests.fix_opensearch import request

_NONE = cast(Any, None)
EMBEDDER = NativeEmbedder(_NONE, _NONE, ModelTable(), aliases={"id-7": "random/small"}, device="cpu")
MODEL = {"properties": {name: {"type": "text", "index": False} for name in ("id", "name", "type")}}
VECTOR = {
    "type": "knn_vector",
    "dimension": 32,
    "method": {"name": "hnsw", "engine": "lucene", "space_type": "cosinesimil"},
}


def translated(mapping: bytes) -> tuple[bytes, SemanticTranslation]:
    node = read(mapping)
    assert isinstance(node, Object)
    translation = translate_semantic(node, mapping, EMBEDDER)
    return apply(mapping, translation.edits), translation


def field(**parameters: Any) -> bytes:
    return json.dumps({"properties": {"passage": {"type": "semantic", "model_id": "id-7", **parameters}}}).encode()


def test_a_plain_field_has_a_vector_beside_it() -> None:
    text, translation = translated(field())
    assert json.loads(text)["properties"] == {
        "passage": {"type": "text"},
        "passage_semantic_info": {"properties": {"embedding": VECTOR, "model": MODEL}},
    }
    assert translation.fields == {
        "passage_semantic_info.embedding": {
            "source": "passage",
            "model": "id-7",
            "dimension": 32,
            "existing_vector": "replace",
            "semantic": {"type": "semantic", "model_id": "id-7"},
        }
    }


def test_a_chunked_field_has_a_nested_list_beside_it() -> None:
    text, translation = translated(field(chunking=True, semantic_info_field_name="own"))
    chunks = {"type": "nested", "properties": {"text": {"type": "text"}, "embedding": VECTOR}}
    assert json.loads(text)["properties"]["own"] == {"properties": {"chunks": chunks, "model": MODEL}}
    kept = translation.fields["own.chunks.embedding"]
    assert kept["chunk_text"] == "text"
    assert [one["algorithm"] for one in kept["chunking"]] == ["fixed_token_length"]


def test_what_belongs_to_the_raw_type_keeps_its_bytes() -> None:
    text, _ = translated(
        b'{"dynamic": false, "properties" : {"p": { "model_id":"id-7",  "boost":1.50,"type" : "semantic",'
        b'"raw_field_type":"keyword", "copy_to":[ "all" ],"skip_existing_embedding":true } , "all":{"type":"text"}}}'
    )
    assert text.startswith(
        b'{"dynamic": false, "properties" : {"p": { "boost":1.50,"type" : "keyword","copy_to":[ "all" ] }'
        b',"p_semantic_info":{"properties":{"embedding":'
    )
    assert text.endswith(b'} , "all":{"type":"text"}}}')


def test_a_mapping_read_from_the_plugin_has_its_own_vector_replaced() -> None:
    mapping = json.loads(field())
    mapping["properties"]["passage_semantic_info"] = {"properties": {"embedding": {"type": "knn_vector"}}}
    text, _ = translated(json.dumps(mapping).encode())
    assert json.loads(text)["properties"]["passage_semantic_info"]["properties"]["embedding"] == VECTOR


def test_settings_of_the_vector_are_the_clients() -> None:
    dense = {"method": {"engine": "faiss", "parameters": {"m": 8}}}
    text, _ = translated(field(dense_embedding_config=dense))
    vector = json.loads(text)["properties"]["passage_semantic_info"]["properties"]["embedding"]
    assert vector["method"] == {"name": "hnsw", "engine": "faiss", "parameters": {"m": 8}, "space_type": "cosinesimil"}
    text, _ = translated(field(dense_embedding_config={"mode": "on_disk"}))
    vector = json.loads(text)["properties"]["passage_semantic_info"]["properties"]["embedding"]
    assert vector["mode"] == "on_disk"
    assert vector["method"] == {"name": "hnsw", "space_type": "cosinesimil"}


def test_fields_of_other_models_stay() -> None:
    for parameters in (
        {"model_id": "aVeif4oB5Vm0Tdw8zYO2"},
        {"search_model_id": "aVeif4oB5Vm0Tdw8zYO2"},
        {"model_id": None},
    ):
        mapping = field(**parameters)
        assert translated(mapping) == (mapping, SemanticTranslation([], {}))


@pytest.mark.parametrize(
    "mapping",
    [
        b"{}",
        b'{"properties":[]}',
        b'{"properties":{"a":5,"b":{"type":["semantic"]},"c":{"type":{}}}}',
        b'{"properties":{"a":{"type":"text","fields":{"s":{"type":"semantic","model_id":"id-7"}}}}}',
        b'{"properties":{"semantic":{"type":"text"}}}',
        b'{"properties":{"a":{"type":"semantic","type":"semantic","model_id":"id-7"}}}',
        b'{"properties":{"a":{"type":"semantic","model_id":"id-7","x":%b}}}' % (b"[" * 300 + b"]" * 300),
        b'{"properties":{"a":' * 400 + b"{}" + b"}}" * 400,
    ],
)
def test_other_mappings_stay(mapping: bytes) -> None:
    assert translated(mapping) == (mapping, SemanticTranslation([], {}))


@pytest.mark.parametrize(
    ("parameters", "reason"),
    [
        ({"raw_field_type": "date"}, "raw_field_type date is not supported. It should be one of [text, keyword,"),
        ({"search_model_id": ""}, "search_model_id can not be empty string in semantic field passage"),
        ({"semantic_info_field_name": ""}, "semantic_info_field_name cannot be an empty string for the semantic field"),
        ({"semantic_info_field_name": "a.b"}, "semantic_info_field_name should not contain '.'"),
        ({"semantic_info_field_name": 5}, "semantic_info_field_name should be a non-empty string"),
        ({"chunking": "yes"}, "[chunking] must be either a List of Maps or a Boolean"),
        ({"chunking": [{"algorithm": "delimiter", "x": 1}]}, "[chunking] does not support parameters [[x]]"),
        ({"chunking": [{}]}, "[algorithm] is required to configure the chunking strategy."),
        ({"chunking": [{"algorithm": "x"}]}, "Chunking algorithm [x] is not supported."),
        ({"chunking": [{"algorithm": "delimiter", "parameters": 5}]}, "parameters in chunking should be a Map."),
        ({"dense_embedding_config": 5}, "[dense_embedding_config] must be an object"),
        ({"dense_embedding_config": {"dimension": 32}}, "Cannot configure dimension in dense_embedding_config"),
        ({"dense_embedding_config": {"data_type": "byte"}}, "Cannot configure data_type in dense_embedding_config"),
        ({"dense_embedding_config": {"space_type": "l2"}}, "Cannot configure space_type in dense_embedding_config"),
        (
            {"dense_embedding_config": {"method": {"space_type": "l2"}}},
            "Cannot configure space_type in dense_embedding",
        ),
        ({"dense_embedding_config": {"method": 5}}, "method must be a Map when provided."),
        ({"skip_existing_embedding": "yes"}, "only [true] or [false] are allowed"),
        ({"sparse_encoding_config": {}}, "the dense(text embedding) model cannot support sparse_encoding_config"),
        ({"semantic_field_search_analyzer": "x"}, "cannot support semantic_field_search_analyzer"),
        ({"search_model_id": "sentence-transformers/all-MiniLM-L6-v2"}, "has 384 dimensions, and id-7 32"),
    ],
)
def test_parameters_are_refused_as_by_the_plugin(parameters: dict[str, Any], reason: str) -> None:
    with pytest.raises(Refused) as refused:
        translated(field(**parameters))
    assert reason in refused.value.message


def test_fields_in_nested_ones_are_refused() -> None:
    mapping = {"properties": {"parts": {"type": "nested", "properties": json.loads(field())["properties"]}}}
    with pytest.raises(Refused, match=r"\[parts.passage\] can't be semantic"):
        translated(json.dumps(mapping).encode())


def test_the_cluster_takes_what_is_made_and_the_declarations_are_read_back(node: str, index_name: str) -> None:
    mapping = {
        "properties": {
            "plain": {"type": "semantic", "model_id": "id-7", "fields": {"raw": {"type": "keyword"}}},
            "a.chunked": {
                "type": "semantic",
                "model_id": "id-7",
                "search_model_id": "random/small",
                "chunking": [{"algorithm": "fixed_char_length", "parameters": {"char_limit": 10}}],
                "skip_existing_embedding": True,
            },
            "o": {
                "properties": {
                    "disk": {
                        "type": "semantic",
                        "model_id": "id-7",
                        "raw_field_type": "match_only_text",
                        "dense_embedding_config": {"mode": "on_disk"},
                    }
                }
            },
        }
    }
    text, translation = translated(json.dumps(mapping).encode())
    told = {**json.loads(text), "_meta": {"sidecar": {"fields": translation.fields}}}
    body = json.dumps({"settings": {"index.knn": True, "number_of_shards": 1}, "mappings": told})
    status, answer = request(node, "PUT", f"/{index_name}", body)
    assert status == 200, answer
    _, answer = request(node, "GET", f"/{index_name}/_mapping")
    found = {one.vector: one for one in read_declarations(json.loads(answer)[index_name]["mappings"])}
    assert set(found) == {
        "plain_semantic_info.embedding",
        "a.chunked_semantic_info.chunks.embedding",
        "o.disk_semantic_info.embedding",
    }
    plain = found["plain_semantic_info.embedding"]
    assert (plain.sources[0].field, plain.entry, plain.existing) == ("plain", Entry.VECTOR, Existing.REPLACE)
    assert plain.semantic == mapping["properties"]["plain"]
    chunked = found["a.chunked_semantic_info.chunks.embedding"]
    assert (chunked.sources[0].field, chunked.entry, chunked.nested, chunked.chunk_text, chunked.query_model) == (
        "a.chunked",
        Entry.CHUNKS,
        "a.chunked_semantic_info.chunks",
        "text",
        "random/small",
    )
    assert chunked.existing is Existing.KEEP
    assert [one.parameters["char_limit"] for one in chunked.chunkings] == [10]
