"""Ingest pipelines and `semantic` fields of the neural-search plugin's forms, carried out on documents."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.native.writes.written import DIMENSIONS, MODEL, VECTOR, Expected, Port, is_vector, make_index

KNN = {"type": "nested", "properties": {"knn": VECTOR}}


@pytest.fixture
def pipeline(native: Port, direct: Port, index_name: str) -> Iterator[str]:
    """The name of a pipeline that each test puts."""
    yield f"{index_name}-pipeline"
    direct.send("DELETE", f"/_ingest/pipeline/{index_name}-pipeline")


def embedding(field_map: dict[str, Any], **settings: Any) -> dict[str, Any]:
    return {"text_embedding": {"model_id": MODEL, "field_map": field_map, **settings}}


def make(native: Port, direct: Port, index: str, pipeline: str, *processors: Any, **properties: Any) -> None:
    """The pipeline, and an index that has it by default."""
    native.done("PUT", f"/_ingest/pipeline/{pipeline}", {"processors": processors})
    make_index(direct, index, {}, properties, default_pipeline=pipeline)


def test_texts_and_lists_of_texts_get_vectors(
    native: Port, direct: Port, index_name: str, pipeline: str, expected: Expected
) -> None:
    make(native, direct, index_name, pipeline, embedding({"t": "t_v", "l": "l_v"}), t_v=VECTOR, l_v=KNN)
    native.bulk(f"/{index_name}/_bulk", {"index": {"_id": "1"}}, {"t": "a cat", "l": ["a dog", "a cow"]})
    stored = direct.source(index_name, "1")
    assert is_vector(stored["t_v"], expected("a cat"))
    assert [list(entry) for entry in stored["l_v"]] == [["knn"], ["knn"]]
    assert is_vector(stored["l_v"][1]["knn"], expected("a cow"))


def test_maps_and_dotted_names_lead_into_objects(
    native: Port, direct: Port, index_name: str, pipeline: str, expected: Expected
) -> None:
    inner = {"properties": {"t_v": VECTOR}}
    maps = embedding({"a": {"t": "t_v"}, "b.t": "t_v", "l": {"t": "t_v"}})
    make(native, direct, index_name, pipeline, maps, a=inner, b=inner, l={"type": "nested", **inner})
    document = {"a": {"t": "one"}, "b": {"t": "two"}, "l": [{"t": "three"}, {"t": None}]}
    native.done("PUT", f"/{index_name}/_doc/1", document)
    stored = direct.source(index_name, "1")
    assert is_vector(stored["a"]["t_v"], expected("one"))
    assert is_vector(stored["b"]["t_v"], expected("two"))
    assert is_vector(stored["l"][0]["t_v"], expected("three"))
    assert stored["l"][1] == {"t": None}


def test_chunks_are_made_and_embedded(
    native: Port, direct: Port, index_name: str, pipeline: str, expected: Expected
) -> None:
    chunking = {"text_chunking": {"algorithm": {"delimiter": {"delimiter": "."}}, "field_map": {"body": "chunks"}}}
    make(native, direct, index_name, pipeline, chunking, embedding({"chunks": "chunks_v"}), chunks_v=KNN)
    native.done("PUT", f"/{index_name}/_doc/1", {"body": "One. Two.", "n": 1})
    stored = direct.source(index_name, "1")
    assert stored["chunks"] == ["One.", " Two."]
    assert is_vector(stored["chunks_v"][1]["knn"], expected(" Two."))


def test_a_given_vector_is_overwritten_unless_existing_ones_are_skipped(
    native: Port, direct: Port, index_name: str, pipeline: str, expected: Expected
) -> None:
    processors = [embedding({"t": "v"}), embedding({"t": "w"}, skip_existing=True)]
    make(native, direct, index_name, pipeline, *processors, v=VECTOR, w=VECTOR)
    own = [0.5] * DIMENSIONS
    native.done("PUT", f"/{index_name}/_doc/1", {"t": "a cat", "v": own, "w": own})
    stored = direct.source(index_name, "1")
    assert is_vector(stored["v"], expected("a cat"))
    assert stored["w"] == own


def test_the_pipeline_that_is_named_holds(native: Port, direct: Port, index_name: str, pipeline: str) -> None:
    make(native, direct, index_name, pipeline, embedding({"t": "v"}), v=VECTOR)
    lines = [
        {"index": {"_id": "1"}},
        {"t": "a cat"},
        {"index": {"_id": "2", "pipeline": "_none"}},
        {"t": "a cat"},
    ]
    native.bulk(f"/{index_name}/_bulk", *lines)
    native.done("PUT", f"/{index_name}/_doc/3?pipeline=_none", {"t": "a cat"})
    assert ["v" in direct.source(index_name, number) for number in "123"] == [True, False, False]


def test_updates_are_embedded_too(
    native: Port, direct: Port, index_name: str, pipeline: str, expected: Expected
) -> None:
    make(native, direct, index_name, pipeline, embedding({"t": "v"}), v=VECTOR)
    native.done("PUT", f"/{index_name}/_doc/1", {"t": "a cat"})
    native.done("POST", f"/{index_name}/_update/1", {"doc": {"t": "a dog"}})
    assert is_vector(direct.source(index_name, "1")["v"], expected("a dog"))


def test_other_types_are_errors_of_their_items_unless_failures_are_ignored(
    native: Port, direct: Port, index_name: str, pipeline: str
) -> None:
    processors = [embedding({"t": "v"}, ignore_failure=True), embedding({"u": "w"})]
    make(native, direct, index_name, pipeline, *processors, v=VECTOR, w=VECTOR)
    lines = [{"index": {"_id": "1"}}, {"t": 7}, {"index": {"_id": "2"}}, {"u": 7}]
    answer = native.bulk(f"/{index_name}/_bulk", *lines)
    assert [item["index"]["status"] for item in answer["items"]] == [201, 400]
    assert direct.source(index_name, "1") == {"t": 7}


def make_semantic(native: Port, direct: Port, index: str, **parameters: Any) -> None:
    """An index with a semantic field, declared as the mapping of one keeps it."""
    chunks = {"type": "nested", "properties": {"text": {"type": "text"}, "embedding": VECTOR}}
    is_chunked = "chunking" in parameters
    info = {"chunks": chunks} if is_chunked else {"embedding": VECTOR}
    field = {"source": "passage", "model": MODEL, "existing_vector": "replace", "semantic": {"model_id": MODEL}}
    path = "passage_semantic_info.embedding"
    if is_chunked:
        path = "passage_semantic_info.chunks.embedding"
        field |= {"chunk_text": "text", "chunking": parameters["chunking"]}
    make_index(direct, index, {path: field}, {"passage_semantic_info": {"properties": info}})


def test_a_semantic_field_has_its_vector_and_its_model_beside_it(
    native: Port, direct: Port, index_name: str, expected: Expected
) -> None:
    make_semantic(native, direct, index_name)
    native.done("PUT", f"/{index_name}/_doc/1", {"passage": "a cat", "n": 1})
    stored = direct.source(index_name, "1")
    assert is_vector(stored["passage_semantic_info"]["embedding"], expected("a cat"))
    model = {"id": MODEL, "name": MODEL, "type": "TEXT_EMBEDDING"}
    assert stored["passage_semantic_info"]["model"] == model
    assert native.done("POST", f"/{index_name}/_update/1", {"doc": {"passage": "a cat"}})["result"] == "noop"


def test_a_chunked_semantic_field_has_its_chunks_beside_it(
    native: Port, direct: Port, index_name: str, expected: Expected
) -> None:
    chunking = [{"algorithm": "fixed_char_length", "parameters": {"char_limit": 4}}]
    make_semantic(native, direct, index_name, chunking=chunking)
    native.done("PUT", f"/{index_name}/_doc/1", {"passage": "one two three"})
    chunks = direct.source(index_name, "1")["passage_semantic_info"]["chunks"]
    assert [chunk["text"] for chunk in chunks] == ["one ", "two ", "thre", "e"]
    assert is_vector(chunks[1]["embedding"], expected("two "))
