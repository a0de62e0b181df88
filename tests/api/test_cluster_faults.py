"""A cluster that is away, comes back, is full or read-only, as the client sees it."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.fault_proxy import FaultProxy
from tests.fix_opensearch import request
from tests.fix_server import MakeClient

BATCH = [{"_id": str(number), "title": f"Number {number}. One of many. Here it ends."} for number in range(4000)]


def stored(node: str, index: str) -> int:
    """How many documents the cluster has."""
    request(node, "POST", f"/{index}/_refresh")
    count: int = json.loads(request(node, "GET", f"/{index}/_count")[1])["count"]
    return count


def block(node: str, index: str, name: str, value: bool | None) -> None:
    """Set a block on the index, as an operator or a full disk does."""
    assert request(node, "PUT", f"/{index}/_settings", json.dumps({f"index.blocks.{name}": value}))[0] == 200


def test_cluster_that_comes_back_during_an_add_costs_no_document(
    make_client: MakeClient, node: str, index: str
) -> None:
    with FaultProxy(node) as network, ThreadPoolExecutor() as pool:
        client = make_client(opensearch_url=network.url)
        body = {"documents": BATCH, "tensorFields": ["title"]}
        adding = pool.submit(client.post, f"/indexes/{index}/documents?refresh=true", json=body)
        while not 0 < stored(node, index) < len(BATCH):
            assert not adding.done(), "the batch was through before the network was cut"
        network.cut()
        away = client.application.test_client().get(f"/indexes/{index}/stats")
        assert (away.status_code, away.json["code"]) == (500, "backend_communication_error")
        network.mend()
        answered = adding.result().json
        assert answered["errors"] is False
        stats = client.get(f"/indexes/{index}/stats").json
        assert stats == {"numberOfDocuments": len(BATCH), "numberOfVectors": 2 * len(BATCH)}


def test_cluster_that_stays_away_fails_the_add_after_the_deadline(
    make_client: MakeClient, node: str, index: str
) -> None:
    with FaultProxy(node) as network:
        client = make_client(opensearch_url=network.url, opensearch_retry_deadline=0.5)
        body = {"documents": BATCH[:5], "tensorFields": ["title"]}
        assert client.post(f"/indexes/{index}/documents", json=body).status_code == 200
        network.cut()
        answered = client.post(f"/indexes/{index}/documents", json=body)
        assert (answered.status_code, answered.json["code"]) == (500, "backend_communication_error")


def test_full_disk_is_told_in_the_contracts_words(make_client: MakeClient, node: str, index: str) -> None:
    client = make_client(opensearch_url=node, opensearch_retry_deadline=0.5)
    body: dict[str, Any] = {"documents": BATCH[:5], "tensorFields": ["title"]}
    client.post(f"/indexes/{index}/documents?refresh=true", json=body)
    block(node, index, "read_only_allow_delete", True)
    answered = client.post(f"/indexes/{index}/documents", json=body)
    assert (answered.status_code, answered.json["code"]) == (400, "disk_watermark_breach_error")
    assert answered.json["type"] == "internal"
    assert client.post(f"/indexes/{index}/search", json={"q": "x"}).status_code == 200
    block(node, index, "read_only_allow_delete", None)
    assert client.post(f"/indexes/{index}/documents", json=body).json["errors"] is False


def test_read_only_index_is_told_with_the_clusters_reason(make_client: MakeClient, node: str, index: str) -> None:
    client = make_client(opensearch_url=node, opensearch_retry_deadline=0.5)
    body = {"documents": BATCH[:2], "tensorFields": []}
    client.post(f"/indexes/{index}/documents", json=body)
    block(node, index, "write", True)
    answered = client.post(f"/indexes/{index}/documents", json=body)
    assert answered.status_code == 200
    assert answered.json["errors"] is True
    for item in answered.json["items"]:
        assert item["error"]["type"] == "cluster_block_exception"
    block(node, index, "write", None)


@pytest.mark.parametrize("folder", ["/no/such/folder", "empty"])
def test_model_whose_files_are_not_there_is_told_with_where_it_looked(
    make_client: MakeClient, node: str, index_name: str, tmp_path: Any, folder: str
) -> None:
    place = str(tmp_path) if folder == "empty" else folder
    client = make_client(opensearch_url=node)
    properties = {"name": "mine", "dimensions": 4, "localpath": place}
    settings = {"index_defaults": {"model": "mine", "model_properties": properties}, "number_of_shards": 1}
    assert client.post(f"/indexes/{index_name}", json=settings).status_code == 200
    body = {"documents": [{"title": "x"}], "tensorFields": ["title"]}
    for _ in range(2):
        answered = client.post(f"/indexes/{index_name}/documents", json=body)
        assert (answered.status_code, answered.json["code"]) == (400, "bad_request")
        assert place in answered.json["message"]
