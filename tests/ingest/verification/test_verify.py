"""Documents with broken vectors, planted into the run's own node, are found, and mended where that can be."""

from __future__ import annotations

import base64
import io
from typing import Any

from PIL import Image

from sidecar.ingest.face_client import NDJSON, FaceClient
from sidecar.ingest.verification.parts import VerificationParts
from tests.fix_server import SMALL, Sidecar
from tests.ingest.verification.planting import TEXT, UNIT, broken, plant, source_of, told, verified


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
