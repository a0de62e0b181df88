"""Methods of the client itself, against the server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.client.remote import Raised, RemoteClient, Worker
from tests.default_settings import DEFAULTS
from tests.fix_server import Sidecar
from tests.served_app import NOBODY, served

DOCUMENTS = [{"_id": "a", "title": "A red car."}, {"_id": "b", "title": "A boat."}]


@pytest.fixture(scope="module")
def keyed(node: str) -> Iterator[str]:
    """The URL of a server that wants a key."""
    with served(opensearch_url=node, api_keys=["secret"]) as url:
        yield url


def test_server_is_of_a_version_that_the_client_takes(mq: RemoteClient) -> None:
    greeting = mq.get_marqo()
    assert greeting == {"message": "Welcome to Marqo", "version": "1.5.1"}
    mq.index("any")
    assert mq.worker.warnings == []


def test_index_is_made_with_the_defaults(mq: RemoteClient, sidecar: Sidecar, index_name: str) -> None:
    made = mq.create_index(index_name)
    assert made == {"acknowledged": True, "shards_acknowledged": True, "index": index_name}
    assert sidecar.get(f"/indexes/{index_name}/settings").json() == DEFAULTS


def test_index_is_made_with_each_parameter_of_the_client(mq: RemoteClient, sidecar: Sidecar, index_name: str) -> None:
    mq.create_index(
        index_name,
        treat_urls_and_pointers_as_images=True,
        model="random/small",
        normalize_embeddings=False,
        sentences_per_chunk=5,
        sentence_overlap=2,
        image_preprocessing_method="simple",
        # Of the client's own cloud; elsewhere it leaves them out.
        wait_for_readiness=False,
        inference_type="marqo.CPU.small",
        storage_class="marqo.basic",
        number_of_inferences=2,
        number_of_shards=2,
        number_of_replicas=1,
    )
    defaults = sidecar.get(f"/indexes/{index_name}/settings").json()["index_defaults"]
    assert defaults["treat_urls_and_pointers_as_images"] is True
    assert (defaults["model"], defaults["search_model"]) == ("random/small", "random/small")
    assert defaults["normalize_embeddings"] is False
    assert defaults["text_preprocessing"]["split_length"] == 5
    assert defaults["text_preprocessing"]["split_overlap"] == 2
    assert defaults["image_preprocessing"] == {"patch_method": "simple"}


def test_older_names_of_the_parameters_do_no_harm(mq: RemoteClient, sidecar: Sidecar, index_name: str) -> None:
    mq.create_index(
        index_name,
        model="random/small",
        inference_node_type="a",
        storage_node_type="b",
        inference_node_count=1,
        storage_node_count=2,
        replicas_count=1,
    )
    assert sidecar.get(f"/indexes/{index_name}/settings").json()["number_of_shards"] == DEFAULTS["number_of_shards"]


def test_settings_dict_goes_as_it_is(mq: RemoteClient, sidecar: Sidecar, index_name: str) -> None:
    given = {
        "index_defaults": {
            "model": "my-own",
            "model_properties": {"name": "random/small", "type": "random", "dimensions": 32},
            "ann_parameters": {"space_type": "l2", "parameters": {"m": 24}},
        },
        "number_of_shards": 2,
    }
    mq.create_index(index_name, settings_dict=given)
    settings = sidecar.get(f"/indexes/{index_name}/settings").json()
    assert settings["number_of_shards"] == 2
    assert settings["index_defaults"]["model_properties"] == given["index_defaults"]["model_properties"]
    assert settings["index_defaults"]["ann_parameters"]["parameters"] == {"m": 24, "ef_construction": 128}


def test_index_that_is_there_already_is_a_web_error(mq: RemoteClient, index: str) -> None:
    with pytest.raises(Raised) as error:
        mq.create_index(index)
    told = error.value
    assert (told.kind, told.status_code) == ("MarqoWebError", 409)
    assert (told.code, told.error_type) == ("index_already_exists", "invalid_request")
    assert index in told.message["message"]
    assert told.message["link"] is None


def test_get_index_finds_what_is_there_only(mq: RemoteClient, index: str) -> None:
    assert mq.get_index(index) == {"index": index}
    with pytest.raises(Raised) as error:
        mq.get_index(f"{index}-x")
    assert (error.value.status_code, error.value.code) == (404, "index_not_found")


def test_indexes_are_listed_as_index_objects(mq: RemoteClient, index: str) -> None:
    assert {"index": index} in mq.get_indexes()["results"]
    assert mq.worker.warnings == []


def test_delete_index_gives_an_error_back_where_there_is_none(mq: RemoteClient, index: str) -> None:
    assert mq.delete_index(index, wait_for_readiness=False) == {"acknowledged": True}
    assert mq.delete_index(index)["code"] == "index_not_found"


def test_bulk_search_answers_each_query_in_order(mq: RemoteClient, sidecar: Sidecar, index: str) -> None:
    sidecar.add(index, DOCUMENTS)
    everything = {
        "index": index,
        "q": {"A boat.": 2.0, "A red car.": -0.5},
        "searchableAttributes": ["title"],
        "searchMethod": "TENSOR",
        "limit": 2,
        "offset": 0,
        "showHighlights": True,
        "filter": "_id:(a OR b)",
        "attributesToRetrieve": ["title"],
        "boost": {"title": [1.0, 0.5]},
        "context": {"tensor": [{"vector": [0.0] * 32, "weight": 1.0}]},
        "scoreModifiers": {"multiply_score_by": [{"field_name": "title", "weight": 1}]},
        "image_download_headers": {},
        "modelAuth": None,
    }
    queries = [{"index": index, "q": "red", "searchMethod": "LEXICAL"}, everything]
    answer = mq.bulk_search(queries, device="cpu")
    words, meaning = answer["result"]
    assert [hit["_id"] for hit in words["hits"]] == ["a"]
    assert meaning["hits"][0]["_id"] == "b"
    assert meaning["query"] == everything["q"]


def test_bulk_search_fails_as_a_whole(mq: RemoteClient, index: str) -> None:
    with pytest.raises(Raised) as error:
        mq.bulk_search([{"index": index, "q": "x"}, {"index": f"{index}-x", "q": "x"}])
    assert (error.value.status_code, error.value.code) == (404, "index_not_found")


def test_health_and_devices_and_models(mq: RemoteClient, sidecar: Sidecar, index: str) -> None:
    health = mq.health()
    assert health["status"] in {"green", "yellow"}
    assert health["backend"]["storage_is_available"] in {True, False}
    assert mq.get_cpu_info()["cpu_usage_percent"].endswith(" %")
    sidecar.add(index, DOCUMENTS)
    assert {"model_name": "random/small", "model_device": "cpu"} in mq.get_loaded_models()["models"]
    assert mq.eject_model("random/small", "cpu") == {
        "result": "success",
        "message": "successfully eject model_name `random/small` from device `cpu`",
    }


def test_machine_without_a_graphics_card_is_a_web_error(mq: RemoteClient, sidecar: Sidecar) -> None:
    if sidecar.get("/device/cuda").status_code == 200:
        assert mq.get_cuda_info()["cuda_devices"]
        return
    with pytest.raises(Raised) as error:
        mq.get_cuda_info()
    assert (error.value.status_code, error.value.code) == (400, "hardware_compatability_error")


def test_key_of_the_client_opens_a_server_with_keys(worker: Worker, keyed: str, index_name: str) -> None:
    mq = RemoteClient(worker, {"url": keyed, "api_key": "secret"})
    mq.create_index(index_name, model="random/small")
    assert {"index": index_name} in mq.get_indexes()["results"]
    with pytest.raises(Raised) as error:
        RemoteClient(worker, {"url": keyed, "api_key": "other"}).get_indexes()
    assert (error.value.status_code, error.value.code) == (401, "unauthorized")


def test_user_and_password_are_no_obstacle(worker: Worker, sidecar: Sidecar) -> None:
    mq = RemoteClient(worker, {"url": sidecar.url, "main_user": "admin", "main_password": "admin"})
    assert mq.get_marqo()["message"] == "Welcome to Marqo"


def test_instance_mappings_take_the_place_of_the_url(worker: Worker, sidecar: Sidecar, index: str) -> None:
    mq = RemoteClient(worker, {"instance_mappings": sidecar.url})
    assert mq.get_index(index) == {"index": index}
    assert mq.index(index).get_stats()["numberOfDocuments"] == 0


def test_telemetry_stands_in_every_answer(worker: Worker, sidecar: Sidecar, index: str) -> None:
    mq = RemoteClient(worker, {"url": sidecar.url, "return_telemetry": True})
    ix = mq.index(index)
    added = ix.add_documents(DOCUMENTS, tensor_fields=["title"], auto_refresh=True)
    assert {"add_documents.create_vectors", f"POST /indexes/{index}/documents"} <= added["telemetry"]["timesMs"].keys()
    found = ix.search("boat", device="cpu")
    assert f"POST /indexes/{index}/search" in found["telemetry"]["timesMs"]
    bulk = mq.bulk_search([{"index": index, "q": "x"}])["telemetry"]["timesMs"]
    assert {
        "bulk_search.vector_inference_full_pipeline",
        "bulk_search.vector.processing_before_opensearch",
        "search.opensearch._msearch",
        "search.opensearch._msearch.internal",
        "bulk_search.vector.postprocess",
        "bulk_search.rerank",
        "POST /indexes/bulk/search",
    } <= bulk.keys()
    assert ix.get_document("a")["telemetry"] == {}
    with pytest.raises(Raised) as error:
        ix.get_document("nope")
    assert "telemetry" in error.value.message


def test_cluster_away_is_a_web_error_of_the_backend(worker: Worker) -> None:
    with served(opensearch_url=NOBODY) as url:
        mq = RemoteClient(worker, {"url": url})
        with pytest.raises(Raised) as error:
            mq.index("any").search("x")
        assert (error.value.status_code, error.value.code) == (500, "backend_communication_error")
        with pytest.raises(Raised) as error:
            mq.health()
        assert error.value.kind == "BadRequestError"


def test_server_away_is_an_error_of_the_client(worker: Worker) -> None:
    with pytest.raises(Raised) as error:
        RemoteClient(worker, {"url": NOBODY}).get_indexes()
    assert error.value.kind == "BackendCommunicationError"


def test_cloud_only_methods_say_so_themselves(mq: RemoteClient) -> None:
    with pytest.raises(Raised, match="not supported on Marqo Cloud"):
        mq.raise_error_for_cloud("health")
