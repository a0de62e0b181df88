"""Methods of index objects, save searching, against the server."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import Any

import pytest
from PIL import Image

from tests.client.remote import Raised, RemoteClient, RemoteIndex, Worker
from tests.embedding.media.file_server import FileServer, file
from tests.fix_server import Sidecar

DOCUMENTS = [{"_id": "a", "title": "A red car."}, {"_id": "b", "title": "A boat."}]


@pytest.fixture(scope="module")
def images(node: str) -> Iterator[Sidecar]:
    """A server that fetches images from this machine."""
    with Sidecar({"OPENSEARCH_URL": node, "SIDECAR_MEDIA_ALLOW_PRIVATE": "true"}) as running:
        yield running


def test_index_is_made_and_deleted_by_its_own_methods(mq: RemoteClient, index_name: str) -> None:
    ix = mq.index(index_name)
    assert ix.create(index_name=index_name, model="random/small")["acknowledged"] is True
    assert ix.delete(wait_for_readiness=False) == {"acknowledged": True}
    with pytest.raises(Raised) as error:
        ix.get_stats()
    assert (error.value.status_code, error.value.code) == (404, "index_not_found")


def test_documents_are_added_searched_and_deleted(ix: RemoteIndex) -> None:
    added = ix.add_documents(DOCUMENTS, tensor_fields=["title"])
    assert [item["status"] for item in added["items"]] == [201, 201]
    assert added["errors"] is False
    assert isinstance(added["processingTimeMs"], float)
    assert ix.refresh()["_shards"]["failed"] == 0
    assert ix.get_stats() == {"numberOfDocuments": 2, "numberOfVectors": 2}
    deleted = ix.delete_documents(ids=["a", "nope"], auto_refresh=True)
    assert [(item["_id"], item["result"]) for item in deleted["items"]] == [("a", "deleted"), ("nope", "not_found")]
    assert deleted["details"] == {"receivedDocumentIds": 2, "deletedDocuments": 1}
    assert ix.get_stats()["numberOfDocuments"] == 1


@pytest.mark.parametrize("wanted", [True, False])
def test_auto_refresh_lets_searches_see_at_once(ix: RemoteIndex, wanted: bool) -> None:
    (item,) = ix.add_documents(DOCUMENTS[:1], tensor_fields=["title"], auto_refresh=wanted)["items"]
    assert item.get("forced_refresh", False) is wanted


@pytest.mark.parametrize("auto_refresh", [True, None])
def test_client_batches_are_answered_one_by_one(ix: RemoteIndex, auto_refresh: bool | None) -> None:
    documents = [{"_id": str(number), "title": f"Number {number}."} for number in range(7)]
    answers = ix.add_documents(
        documents, tensor_fields=["title"], client_batch_size=3, auto_refresh=auto_refresh, device="cpu"
    )
    assert [len(answer["items"]) for answer in answers] == [3, 3, 1]
    if auto_refresh is None:
        ix.refresh()
    assert ix.get_stats()["numberOfDocuments"] == 7


def test_non_tensor_fields_are_stored_without_vectors(ix: RemoteIndex) -> None:
    ix.add_documents([{"title": "A.", "plain": "B."}], non_tensor_fields=["plain"], auto_refresh=True, device="cpu")
    assert ix.get_stats() == {"numberOfDocuments": 1, "numberOfVectors": 1}


def test_existing_tensors_are_kept_with_new_numbers_beside_them(ix: RemoteIndex) -> None:
    ix.add_documents([{"_id": "a", "title": "A.", "size": 1}], tensor_fields=["title"], auto_refresh=True)
    changed = [{"_id": "a", "title": "A.", "size": 2}]
    ix.add_documents(changed, tensor_fields=["title"], auto_refresh=True, use_existing_tensors=True)
    assert [hit["size"] for hit in ix.search("A.", filter_string="size:2")["hits"]] == [2]
    assert ix.get_stats()["numberOfVectors"] == 1


def test_mapped_fields_are_combined_and_custom_vectors_taken(ix: RemoteIndex) -> None:
    mappings = {
        "combo": {"type": "multimodal_combination", "weights": {"a": 0.5, "b": 0.5}},
        "own": {"type": "custom_vector"},
    }
    vector = [1.0] + [0.0] * 31
    document = {"_id": "1", "combo": {"a": "A.", "b": "B."}, "own": {"content": "mine", "vector": vector}}
    added = ix.add_documents([document], tensor_fields=["combo", "own"], mappings=mappings, auto_refresh=True)
    assert added["errors"] is False, added
    assert ix.get_document("1") == {"_id": "1", "combo": {"a": "A.", "b": "B."}, "own": "mine"}
    (hit,) = ix.search(context={"tensor": [{"vector": vector, "weight": 1}]}, searchable_attributes=["own"])["hits"]
    assert hit["_score"] == pytest.approx(1.0)
    assert hit["_highlights"] == {"own": "mine"}


def test_credentials_for_models_are_taken_and_checked(ix: RemoteIndex) -> None:
    auth = {"hf": {"token": "a-token"}}
    assert ix.add_documents(DOCUMENTS, tensor_fields=["title"], model_auth=auth)["errors"] is False
    with pytest.raises(Raised) as error:
        ix.add_documents(DOCUMENTS, tensor_fields=["title"], model_auth={"other": {}})
    assert (error.value.status_code, error.value.code) == (400, "invalid_argument")


def test_chunk_prefix_changes_the_vectors_alone(newest_worker: Worker, sidecar: Sidecar, index: str) -> None:
    ix = RemoteClient(newest_worker, {"url": sidecar.url}).index(index)
    ix.add_documents(DOCUMENTS[:1], tensor_fields=["title"], text_chunk_prefix="passage: ", auto_refresh=True)
    (hit,) = ix.search("A red car.", text_query_prefix="passage: ")["hits"]
    assert hit["_score"] == pytest.approx(1.0, abs=1e-5)  # float32
    assert hit["_highlights"] == {"title": "A red car."}


def test_images_are_fetched_with_the_headers_given(worker: Worker, images: Sidecar, index_name: str) -> None:
    picture = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(picture, "PNG")
    mq = RemoteClient(worker, {"url": images.url})
    mq.create_index(index_name, treat_urls_and_pointers_as_images=True, model="random/small")
    ix = mq.index(index_name)
    with FileServer() as files:
        files.answers["/red.png"] = file(picture.getvalue())
        url, dead = files.url("/red.png"), files.url("/dead.png")
        documents = [{"_id": "red", "image": url}, {"_id": "dead", "image": dead}]
        headers = {"X-Token": "t"}
        added = ix.add_documents(documents, tensor_fields=["image"], image_download_headers=headers, auto_refresh=True)
        (hit,) = ix.search(url, image_download_headers=headers)["hits"]
        assert {sent.get("x-token") for _, sent in files.requests} == {"t"}
    good, bad = added["items"]
    assert (good["status"], bad["code"]) == (201, "invalid_argument")
    assert dead in bad["error"]
    assert (hit["_id"], hit["_highlights"]) == ("red", {"image": url})


def test_bad_documents_fail_alone(ix: RemoteIndex) -> None:
    documents: list[Any] = [{"_id": 5, "title": "x"}, {"_id": "good", "title": "x"}, {"a.b": "x"}]
    added = ix.add_documents(documents, tensor_fields=["title"])
    assert added["errors"] is True
    assert [item.get("code") for item in added["items"]] == ["invalid_document_id", None, "invalid_field_name"]


def test_client_refuses_what_it_checks_itself(ix: RemoteIndex) -> None:
    for fields in ({}, {"tensor_fields": [], "non_tensor_fields": []}):
        with pytest.raises(Raised, match="tensor_fields"):
            ix.add_documents(DOCUMENTS, **fields)
    with pytest.raises(Raised, match="Batch size"):
        ix.add_documents(DOCUMENTS, tensor_fields=[], client_batch_size=0)


def test_empty_request_is_a_web_error(ix: RemoteIndex) -> None:
    with pytest.raises(Raised) as error:
        ix.add_documents([], tensor_fields=[])
    assert "empty add documents request" in error.value.message["message"]
    assert (error.value.code, error.value.error_type) == ("bad_request", "invalid_request")


def test_documents_are_read_one_by_one_and_together(ix: RemoteIndex) -> None:
    ix.add_documents(DOCUMENTS, tensor_fields=["title"])
    assert ix.get_document(document_id="a") == DOCUMENTS[0]
    assert ix.get_documents(document_ids=["b", "nope"])["results"] == [
        {"_found": True, **DOCUMENTS[1]},
        {"_found": False, "_id": "nope"},
    ]


@pytest.mark.parametrize("wanted", [True, False])
def test_facets_have_the_vectors_of_all_chunks(ix: RemoteIndex, wanted: bool) -> None:
    documents = [{"_id": "a", "title": "One. Two. Three.", "plain": "x"}]
    ix.add_documents(documents, tensor_fields=["title"])
    alone = ix.get_document("a", expose_facets=wanted)
    (together,) = ix.get_documents(["a"], expose_facets=wanted)["results"]
    facets = alone.pop("_tensor_facets", None)
    assert together.pop("_tensor_facets", None) == facets
    assert alone == documents[0]
    if not wanted:
        assert facets is None
        return
    assert [[facet["title"], len(facet["_embedding"])] for facet in facets] == [["One. Two.", 32], ["Three.", 32]]


def test_document_that_is_not_there_is_a_web_error(ix: RemoteIndex) -> None:
    with pytest.raises(Raised) as error:
        ix.get_document("nope")
    assert (error.value.status_code, error.value.code) == (404, "document_not_found")


def test_wrong_shape_is_an_error_without_a_code(ix: RemoteIndex) -> None:
    with pytest.raises(Raised) as error:
        ix.get_documents({"ids": []})
    assert (error.value.status_code, error.value.code) == (422, "unhandled_error")
    assert "value is not a valid list" in error.value.message


def test_settings_health_models_and_devices(ix: RemoteIndex) -> None:
    assert ix.get_settings()["index_defaults"]["model"] == "random/small"
    assert ix.health()["status"] in {"green", "yellow"}
    assert ix.get_marqo()["version"] == "1.5.1"
    assert re.fullmatch(r"[\d.]+ %", ix.get_cpu_info()["memory_used_percent"])
    ix.search("x")
    assert "random/small" in {model["model_name"] for model in ix.get_loaded_models()["models"]}
    assert ix.eject_model("random/small", "cpu")["result"] == "success"
    with pytest.raises(Raised) as error:
        ix.eject_model("random/small", "cpu")
    assert (error.value.status_code, error.value.code) == (404, "model_not_in_cache")


def test_cuda_devices_are_told_where_there_are_any(ix: RemoteIndex, sidecar: Sidecar) -> None:
    if sidecar.get("/device/cuda").status_code == 200:
        assert ix.get_cuda_info()["cuda_devices"]
        return
    with pytest.raises(Raised, match="hardware_compatability_error"):
        ix.get_cuda_info()


def test_status_is_of_the_cloud_only(ix: RemoteIndex) -> None:
    with pytest.raises(Raised) as error:
        ix.get_status()
    assert error.value.kind == "UnsupportedOperationError"
