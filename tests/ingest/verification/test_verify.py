"""Documents with broken vectors, planted into the run's own node, are found, and mended where that can be."""

from __future__ import annotations

import base64
import io
import json
import time
from typing import Any

import pytest
from click.testing import CliRunner, Result
from PIL import Image

from sidecar.api.services import EXTENSION, Services
from sidecar.app import create_native_embedder, create_native_face
from sidecar.cli import main
from sidecar.embedding.loaders.random import RandomLoader
from sidecar.errors import IndexNotFound, InvalidArgument
from sidecar.ingest.face_client import NDJSON, FaceClient
from sidecar.ingest.verification.parts import VerificationOptions, VerificationParts
from sidecar.ingest.verification.report import Report
from sidecar.ingest.verification.verification import Verification
from sidecar.opensearch.client import Cluster
from sidecar.opensearch.load_settings import LEASE_SECONDS, LoadSettings
from tests.fix_opensearch import request
from tests.fix_server import SMALL, MakeClient, Sidecar
from tests.native.declaring.indexes import MODEL, VECTOR, declaring, send

TEXT = "All is well. It is a fine day. Nobody complains."
LOADER = RandomLoader(32)
UNIT = [1.0, *[0.0] * 31]


@pytest.fixture
def parts(make_client: MakeClient, node: str) -> VerificationParts:
    """What a verification works with, in this process."""
    app = make_client(opensearch_url=node).application
    services: Services = app.extensions[EXTENSION]
    face = FaceClient(create_native_face(app))
    return VerificationParts(services.cluster, services.states, face, create_native_embedder(app))


def verified(parts: VerificationParts, index: str, **options: Any) -> Report:
    return Verification(parts, VerificationOptions(index, **options)).run()


def told(report: Report) -> set[tuple[str, str, tuple[str, ...]]]:
    """Field, problem and example ids of each row."""
    return {(row["field"], row["problem"], tuple(sorted(row["examples"]))) for row in report.rows()}


def source_of(node: str, index: str, document_id: str) -> dict[str, Any]:
    found: dict[str, Any] = send(node, "GET", f"/{index}/_doc/{document_id}")[1]["_source"]
    return found


def plant(node: str, index: str, document_id: str, source: dict[str, Any] | str) -> None:
    """Write a document past the sidecar."""
    text = source if isinstance(source, str) else json.dumps(source)
    status, answer = request(node, "PUT", f"/{index}/_doc/{document_id}?refresh=true", text)
    assert status in {200, 201}, answer


def broken(node: str, index: str, document_id: str, **changes: Any) -> None:
    """A copy of document ``good`` whose first chunk of ``title`` is changed, or has no more what is None."""
    source = source_of(node, index, "good")
    chunk = source["__embeddings"]["title"][0]
    chunk |= changes
    source["__embeddings"]["title"][0] = {key: value for key, value in chunk.items() if value is not None}
    plant(node, index, document_id, source)


@pytest.fixture
def filled(sidecar: Sidecar, index: str) -> str:
    """An index with one document, of several chunks."""
    sidecar.add(index, [{"_id": "good", "title": TEXT, "n": 1}])
    return index


def test_sound_documents_of_every_kind_are_fine(sidecar: Sidecar, index: str, parts: VerificationParts) -> None:
    documents = [{"_id": f"d{number}", "title": f"Text {number}. " * (number % 7), "n": number} for number in range(60)]
    sidecar.add(index, [*documents, {"_id": "blank", "title": ""}, {"_id": "none", "n": 5}])
    mappings = {
        "own": {"type": "custom_vector"},
        "both": {"type": "multimodal_combination", "weights": {"a": 0.5, "b": 2}},
    }
    special = [
        {"_id": "own", "own": {"content": "mine", "vector": [3.0] * 32}, "title": "An é, a 😀."},
        {"_id": "both", "both": {"a": "one", "b": "two"}},
    ]
    body = {"documents": special, "tensorFields": ["own", "both", "title"], "mappings": mappings}
    assert not sidecar.post(f"/indexes/{index}/documents?refresh=true", body).json()["errors"]
    report = verified(parts, index, deep_documents=1000)
    assert (report.rows(), report.verified, report.embedded_anew, report.failed) == ([], 64, 64, 0)
    assert report.is_fine


def test_each_kind_of_broken_document_is_found_and_only_it(
    node: str, filled: str, parts: VerificationParts, sidecar: Sidecar
) -> None:
    good = source_of(node, filled, "good")
    plant(node, filled, "missing", {"title": "no vectors"})
    plant(node, filled, "emptied", {"title": "no vectors", "__embeddings": {"title": []}})
    plant(node, filled, "left", {"n": 2, "__embeddings": good["__embeddings"]})
    plant(node, filled, "other-text", good | {"title": TEXT.replace("fine", "cold")})
    broken(node, filled, "long", vector=[2.0, *[0.0] * 31])
    broken(node, filled, "outside", end=len(TEXT) + 1)
    broken(node, filled, "backwards", start=9, end=5)
    broken(node, filled, "other-model", hash="0" * 32)
    broken(node, filled, "unhashed", hash=None)
    expected = {
        ("title", "missing", ("emptied", "missing")),
        ("title", "left over", ("left",)),
        ("title", "stale", ("other-model", "other-text")),
        ("title", "wrong norm", ("long",)),
        ("title", "outside of the text", ("backwards", "outside")),
        ("title", "unknown origin", ("unhashed",)),
    }
    report = verified(parts, filled)
    assert told(report) == expected
    assert (report.verified, report.is_fine) == (10, False)


def test_what_can_be_mended_is_and_all_else_of_the_document_stays(
    node: str, filled: str, parts: VerificationParts
) -> None:
    others = {"n": 9007199254740993, "tags": ["a", "b"]}
    plant(node, filled, "missing", {"title": "no vectors", **others})
    good = source_of(node, filled, "good")
    plant(node, filled, "left", {"n": 2, "__embeddings": good["__embeddings"]})
    plant(node, filled, "other-text", good | {"title": TEXT.replace("fine", "cold")})
    broken(node, filled, "long", vector=[2.0, *[0.0] * 31])
    broken(node, filled, "outside", end=len(TEXT) + 1)
    broken(node, filled, "unhashed", hash=None)
    before = source_of(node, filled, "unhashed")
    report = verified(parts, filled, fix=True)
    left = {row["problem"]: (row["documents"], row["mended"]) for row in report.rows()}
    assert left.pop("unknown origin") == (1, 0)
    assert set(left.values()) == {(1, 1)}
    assert source_of(node, filled, "unhashed") == before
    again = verified(parts, filled, deep_documents=100)
    assert told(again) == {("title", "unknown origin", ("unhashed",))}
    assert {key: source_of(node, filled, "missing")[key] for key in others} == others
    assert source_of(node, filled, "left") == {"n": 2, "__embeddings": {"title": []}}


def test_vectors_that_differ_from_those_made_anew_are_found_by_a_deep_look(
    node: str, filled: str, parts: VerificationParts
) -> None:
    broken(node, filled, "turned", vector=UNIT)
    assert verified(parts, filled).is_fine
    report = verified(parts, filled, deep_documents=100)
    assert told(report) == {("title", "different when embedded anew", ("turned",))}
    assert verified(parts, filled, deep_documents=100, fix=True).is_fine
    assert verified(parts, filled, deep_documents=100).rows() == []


def test_zero_vectors_are_found_where_the_space_takes_them(
    node: str, sidecar: Sidecar, index_name: str, parts: VerificationParts
) -> None:
    settings = {**SMALL["index_defaults"], "ann_parameters": {"space_type": "l2"}}
    assert sidecar.post(f"/indexes/{index_name}", {"index_defaults": settings}).status_code == 200
    sidecar.add(index_name, [{"_id": "good", "title": TEXT}])
    broken(node, index_name, "zero", vector=[0.0] * 32)
    report = verified(parts, index_name, fix=True)
    assert told(report) == {("title", "zero", ("zero",))}
    assert report.is_fine
    assert verified(parts, index_name).rows() == []


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


def test_a_document_that_is_written_meanwhile_is_not_overwritten(
    node: str, filled: str, parts: VerificationParts, sidecar: Sidecar
) -> None:
    plant(node, filled, "d", {"title": "old text", "n": 1})

    class Meddled(FaceClient):
        bulks = 0

        def request(self, method: str, target: str, body: bytes, *, content_type: str = "application/json") -> Any:
            if content_type == NDJSON:
                self.bulks += 1
                if self.bulks == 1:
                    plant(node, filled, "d", {"title": "newer text", "n": 2})
            return parts.face.request(method, target, body, content_type=content_type)

    face = Meddled(lambda environ, start: [])
    meddled = VerificationParts(parts.cluster, parts.states, face, parts.embedder)
    assert verified(meddled, filled, fix=True).is_fine
    assert face.bulks == 2
    stored = source_of(node, filled, "d")
    assert (stored["title"], stored["n"]) == ("newer text", 2)
    assert verified(parts, filled, deep_documents=100).rows() == []


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


def test_a_sample_is_about_as_large_as_asked_for(sidecar: Sidecar, index: str, parts: VerificationParts) -> None:
    sidecar.add(index, [{"_id": str(number), "title": f"t{number}"} for number in range(400)])
    assert 50 <= verified(parts, index, sample=100).verified <= 150
    assert verified(parts, index, sample=1000).verified == 400


def test_fields_may_be_chosen_and_must_be_there(
    node: str, sidecar: Sidecar, index: str, parts: VerificationParts
) -> None:
    sidecar.add(index, [{"_id": "d", "title": "a", "body": "b"}], tensor_fields=("title", "body"))
    plant(node, index, "missing", {"title": "t", "body": "b"})
    assert told(verified(parts, index, fields=("body",))) == {("body", "missing", ("missing",))}
    with pytest.raises(InvalidArgument, match="no field 'nix'"):
        verified(parts, index, fields=("nix",))


def test_an_index_without_vectors_and_an_unknown_one_are_told(
    node: str, index_name: str, parts: VerificationParts
) -> None:
    with pytest.raises(IndexNotFound):
        verified(parts, index_name)
    assert send(node, "PUT", f"/{index_name}", {})[0] == 200
    with pytest.raises(InvalidArgument, match="no field of which there are vectors"):
        verified(parts, index_name)


def test_settings_that_a_dead_load_has_left_are_restored(
    node: str, filled: str, parts: VerificationParts, cluster: Cluster
) -> None:
    dead = LoadSettings(cluster, clock=lambda: time.time() - 2 * LEASE_SECONDS)
    dead.join(filled, "a job that died")
    assert "refresh_interval" in send(node, "GET", f"/{filled}/_settings")[1][filled]["settings"]["index"]
    assert verified(parts, filled).restored == []
    assert filled in verified(parts, filled, fix=True).restored
    assert "refresh_interval" not in send(node, "GET", f"/{filled}/_settings")[1][filled]["settings"]["index"]


def test_an_image_index_is_verified_by_the_pointers_of_its_images(
    node: str, sidecar: Sidecar, index_name: str, parts: VerificationParts
) -> None:
    image = io.BytesIO()
    Image.new("RGB", (8, 8), (200, 10, 10)).save(image, "PNG")
    pointer = "data:image/png;base64," + base64.b64encode(image.getvalue()).decode()
    defaults = {**SMALL["index_defaults"], "treat_urls_and_pointers_as_images": True}
    assert sidecar.post(f"/indexes/{index_name}", {"index_defaults": defaults}).status_code == 200
    sidecar.add(index_name, [{"_id": "image", "title": pointer}, {"_id": "text", "title": TEXT}])
    assert verified(parts, index_name, deep_documents=100).rows() == []
    plant(node, index_name, "missing", {"title": pointer})
    report = verified(parts, index_name, fix=True)
    assert (told(report), report.is_fine) == ({("title", "missing", ("missing",))}, True)
    assert verified(parts, index_name, deep_documents=100).rows() == []
    plant(node, index_name, "dead", {"title": "data:image/png;base64,iVBORw0KGgo="})
    report = verified(parts, index_name, fix=True)
    assert (report.is_fine, report.failed, list(report.failures)) == (False, 1, ["dead"])


def test_what_no_model_can_make_again_is_told_and_left_alone(
    node: str, sidecar: Sidecar, index: str, parts: VerificationParts
) -> None:
    mappings = {
        "own": {"type": "custom_vector"},
        "both": {"type": "multimodal_combination", "weights": {"a": 0.5}},
    }
    documents = [{"_id": "good", "own": {"content": "mine", "vector": [3.0] * 32}, "both": {"a": "one"}}]
    body = {"documents": documents, "tensorFields": ["own", "both"], "mappings": mappings}
    assert not sidecar.post(f"/indexes/{index}/documents?refresh=true", body).json()["errors"]
    bare = {"own": "mine", "both": {"a": "one"}}
    plant(node, index, "bare", bare)
    report = verified(parts, index, fix=True)
    assert told(report) == {("own", "missing", ("bare",)), ("both", "missing", ("bare",))}
    assert not report.is_fine
    assert source_of(node, index, "bare") == bare


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


def command(node: str, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["verify", *arguments], env={"OPENSEARCH_URL": node})


def test_the_command_tells_by_its_status_what_it_found(node: str, filled: str) -> None:
    assert command(node, filled).exit_code == 0
    plant(node, filled, "missing", {"title": "no vectors"})
    found = command(node, filled)
    assert found.exit_code == 1
    assert [line.split()[1:5] for line in found.stdout.splitlines()[:2]] == [
        ["FIELD", "PROBLEM", "DOCUMENTS", "EXAMPLES"],
        ["title", "missing", "1", "missing"],
    ]
    as_json = json.loads(command(node, filled, "--json").stdout)
    assert (as_json["is_fine"], as_json["problems"][0]["examples"]) == (False, ["missing"])
    assert command(node, filled, "--fix").exit_code == 0
    assert command(node, filled).exit_code == 0
    unknown = command(node, "no-such-index")
    assert (unknown.exit_code, "no index 'no-such-index'" in unknown.stderr) == (2, True)
