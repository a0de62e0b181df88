"""GET and DELETE /models."""

from __future__ import annotations

from tests.fix_server import SMALL, MakeClient


def test_model_is_listed_after_use_and_can_be_ejected(make_client: MakeClient, node: str, index_name: str) -> None:
    client = make_client(opensearch_url=node)
    assert client.get("/models").json == {"models": []}
    client.post(f"/indexes/{index_name}", json=SMALL)
    client.post(f"/indexes/{index_name}/documents", json={"documents": [{"a": "b"}], "tensorFields": ["a"]})
    assert client.get("/models").json == {"models": [{"model_name": "random/small", "model_device": "cpu"}]}
    ejected = client.delete("/models?model_name=random/small&model_device=cpu")
    assert ejected.json == {
        "result": "success",
        "message": "successfully eject model_name `random/small` from device `cpu`",
    }
    assert client.get("/models").json == {"models": []}


def test_model_that_is_not_loaded_can_not_be_ejected(make_client: MakeClient, node: str) -> None:
    answered = make_client(opensearch_url=node).delete("/models?model_name=random/small&model_device=cpu")
    assert (answered.status_code, answered.json["code"]) == (404, "model_not_in_cache")


def test_ejection_without_its_parameters_is_422(make_client: MakeClient, node: str) -> None:
    client = make_client(opensearch_url=node)
    assert client.delete("/models").json["detail"][0]["loc"] == ["query", "model_name"]
    assert client.delete("/models?model_name=x").json["detail"][0]["loc"] == ["query", "model_device"]
