"""Where the model is away, requests by meaning fail with 503, and all others go on."""

from __future__ import annotations

import json
from typing import Any

import pytest
import requests
from werkzeug.test import Client, TestResponse

from sidecar.app import create_native_face
from tests.fix_server import MakeClient
from tests.native.queries.corpus import create, knn_vector, neural

NOBODY = "http://127.0.0.1:9"  # the discard port, where nothing listens
MINILM = "sentence-transformers/all-MiniLM-L6-v2"


@pytest.fixture
def far(make_client: MakeClient, node: str) -> Client:
    """The native face of a sidecar whose models run at another one, which is down."""
    return Client(create_native_face(make_client(opensearch_url=node, embedding_url=NOBODY).application))


@pytest.fixture
def index(node: str, index_name: str) -> str:
    """An index with a vector of a model that runs elsewhere."""
    fields = {"vector": {"source": "text", "model": MINILM}}
    mappings = {
        "_meta": {"sidecar": {"fields": fields}},
        "properties": {"text": {"type": "text"}, "vector": knn_vector(384)},
    }
    create(node, index_name, mappings, [{"text": "neural"}])
    return index_name


def post(client: Client, path: str, *values: Any) -> TestResponse:
    body = "".join(json.dumps(value) + "\n" for value in values)
    return client.post(path, data=body, content_type="application/json")


def test_a_model_that_is_down_is_told_as_a_status_that_clients_repeat(far: Client, index: str) -> None:
    for answer in (
        post(far, f"/{index}/_search", {"query": neural("text", "x")}),
        post(far, "/_msearch", {"index": index}, {"query": neural("text", "x")}, {"index": index}, {"query": {}}),
    ):
        assert answer.status_code == 503
        told = answer.get_json()
        assert told["status"] == 503
        assert told["error"]["type"] == "status_exception"


def test_requests_without_meaning_go_on_meanwhile(far: Client, node: str, index: str) -> None:
    query = {"query": {"match": {"text": "neural"}}, "_source": False}
    answer = post(far, f"/{index}/_search", query)
    expected = requests.post(f"{node}/{index}/_search", json=query, timeout=30)
    assert answer.get_json()["hits"] == expected.json()["hits"]
    assert answer.get_json()["hits"]["hits"]


def test_a_wrong_query_is_told_whether_the_model_is_there_or_not(far: Client, index: str) -> None:
    assert post(far, f"/{index}/_search", {"query": neural("text", "x", wrong=1)}).status_code == 400
