"""Vectors that were declared on the native face are verified too."""

from __future__ import annotations

from sidecar.ingest.verification.parts import VerificationParts
from tests.fix_opensearch import request
from tests.fix_server import Sidecar
from tests.ingest.verification.planting import UNIT, plant, source_of, told, verified
from tests.native.declaring.indexes import MODEL, VECTOR, declaring, send


def test_declared_vectors_are_verified_and_mended_too(
    node: str, sidecar: Sidecar, index_name: str, parts: VerificationParts
) -> None:
    properties = {"body_vector": {**VECTOR, "method": {**VECTOR["method"], "space_type": "l2"}}, "n": {"type": "long"}}
    mappings = declaring(properties, existing_vector="replace")
    body = {"settings": {"index.knn": True, "number_of_shards": 1}, "mappings": mappings}
    assert send(sidecar.native_url, "PUT", f"/{index_name}", body)[0] == 200
    for number in range(5):
        assert send(sidecar.native_url, "PUT", f"/{index_name}/_doc/d{number}", {"body": f"text {number}"})[0] == 201
    plant(node, index_name, "missing", {"body": "no vector", "n": 9007199254740993})
    plant(node, index_name, "left", {"n": 1, "body_vector": UNIT})
    plant(node, index_name, "zero", {"body": "zero", "body_vector": [0.0] * 32})
    plant(node, index_name, "long", {"body": "long", "body_vector": [2.0] * 32})
    plant(node, index_name, "turned", {"body": "turned", "body_vector": UNIT})
    expected = {
        ("body_vector", "missing", ("missing",)),
        ("body_vector", "left over", ("left",)),
        ("body_vector", "zero", ("zero",)),
        ("body_vector", "wrong norm", ("long",)),
    }
    assert told(verified(parts, index_name)) == expected
    deep = verified(parts, index_name, deep_documents=100, fix=True)
    assert told(deep) == {*expected, ("body_vector", "different when embedded anew", ("turned",))}
    assert deep.is_fine
    assert verified(parts, index_name, deep_documents=100).rows() == []
    assert source_of(node, index_name, "missing")["n"] == 9007199254740993


def test_a_clients_own_declared_vectors_are_left_alone(
    node: str, sidecar: Sidecar, index_name: str, parts: VerificationParts
) -> None:
    body = {"settings": {"index.knn": True, "number_of_shards": 1}, "mappings": declaring({"body_vector": VECTOR})}
    assert send(sidecar.native_url, "PUT", f"/{index_name}", body)[0] == 200
    own = [2.0] * 32
    for document_id, source in (("own", {"body": "b", "body_vector": own}), ("bare", {"body_vector": own})):
        assert send(sidecar.native_url, "PUT", f"/{index_name}/_doc/{document_id}", source)[0] == 201
    assert verified(parts, index_name, fix=True).rows() == []
    assert source_of(node, index_name, "own")["body_vector"] == own


def test_vectors_of_a_pipeline_are_verified_and_mended_too(
    node: str, sidecar: Sidecar, index_name: str, parts: VerificationParts
) -> None:
    processor = {"text_embedding": {"model_id": MODEL, "field_map": {"body": "body_vector"}}}
    target = f"/_ingest/pipeline/{index_name}"
    assert send(sidecar.native_url, "PUT", target, {"processors": [processor]})[0] == 200
    body = {
        "settings": {"index.knn": True, "number_of_shards": 1, "default_pipeline": index_name},
        "mappings": {"properties": {"body_vector": VECTOR}},
    }
    try:
        assert send(sidecar.native_url, "PUT", f"/{index_name}", body)[0] == 200
        assert send(sidecar.native_url, "PUT", f"/{index_name}/_doc/d", {"body": "text"})[0] == 201
        assert send(node, "PUT", f"/{index_name}/_doc/missing?pipeline=_none", {"body": "text"})[0] == 201
        assert told(verified(parts, index_name)) == {("body_vector", "missing", ("missing",))}
        report = verified(parts, index_name, fix=True)
        assert (report.is_fine, report.failures) == (True, {})
        assert verified(parts, index_name).rows() == []
    finally:
        request(node, "DELETE", f"/{index_name}")
        request(node, "DELETE", target)
