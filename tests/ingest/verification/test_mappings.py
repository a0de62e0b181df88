"""Mappings that have no room for vectors, and indexes that don't give them back."""

from __future__ import annotations

from sidecar.ingest.verification.parts import VerificationParts
from tests.fix_opensearch import request
from tests.fix_server import Sidecar
from tests.ingest.verification.planting import TEXT, broken, plant, source_of, told, verified
from tests.native.declaring.indexes import send


def test_a_field_whose_mapping_has_gone_is_found_and_mapped_anew(
    node: str, filled: str, parts: VerificationParts, index_name: str
) -> None:
    facts = send(node, "GET", f"/{filled}")[1][filled]
    copy = f"{filled}-copy"
    mapping = facts["mappings"]
    del mapping["properties"]["__embeddings"]["properties"]["title"]
    assert send(node, "PUT", f"/{copy}", {"settings": {"index.knn": True}, "mappings": mapping})[0] == 200
    try:
        plant(node, copy, "d", {"title": "text"})
        assert told(verified(parts, copy)) == {("title", "not mapped", ())}
        assert verified(parts, copy, fix=True).is_fine
        assert verified(parts, copy).rows() == []
        assert len(source_of(node, copy, "d")["__embeddings"]["title"]) == 1
    finally:
        request(node, "DELETE", f"/{copy}")


def test_vectors_of_other_dimensions_than_the_models_are_found(
    node: str, filled: str, parts: VerificationParts
) -> None:
    facts = send(node, "GET", f"/{filled}")[1][filled]
    copy = f"{filled}-copy"
    mapping = facts["mappings"]
    mapping["properties"]["__embeddings"]["properties"]["title"]["properties"]["vector"]["dimension"] = 3
    assert send(node, "PUT", f"/{copy}", {"settings": {"index.knn": True}, "mappings": mapping})[0] == 200
    try:
        good = source_of(node, filled, "good")
        for chunk in good["__embeddings"]["title"]:
            chunk["vector"] = [1.0, 0.0, 0.0]
        plant(node, copy, "d", good)
        report = verified(parts, copy, fix=True)
        assert told(report) == {
            ("title", "mapped with other dimensions", ()),
            ("title", "wrong dimension", ("d",)),
        }
        assert not report.is_fine
    finally:
        request(node, "DELETE", f"/{copy}")


def test_documents_whose_vectors_the_cluster_does_not_give_as_they_are_are_told_and_left_alone(
    node: str, filled: str, parts: VerificationParts, sidecar: Sidecar
) -> None:
    facts = send(node, "GET", f"/{filled}")[1][filled]
    copy = f"{filled}-copy"
    body = {"settings": {"index.knn": True, "index.mapping.nested_fields.limit": 200}, "mappings": facts["mappings"]}
    assert send(node, "PUT", f"/{copy}", body)[0] == 200
    try:
        sidecar.add(copy, [{"_id": "few", "title": TEXT}, {"_id": "many", "title": "A sentence. Another. " * 200}])
        before = send(node, "GET", f"/{copy}/_doc/many")[1]["_seq_no"]
        report = verified(parts, copy, fix=True)
        assert told(report) == {("__embeddings", "unreadable", ("many",))}
        assert send(node, "GET", f"/{copy}/_doc/many")[1]["_seq_no"] == before
        broken(node, filled, "long", vector=[2.0, *[0.0] * 31])
        plant(node, copy, "long", source_of(node, filled, "long"))
        assert ("title", "wrong norm", ("long",)) in told(verified(parts, copy, fix=True))
        assert told(verified(parts, copy)) == {("__embeddings", "unreadable", ("many",))}
    finally:
        request(node, "DELETE", f"/{copy}")
