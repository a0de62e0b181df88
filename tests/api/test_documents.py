"""Adding, reading and deleting documents."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import orjson
import pytest
from PIL import Image

from sidecar.embedding.loaders.random import RandomLoader
from tests.embedding.media.file_server import FileServer, file
from tests.fix_opensearch import request
from tests.fix_server import MakeClient, Sidecar


def add(sidecar: Sidecar, index: str, body: Any, query: str = "") -> tuple[int, dict[str, Any]]:
    answered = sidecar.post(f"/indexes/{index}/documents{query}", body)
    return answered.status_code, answered.json()


def one(document: dict[str, Any], **others: Any) -> dict[str, Any]:
    return {"documents": [document], "tensorFields": ["title"], **others}


def test_new_document_is_created_and_then_updated(sidecar: Sidecar, index: str) -> None:
    status, created = add(sidecar, index, one({"_id": "1", "title": "x"}))
    assert status == 200
    assert isinstance(created.pop("processingTimeMs"), float)
    items = [{"_id": "1", "result": "created", "status": 201}]
    assert created == {"errors": False, "index_name": index, "items": items}
    _, updated = add(sidecar, index, one({"_id": "1", "title": "x"}), "?refresh=True")
    assert updated["items"] == [{"_id": "1", "result": "updated", "status": 200, "forced_refresh": True}]


def test_last_one_wins_when_a_batch_has_an_id_twice(sidecar: Sidecar, index: str) -> None:
    answered = sidecar.add(index, [{"_id": "1", "title": "first"}, {"_id": "1", "title": "last"}])
    assert [item["status"] for item in answered["items"]] == [201, 200]
    assert sidecar.get(f"/indexes/{index}/documents/1").json() == {"_id": "1", "title": "last"}


def test_document_without_an_id_gets_one(sidecar: Sidecar, index: str) -> None:
    (item,) = sidecar.add(index, [{"title": "x"}])["items"]
    assert re.fullmatch("[0-9a-f-]{36}", item["_id"])


@pytest.mark.parametrize(
    ("body", "query", "message"),
    [
        ({"documents": [{"a": "b"}]}, "", "Exactly one"),
        ({"documents": [{"a": "b"}], "tensorFields": [], "nonTensorFields": []}, "", "Exactly one"),
        ({"documents": [], "tensorFields": []}, "", "Received empty add documents request"),
        ([], "?non_tensor_fields=x", "Received empty add documents request"),
        ([{"a": "b"}], "", "non_tensor_fields"),
        (one({"title": "x"}), "?mappings=%7B%7D", "mappings"),
        (one({"title": "x"}), "?non_tensor_fields=a&model_auth=null", "non_tensor_fields, model_auth"),
        (one({}, documents=[{}] * 10_001), "", "10001 documents; the limit is 10000"),
    ],
)
def test_parts_that_do_not_go_together_are_refused(
    sidecar: Sidecar, index: str, body: Any, query: str, message: str
) -> None:
    status, answered = add(sidecar, index, body, query)
    assert (status, answered["code"]) == (400, "bad_request")
    assert message in answered["message"]


def test_wrong_shape_is_422_with_the_problems_of_both_styles(sidecar: Sidecar, index: str) -> None:
    status, answered = add(sidecar, index, one({"title": "x"}, foo=1))
    assert status == 422
    assert answered == {
        "detail": [
            {"loc": ["body", "foo"], "msg": "extra fields not permitted", "type": "value_error.extra"},
            {"loc": ["body"], "msg": "value is not a valid list", "type": "type_error.list"},
        ]
    }


@pytest.mark.parametrize(
    ("others", "place", "error_type"),
    [
        ({"imageDownloadHeaders": None}, ["body", "imageDownloadHeaders"], "type_error.none.not_allowed"),
        ({"useExistingTensors": None}, ["body", "useExistingTensors"], "type_error.none.not_allowed"),
        ({"useExistingTensors": "perhaps"}, ["body", "useExistingTensors"], "type_error.bool"),
        ({"documents": 5}, ["body", "documents"], "type_error.list"),
        ({"tensorFields": [None]}, ["body", "tensorFields", 0], "type_error.none.not_allowed"),
        ({"mappings": []}, ["body", "mappings"], "type_error.dict"),
        ({"textChunkPrefix": {}}, ["body", "textChunkPrefix"], "type_error.str"),
    ],
)
def test_value_of_a_wrong_type_is_422_and_names_its_place(
    sidecar: Sidecar, index: str, others: dict[str, Any], place: list[Any], error_type: str
) -> None:
    status, answered = add(sidecar, index, one({"title": "x"}, **others))
    assert status == 422
    assert [answered["detail"][0]["loc"], answered["detail"][0]["type"]] == [place, error_type]


def test_nulls_and_defaults_that_clients_send_are_fine(sidecar: Sidecar, index: str) -> None:
    sent = {"mappings": None, "modelAuth": None, "imageDownloadHeaders": {}, "useExistingTensors": False}
    status, answered = add(sidecar, index, one({"title": "x"}, **sent, textChunkPrefix=None))
    assert (status, answered["errors"]) == (200, False)


@pytest.mark.parametrize(
    ("mappings", "code", "message"),
    [
        ({"f": {"type": "other"}}, "invalid_argument", "'f'.*multimodal_combination, custom_vector"),
        ({"f": "custom_vector"}, "invalid_argument", "'f' must be an object"),
        ({"f": {"type": "custom_vector", "weights": {}}}, "invalid_argument", "'weights'"),
        ({"f": {"type": "multimodal_combination"}}, "invalid_argument", "'f' needs 'weights'"),
        ({"f": {"type": "multimodal_combination", "weights": {"a": "1"}}}, "invalid_argument", "weight of 'a'"),
        ({"f": {"type": "multimodal_combination", "weights": {"a": True}}}, "invalid_argument", "weight of 'a'"),
        ({"f": {"type": "multimodal_combination", "weights": {"a.b": 1}}}, "invalid_field_name", "a.b"),
        ({"a.b": {"type": "custom_vector"}}, "invalid_field_name", "a.b"),
        ({"_id": {"type": "custom_vector"}}, "invalid_field_name", "_id"),
    ],
)
def test_bad_mappings_are_refused_in_both_styles(
    sidecar: Sidecar, index: str, mappings: dict[str, Any], code: str, message: str
) -> None:
    query = f"?non_tensor_fields=x&mappings={quote(orjson.dumps(mappings))}"
    for body, where in ((one({"title": "x"}, mappings=mappings), ""), ([{"title": "x"}], query)):
        status, answered = add(sidecar, index, body, where)
        assert (status, answered["code"]) == (400, code)
        assert re.search(message, answered["message"])


@pytest.mark.parametrize(
    ("others", "status", "message"),
    [
        ({"modelAuth": {}}, 400, "exactly one of s3, hf"),
        ({"modelAuth": {"hf": {"token": "t"}, "s3": {}}}, 400, "exactly one of s3, hf"),
        ({"modelAuth": {"hf": {}}}, 422, "modelAuth"),
        ({"imageDownloadHeaders": {"a b": "x"}}, 400, "'a b'"),
        ({"imageDownloadHeaders": {"key": "x\r\ny"}}, 400, "'key'"),
        ({"imageDownloadHeaders": {"key": ["x"]}}, 400, "'key'"),
    ],
)
def test_bad_credentials_and_headers_are_refused(
    sidecar: Sidecar, index: str, others: dict[str, Any], status: int, message: str
) -> None:
    answered = sidecar.post(f"/indexes/{index}/documents", one({"title": "x"}, **others))
    assert answered.status_code == status
    assert message in answered.text


def test_mapped_fields_are_stored_beside_texts(sidecar: Sidecar, index: str) -> None:
    mappings = {
        "combo": {"type": "multimodal_combination", "weights": {"a": 0.5, "b": 2}},
        "own": {"type": "custom_vector"},
    }
    documents = [
        {"_id": "1", "title": "x", "combo": {"a": "red", "b": "blue"}, "own": {"vector": [1, *[0] * 31]}},
        {"_id": "2", "own": {"vector": [1, 2]}},
        {"_id": "3", "combo": {"a": "red", "c": "green"}},
    ]
    body = {"documents": documents, "tensorFields": ["title", "combo", "own"], "mappings": mappings}
    for style, query in (
        (body, "?refresh=true"),
        (documents, f"?refresh=true&non_tensor_fields=x&mappings={quote(orjson.dumps(mappings))}"),
    ):
        _, answered = add(sidecar, index, style, query)
        assert [item.get("code") for item in answered["items"]] == [None, "invalid_argument", "invalid_argument"]
    stored = sidecar.get(f"/indexes/{index}/documents/1").json()
    assert stored == {**documents[0], "own": ""}
    assert sidecar.get(f"/indexes/{index}/stats").json() == {"numberOfDocuments": 1, "numberOfVectors": 3}
    found = sidecar.post(f"/indexes/{index}/search", {"q": "red", "searchMethod": "LEXICAL"}).json()["hits"]
    assert [hit["_id"] for hit in found] == ["1"]
    (hit,) = sidecar.post(f"/indexes/{index}/search", {"q": "x", "searchableAttributes": ["combo"]}).json()["hits"]
    assert hit["_highlights"] == {"combo": '{"a": "red", "b": "blue"}'}
    for wanted, ids in (("combo.a:red", ["1"]), ("combo.a:blue", [])):
        hits = sidecar.post(f"/indexes/{index}/search", {"q": "x", "filter": wanted}).json()["hits"]
        assert [hit["_id"] for hit in hits] == ids


def test_text_for_an_index_without_a_model_is_a_bad_request(sidecar: Sidecar, index_name: str) -> None:
    settings = {"index_defaults": {"model": "no_model", "model_properties": {"dimensions": 3}}, "number_of_shards": 1}
    assert sidecar.post(f"/indexes/{index_name}", settings).status_code == 200
    status, answered = add(sidecar, index_name, one({"title": "x"}))
    assert (status, answered["code"]) == (400, "bad_request")
    mappings = {"title": {"type": "custom_vector"}}
    status, answered = add(sidecar, index_name, one({"title": {"vector": [1, 2, 3]}}, mappings=mappings))
    assert (status, answered["errors"]) == (200, False)


def test_image_index_stores_what_can_be_fetched_and_tells_what_can_not(
    make_client: MakeClient, node: str, index_name: str, photos_folder: Path
) -> None:
    client = make_client(opensearch_url=node, media_roots=(photos_folder,), media_allow_private=True)
    settings = {"model": "random/small", "treat_urls_and_pointers_as_images": True}
    made = client.post(f"/indexes/{index_name}", json={"index_defaults": settings, "number_of_shards": 1})
    assert made.status_code == 200, made.text
    png = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(png, "PNG")
    with FileServer() as server:
        server.answers["/picture"] = file(png.getvalue())
        images = [server.url("/dead"), server.url("/picture"), str(photos_folder / "cat.jpg"), "/etc/hosts.png"]
        documents = [{"_id": f"{number}", "title": image} for number, image in enumerate(images)]
        body = {"documents": documents, "tensorFields": ["title"], "imageDownloadHeaders": {"X-Key": "k"}}
        answered = client.post(f"/indexes/{index_name}/documents?refresh=true&device=cpu", json=body).json
    assert [item["status"] for item in answered["items"]] == [400, 201, 201, 400]
    assert [item.get("code") for item in answered["items"]] == ["invalid_argument", None, None, "invalid_argument"]
    assert images[0] in answered["items"][0]["error"]
    assert {headers["x-key"] for _, headers in server.requests} == {"k"}
    stats = client.get(f"/indexes/{index_name}/stats").json
    assert stats == {"numberOfDocuments": 2, "numberOfVectors": 2}
    refused = client.post(f"/indexes/{index_name}/documents", json=body | {"tensorFields": ["_id"]})
    assert (refused.status_code, refused.json["code"]) == (400, "bad_request")


def test_array_body_is_the_legacy_style(sidecar: Sidecar, index: str) -> None:
    query = "?refresh=true&non_tensor_fields=x&non_tensor_fields=y&mappings=%7B%7D"
    status, answered = add(sidecar, index, [{"_id": "1", "x": "no", "y": "no", "title": "yes"}], query)
    assert (status, answered["errors"]) == (200, False)
    assert sidecar.get(f"/indexes/{index}/stats").json()["numberOfVectors"] == 1
    status, answered = add(sidecar, index, [{"title": "x"}], "?non_tensor_fields=x&mappings=%7B")
    assert (status, answered["code"]) == (400, "invalid_argument")


def test_good_documents_are_stored_when_others_are_bad(sidecar: Sidecar, index: str) -> None:
    bad: list[tuple[Any, str]] = [
        ({"_id": 5, "title": "x"}, "invalid_document_id"),
        ({"_id": "", "title": "x"}, "invalid_document_id"),
        ({"_id": "b1", "title": None}, "invalid_argument"),
        ({"_id": "b2", "title": ["list"]}, "invalid_argument"),
        ({"_id": "b3", "a.b": "x"}, "invalid_field_name"),
        ({"_id": "b4", "title": "x" * 100_001}, "doc_too_large"),
        ({}, "invalid_argument"),
        ("no object", "invalid_argument"),
    ]
    documents: list[Any] = []
    for number, (document, _) in enumerate(bad):
        documents += [{"_id": f"good-{number}", "title": "x"}, document]
    answered = sidecar.add(index, documents)
    assert answered["errors"] is True
    assert [item["status"] for item in answered["items"][::2]] == [201] * len(bad)
    assert [item["code"] for item in answered["items"][1::2]] == [code for _, code in bad]
    assert all(isinstance(item["error"], str) for item in answered["items"][1::2])
    assert answered["items"][11]["_id"] == ""
    assert sidecar.get(f"/indexes/{index}/stats").json()["numberOfDocuments"] == len(bad)


def test_document_that_conflicts_with_the_mapping_fails_alone(sidecar: Sidecar, index: str) -> None:
    sidecar.add(index, [{"_id": "1", "size": 1}])
    answered = sidecar.add(index, [{"_id": "2", "size": "large"}, {"_id": "3", "size": 3}])
    assert answered["items"][0]["_id"] == "2"
    assert answered["items"][0]["error"]["type"] == "mapper_parsing_exception"
    assert "code" not in answered["items"][0]
    assert answered["items"][1]["status"] == 201


def test_limits_are_the_operators(make_client: MakeClient, node: str, index: str) -> None:
    client = make_client(opensearch_url=node, max_add_documents=2, max_delete_documents=1, max_retrievable_documents=3)
    body = {"documents": [{"a": "b"}] * 3, "tensorFields": []}
    assert "SIDECAR_MAX_ADD_DOCUMENTS" in client.post(f"/indexes/{index}/documents", json=body).json["message"]
    deletion = client.post(f"/indexes/{index}/documents/delete-batch", json=["1", "2"])
    assert deletion.json["code"] == "invalid_argument"
    reading = client.get(f"/indexes/{index}/documents", json=["1", "2", "3", "4"])
    assert (reading.status_code, reading.json["code"]) == (400, "illegal_requested_doc_count")


def test_index_has_room_for_the_operators_number_of_fields(make_client: MakeClient, node: str, index_name: str) -> None:
    client = make_client(opensearch_url=node, max_index_fields=2)
    client.post(f"/indexes/{index_name}", json={"index_defaults": {"model": "random/small"}, "number_of_shards": 1})
    full = {"documents": [{"a": "A.", "b": "B."}], "tensorFields": ["a", "b"]}
    assert client.post(f"/indexes/{index_name}/documents", json=full).json["errors"] is False
    more = {"documents": [{"c": "C."}], "tensorFields": ["c"]}
    refused = client.post(f"/indexes/{index_name}/documents", json=more)
    assert (refused.status_code, refused.json["code"]) == (400, "index_max_fields_error")
    numbers = {"documents": [{"_id": "1", "c": 1}, {"_id": "2", "a": "A."}], "tensorFields": ["a"]}
    beyond, good = client.post(f"/indexes/{index_name}/documents", json=numbers).json["items"]
    assert (beyond["_id"], beyond["status"], "code" in beyond) == ("1", 400, False)
    assert "Limit of total fields [17] has been exceeded" in beyond["error"]["reason"]
    assert good["result"] == "created"


@pytest.mark.parametrize("flag", ["true", "True", "1", "yes", "on", "T", "y"])
def test_refresh_flag_has_many_spellings(sidecar: Sidecar, index: str, flag: str) -> None:
    _, answered = add(sidecar, index, one({"title": "x"}), f"?refresh={flag}")
    assert answered["items"][0]["forced_refresh"] is True


def test_flag_that_is_none_is_422(sidecar: Sidecar, index: str) -> None:
    status, answered = add(sidecar, index, one({"title": "x"}), "?refresh=perhaps")
    assert status == 422
    assert answered["detail"][0]["loc"] == ["query", "refresh"]


def test_document_is_read_as_it_was_sent(sidecar: Sidecar, index: str) -> None:
    document = {"_id": "1", "title": "Ünïcode 🦊", "n": 1, "f": 2.5, "ok": True, "tags": ["a", "b"], "empty": []}
    sidecar.add(index, [document])
    assert sidecar.get(f"/indexes/{index}/documents/1").json() == document


def test_document_that_is_not_there_is_404(sidecar: Sidecar, index: str) -> None:
    answered = sidecar.get(f"/indexes/{index}/documents/nope")
    assert (answered.status_code, answered.json()["code"]) == (404, "document_not_found")


@pytest.mark.parametrize("document_id", ["a b", "ü💙", "50%", "a?b#c", "a+b&c=d", "delete-batch", "x%2Fy"])
def test_document_of_an_odd_id_is_read(sidecar: Sidecar, index: str, document_id: str) -> None:
    sidecar.add(index, [{"_id": document_id, "title": "x"}])
    answered = sidecar.get(f"/indexes/{index}/documents/{quote(document_id, safe='')}")
    assert answered.json()["_id"] == document_id


def test_documents_are_read_in_the_order_of_the_ids(sidecar: Sidecar, index: str) -> None:
    sidecar.add(index, [{"_id": "1", "title": "x"}, {"_id": "5", "title": "y"}])
    answered = sidecar.get(f"/indexes/{index}/documents", [5, "nope", "1"])
    assert answered.json()["results"] == [
        {"_found": True, "_id": "5", "title": "y"},
        {"_id": "nope", "_found": False},
        {"_found": True, "_id": "1", "title": "x"},
    ]


@pytest.mark.parametrize(
    ("ids", "status", "code"),
    [
        ([], 400, "invalid_argument"),
        ([""], 400, "invalid_document_id"),
        ([str(number) for number in range(10_001)], 400, "illegal_requested_doc_count"),
    ],
)
def test_bad_lists_of_ids_to_read_are_refused(
    sidecar: Sidecar, index: str, ids: list[str], status: int, code: str
) -> None:
    answered = sidecar.get(f"/indexes/{index}/documents", ids)
    assert (answered.status_code, answered.json()["code"]) == (status, code)


@pytest.mark.parametrize(
    ("ids", "code", "message"),
    [
        ([], "invalid_document_id", "can't be empty"),
        ([""], "invalid_document_id", "can't be empty"),
        (["x" * 513], "invalid_document_id", "513 bytes"),
        ([str(number) for number in range(10_001)], "invalid_argument", "10000"),
    ],
)
def test_bad_lists_of_ids_to_delete_are_refused(
    sidecar: Sidecar, index: str, ids: list[str], code: str, message: str
) -> None:
    answered = sidecar.post(f"/indexes/{index}/documents/delete-batch", ids)
    assert (answered.status_code, answered.json()["code"]) == (400, code)
    assert message in answered.json()["message"]


def test_lists_of_ids_that_are_none_are_422(sidecar: Sidecar, index: str) -> None:
    for body, place in (({"ids": ["1"]}, ["body"]), (["1", None], ["body", 1]), ([["1"]], ["body", 0])):
        for answered in (
            sidecar.get(f"/indexes/{index}/documents", body),
            sidecar.post(f"/indexes/{index}/documents/delete-batch", body),
        ):
            assert answered.status_code == 422
            assert answered.json()["detail"][0]["loc"] == place


def test_documents_are_deleted_each_with_its_outcome(sidecar: Sidecar, index: str) -> None:
    sidecar.add(index, [{"_id": "1", "title": "x"}, {"_id": "2", "title": "y"}])
    answered = sidecar.post(f"/indexes/{index}/documents/delete-batch?refresh=true", ["1", "nope"]).json()
    shards = {"total": 1, "successful": 1, "failed": 0}
    assert answered["items"] == [
        {"_id": "1", "_shards": shards, "status": 200, "result": "deleted"},
        {"_id": "nope", "_shards": shards, "status": 404, "result": "not_found"},
    ]
    assert answered["details"] == {"receivedDocumentIds": 2, "deletedDocuments": 1}
    assert (answered["index_name"], answered["status"], answered["type"]) == (index, "succeeded", "documentDeletion")
    assert re.fullmatch(r"PT\d+\.\d{6}S", answered["duration"])
    moment = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"
    assert re.fullmatch(moment, answered["startedAt"])
    assert re.fullmatch(moment, answered["finishedAt"])
    assert answered["startedAt"] <= answered["finishedAt"]
    assert sidecar.get(f"/indexes/{index}/stats").json()["numberOfDocuments"] == 1


def test_facets_are_the_chunks_in_the_order_of_fields_and_chunks(sidecar: Sidecar, index: str) -> None:
    document = {"_id": "1", "n": 1, "title": "One is. Two are. Three were.", "body": "A body."}
    sidecar.add(index, [document, {"_id": "2", "n": 2}], tensor_fields=("body", "title"))
    one_read = sidecar.get(f"/indexes/{index}/documents/1?expose_facets=True").json()
    facets = one_read.pop("_tensor_facets")
    assert one_read == document
    contents = [{name: value for name, value in facet.items() if name != "_embedding"} for facet in facets]
    assert contents == [{"title": "One is. Two are."}, {"title": "Three were."}, {"body": "A body."}]
    right = RandomLoader(32).encode_text(["One is. Two are.", "Three were.", "A body."])
    np.testing.assert_allclose([facet["_embedding"] for facet in facets], right, atol=1e-6)
    many = sidecar.get(f"/indexes/{index}/documents?expose_facets=true", ["2", "nope", "1"]).json()["results"]
    assert many == [
        {"_found": True, "_id": "2", "n": 2, "_tensor_facets": []},
        {"_id": "nope", "_found": False},
        {"_found": True, **document, "_tensor_facets": facets},
    ]
    assert "_tensor_facets" not in sidecar.get(f"/indexes/{index}/documents/1?expose_facets=false").json()


def test_facets_have_the_contents_of_highlights(sidecar: Sidecar, index: str) -> None:
    mappings = {
        "combo": {"type": "multimodal_combination", "weights": {"a": 0.5, "b": 2}},
        "own": {"type": "custom_vector"},
    }
    vector = [0.5, *[0.25] * 31]
    document = {"_id": "1", "my title": "Été 🎉. Two.", "combo": {"a": "rot", "b": "blåu"}}
    own = {"own": {"content": "mine", "vector": vector}}
    body = {"documents": [document | own], "tensorFields": ["my title", "combo", "own"], "mappings": mappings}
    sidecar.post(f"/indexes/{index}/documents?refresh=true", body)
    facets = sidecar.get(f"/indexes/{index}/documents/1?expose_facets=true").json()["_tensor_facets"]
    assert facets[2] == {"own": "mine", "_embedding": vector}
    for facet in facets:
        ((field, content),) = ((name, value) for name, value in facet.items() if name != "_embedding")
        context = {"tensor": [{"vector": facet["_embedding"], "weight": 1}]}
        search = {"context": context, "searchableAttributes": [field]}
        (hit,) = sidecar.post(f"/indexes/{index}/search", search).json()["hits"]
        assert hit["_highlights"] == {field: content}


def test_documents_of_one_routing_lie_together_and_are_reached_by_it(
    sidecar: Sidecar, node: str, index_name: str
) -> None:
    settings = {"index_defaults": {"model": "random/small"}, "number_of_shards": 3}
    assert sidecar.post(f"/indexes/{index_name}", settings).status_code == 200
    path = f"/indexes/{index_name}/documents"
    document = {"_id": "1", "title": "A title.", "n": 1}
    query = "?routing=tenant%2Fü&refresh=true"
    assert sidecar.post(path + query, one(document)).json()["items"][0]["result"] == "created"
    line, headers = orjson.dumps({"_id": "2", "title": "By lines."}), {"Content-Type": "application/jsonl"}
    assert sidecar.post(f"{path}{query}&tensorFields=title", data=line, headers=headers).status_code == 200
    stored = [json.loads(request(node, "GET", f"/{index_name}/_search?q=_id:{n}")[1]) for n in (1, 2)]
    assert [found["hits"]["hits"][0]["_routing"] for found in stored] == ["tenant/ü"] * 2
    assert sidecar.get(f"{path}/2").status_code == 404, "its id alone leads to another shard"
    runs = embedded_texts(sidecar)
    again = sidecar.post(path + query, one(document)).json()
    assert (again["items"][0]["result"], embedded_texts(sidecar)) == ("updated", runs)
    changed = sidecar.request("PATCH", path + query, {"documents": [{"_id": "1", "n": 2}]}).json()
    assert changed["items"][0]["result"] == "updated"
    assert sidecar.get(f"{path}/1{query}").json()["n"] == 2
    assert [found["_found"] for found in sidecar.get(path + query, ["1", "2"]).json()["results"]] == [True, True]
    found = sidecar.post(f"/indexes/{index_name}/search", {"q": "A title.", "routing": "tenant/ü"}).json()["hits"]
    assert {hit["_id"] for hit in found} == {"1", "2"}
    deleted = sidecar.post(f"{path}/delete-batch{query}", ["1", "2"]).json()
    assert deleted["details"] == {"receivedDocumentIds": 2, "deletedDocuments": 2}


def test_empty_routing_is_refused(sidecar: Sidecar, index: str) -> None:
    for method, path in (("GET", "/1"), ("POST", "/delete-batch")):
        answered = sidecar.request(method, f"/indexes/{index}/documents{path}?routing=", ["1"])
        assert (answered.status_code, answered.json()["code"]) == (400, "invalid_argument")
        assert "'routing' is empty" in answered.json()["message"]


def embedded_texts(sidecar: Sidecar) -> float:
    """Texts of documents that models ran on so far."""
    lines = sidecar.get("/metrics").text.splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith("sidecar_batch_texts_sum"))


def test_adding_tells_its_stages(sidecar: Sidecar, index: str) -> None:
    documents = [{"_id": f"{number}", "title": f"Text {number}."} for number in range(250)]
    body = {"documents": documents, "tensorFields": ["title"]}
    times = sidecar.post(f"/indexes/{index}/documents?telemetry=True", body).json()["telemetry"]["timesMs"]
    assert len(times["add_documents.opensearch._bulk"]) == 3, "one for each body"
    assert times["add_documents.create_vectors"] > 0
    total = times[f"POST /indexes/{index}/documents"]
    assert total > max(times["add_documents.opensearch._bulk"])
    deleted = sidecar.post(f"/indexes/{index}/documents/delete-batch?telemetry=true", ["1"]).json()["telemetry"]
    assert deleted["timesMs"].keys() == {"delete_documents.opensearch._bulk"}
    changes = {"documents": [{"_id": "2", "title": "New."}]}
    told = sidecar.request("PATCH", f"/indexes/{index}/documents?telemetry=true", changes).json()["telemetry"]
    assert told["timesMs"].keys() == {
        "add_documents.create_vectors",
        "add_documents.opensearch._bulk",
        f"PATCH /indexes/{index}/documents",
    }


def test_adding_images_tells_of_each_download(make_client: MakeClient, node: str, index_name: str) -> None:
    client = make_client(opensearch_url=node, media_allow_private=True)
    settings = {"model": "random/small", "treat_urls_and_pointers_as_images": True}
    made = client.post(f"/indexes/{index_name}", json={"index_defaults": settings, "number_of_shards": 1})
    assert made.status_code == 200, made.text
    png = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(png, "PNG")
    with FileServer() as server:
        server.answers["/picture"] = file(png.getvalue())
        urls = [server.url("/picture"), server.url("/dead")]
        documents = [{"_id": f"{number}", "title": url} for number, url in enumerate(urls)]
        body = {"documents": documents, "tensorFields": ["title"]}
        told = client.post(f"/indexes/{index_name}/documents?telemetry=true", json=body).json["telemetry"]["timesMs"]
    assert {f"image_download.{url}" for url in urls} <= told.keys()
