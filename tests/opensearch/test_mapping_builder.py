from __future__ import annotations

from typing import Any

import orjson
import pytest

from sidecar.opensearch.client import Cluster
from sidecar.opensearch.index_settings import AnnParameters, FieldModel, IndexSettings
from sidecar.opensearch.mapping_builder import (
    EmbeddedField,
    build_embedded_field,
    build_embedded_fields,
    build_index_body,
    declare_fields,
)

SETTINGS = IndexSettings(number_of_shards=2, ann_parameters=AnnParameters(space_type="l2", ef_construction=64, m=8))


def test_index_body_carries_the_settings_and_remembers_them() -> None:
    body = build_index_body(SETTINGS, 3)
    assert body["settings"]["index.knn"] is True
    assert (body["settings"]["number_of_shards"], body["settings"]["number_of_replicas"]) == (2, 0)
    own = body["mappings"]["_meta"]["sidecar"]
    assert own == {"format": 1, "settings": SETTINGS.to_wire(), "dimensions": 3, "fields": {}}


def test_embedded_field_names_the_engine_and_puts_the_space_into_the_method() -> None:
    vector = build_embedded_field(SETTINGS, 3)["properties"]["vector"]
    assert vector == {
        "type": "knn_vector",
        "dimension": 3,
        "method": {
            "name": "hnsw",
            "engine": "lucene",
            "space_type": "l2",
            "parameters": {"m": 8, "ef_construction": 64},
        },
    }


def test_bodies_share_nothing_with_each_other() -> None:
    first = build_index_body(SETTINGS, 3)
    first["mappings"]["properties"]["__embeddings"]["dynamic"] = "spoilt"
    assert build_index_body(SETTINGS, 3)["mappings"]["properties"]["__embeddings"]["dynamic"] == "strict"


def test_declare_fields_keeps_everything_that_is_in_meta() -> None:
    declared = {"__embeddings.a.vector": {"source": "a", "model": "older", "kind": "image"}}
    meta = {"other": 1, "sidecar": {"format": 1, "later": 2, "fields": declared}}
    fields = [EmbeddedField("a", "newer", "text", 3), EmbeddedField("b c", "m", "custom_vector", 3)]
    merged = declare_fields(meta, fields)
    assert merged["other"] == 1
    assert merged["sidecar"]["later"] == 2
    assert merged["sidecar"]["fields"] == {
        **declared,
        "__embeddings.b%20c.vector": {
            "source": "b c",
            "model": "m",
            "kind": "custom_vector",
            "dimension": 3,
        },
    }
    assert list(declared) == ["__embeddings.a.vector"]


@pytest.fixture
def index(cluster: Cluster, index_name: str) -> str:
    cluster.create_index(index_name, build_index_body(SETTINGS, 2))
    cluster.put_mapping(index_name, {"properties": build_embedded_fields({"text": 2}, SETTINGS)})
    return index_name


def store(cluster: Cluster, index: str, *documents: dict[str, Any]) -> list[dict[str, Any]]:
    """Store documents under the ids 0, 1, …; returns the items of the answer."""
    lines = [line for i, source in enumerate(documents) for line in ({"index": {"_id": str(i)}}, source)]
    items = cluster.bulk(index, b"".join(orjson.dumps(line) + b"\n" for line in lines), refresh=True)
    return [item["index"] for item in items]


def mapping_of(cluster: Cluster, index: str) -> Any:
    return orjson.loads(cluster.read_index(index))[index]["mappings"]["properties"]


def test_index_maps_strings_as_text_with_a_keyword_and_never_as_dates(cluster: Cluster, index: str) -> None:
    store(cluster, index, {"s": "2020-01-01", "i": 1, "f": 1.5, "b": True, "l": ["x"], "o": {"p": "q"}})
    properties = mapping_of(cluster, index)
    string = {"type": "text", "fields": {"keyword": {"type": "keyword", "ignore_above": 8191}}}
    assert [properties[key] for key in ("s", "l")] == [string, string]
    assert properties["o"]["properties"]["p"] == string
    assert [properties[key]["type"] for key in ("i", "f", "b")] == ["long", "float", "boolean"]


def test_index_finds_whole_values_up_to_the_keyword_s_length(cluster: Cluster, index: str) -> None:
    long = "語" * 8191
    assert [item["status"] for item in store(cluster, index, {"s": long}, {"s": long + "x"})] == [201, 201]
    found = cluster.search(index, {"query": {"term": {"s.keyword": long}}})
    assert [hit["_id"] for hit in found["hits"]["hits"]] == ["0"]


def test_index_gives_back_what_was_stored_and_finds_chunks_with_their_offsets(cluster: Cluster, index: str) -> None:
    chunks = [
        {"vector": [1.0, 0.5], "start": 0, "end": 3, "hash": "h"},
        {"vector": [-1.0, 0.25], "start": 4, "end": 6},
    ]
    document = {"text": "One two", "__embeddings": {"text": chunks}}
    store(cluster, index, document)
    assert cluster.read_document(index, "0") == document
    nested = {
        "path": "__embeddings.text",
        "query": {"knn": {"__embeddings.text.vector": {"vector": [-1.0, 0.25], "k": 1}}},
        "inner_hits": {
            "_source": False,
            "docvalue_fields": ["__embeddings.text.start", "__embeddings.text.end"],
        },
    }
    (hit,) = cluster.search(index, {"query": {"nested": nested}, "_source": {"excludes": ["__embeddings*"]}})["hits"][
        "hits"
    ]
    assert hit["_source"] == {"text": "One two"}
    assert hit["_score"] == pytest.approx(1.0)
    (inner,) = hit["inner_hits"]["__embeddings.text"]["hits"]["hits"]
    assert inner["fields"] == {"__embeddings.text.start": [4], "__embeddings.text.end": [6]}


def test_index_counts_documents_and_chunks(cluster: Cluster, index: str) -> None:
    chunk = {"vector": [1.0, 0.5], "start": 0, "end": 3}
    store(cluster, index, {"__embeddings": {"text": [chunk] * 3}}, {"a": 1}, {"__embeddings": {"text": [chunk]}})
    assert cluster.count(index, ["__embeddings.text"]) == (3, 4)
    assert cluster.count(index, []) == (3, 0)


def test_index_refuses_embeddings_that_nothing_declares(cluster: Cluster, index: str) -> None:
    (item,) = store(cluster, index, {"__embeddings": {"body": [{"vector": [1.0, 0.5]}]}})
    assert (item["status"], item["error"]["type"]) == (400, "strict_dynamic_mapping_exception")


def test_vectors_are_stored_where_the_cluster_would_derive_them_by_default() -> None:
    setting = "index.knn.derived_source.enabled"
    assert build_index_body(SETTINGS, 3, version=(3, 5, 0))["settings"][setting] is False
    assert setting not in build_index_body(SETTINGS, 3, version=(2, 11, 0))["settings"]


@pytest.mark.parametrize(
    ("settings", "version"),
    [
        (SETTINGS, 1),
        (IndexSettings(ann_parameters=AnnParameters(encoder={"name": "sq"})), 1),
        (IndexSettings(ann_parameters=AnnParameters(data_type="byte")), 2),
        (IndexSettings(treat_urls_and_pointers_as_images=True), 2),
        (IndexSettings(field_models={"a": FieldModel("x")}), 2),
    ],
)
def test_the_format_is_raised_where_an_earlier_version_would_write_wrong_vectors(
    settings: IndexSettings, version: int
) -> None:
    assert build_index_body(settings, 3)["mappings"]["_meta"]["sidecar"]["format"] == version


def test_index_body_remembers_the_dimensions_of_fields_with_another_model() -> None:
    own = build_index_body(SETTINGS, 3, field_dimensions={"a": 5})["mappings"]["_meta"]["sidecar"]
    assert (own["dimensions"], own["field_dimensions"]) == (3, {"a": 5})


def test_embedded_field_has_the_stored_form_of_its_numbers() -> None:
    small = build_embedded_field(IndexSettings(ann_parameters=AnnParameters(data_type="byte")), 3)
    assert small["properties"]["vector"]["data_type"] == "byte"
    encoded = build_embedded_field(IndexSettings(ann_parameters=AnnParameters(encoder={"name": "sq"})), 3)
    assert encoded["properties"]["vector"]["method"]["parameters"]["encoder"] == {"name": "sq"}
