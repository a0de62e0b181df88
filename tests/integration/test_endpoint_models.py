"""An index whose model runs at an inference endpoint, through the HTTP API and a real cluster."""

from __future__ import annotations

from typing import Any

import orjson

from tests.fault_server import FaultServer, answer
from tests.fix_server import MakeClient
from tests.served_app import served


def described(url: str, **properties: Any) -> dict[str, Any]:
    given = {"type": "endpoint", "url": url, "name": "random/small", "dimensions": 32, "retries": 0, **properties}
    return {"index_defaults": {"model": "elsewhere", "model_properties": given}, "number_of_shards": 1}


def test_documents_are_embedded_and_found_by_another_sidecar(
    make_client: MakeClient, node: str, index_name: str
) -> None:
    with served() as url:
        client = make_client(opensearch_url=node, endpoints={url: ""})
        assert client.post(f"/indexes/{index_name}", json=described(url)).status_code == 200
        documents = [{"_id": str(number), "text": f"text {number}"} for number in range(50)]
        body = {"documents": documents, "tensorFields": ["text"]}
        assert not client.post(f"/indexes/{index_name}/documents?refresh=true", json=body).json["errors"]
        hits = client.post(f"/indexes/{index_name}/search", json={"q": "text 7"}).json["hits"]
        assert hits[0]["_id"] == "7"
        assert client.get("/models").json["models"] == [{"model_name": "elsewhere", "model_device": "cpu"}]


def test_endpoint_that_goes_away_is_told_to_who_adds_and_who_searches(
    make_client: MakeClient, node: str, index_name: str
) -> None:
    vector = answer(orjson.dumps({"data": [{"index": 0, "embedding": [1.0] * 32}]}))
    with FaultServer([vector]) as server:
        client = make_client(opensearch_url=node, endpoints={server.url: ""})
        assert client.post(f"/indexes/{index_name}", json=described(server.url)).status_code == 200
        body = {"documents": [{"_id": "a", "text": "a text"}], "tensorFields": ["text"]}
        for path, sent in (("documents?refresh=true", body), ("search", {"q": "a text"})):
            answered = client.post(f"/indexes/{index_name}/{path}", json=sent)
            assert server.url in answered.text
            assert "can't be reached" in answered.text
            assert (answered.status_code, answered.json["code"]) == (400, "bad_request")
        assert client.get(f"/indexes/{index_name}/stats").json["numberOfDocuments"] == 0


def test_wrong_dimensions_of_an_endpoint_are_told_at_the_first_use(
    make_client: MakeClient, node: str, index_name: str
) -> None:
    with served() as url:
        client = make_client(opensearch_url=node, endpoints={url: ""})
        client.post(f"/indexes/{index_name}", json=described(url, dimensions=16))
        answered = client.post(f"/indexes/{index_name}/search", json={"q": "a text"})
        body = {"documents": [{"_id": "a", "text": "a text"}], "tensorFields": ["text"]}
        added = client.post(f"/indexes/{index_name}/documents", json=body)
    for told in (answered, added):
        assert "gives vectors of 32 dimensions" in told.text
