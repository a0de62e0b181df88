"""POST /v1/embeddings and GET /v1/models, as OpenAI's own client speaks with them."""

from __future__ import annotations

import base64
import io
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import openai
import orjson
import pytest
from flask.testing import FlaskClient
from PIL import Image

from sidecar.embedding.loaders.random import RandomLoader
from tests.fault_server import FaultServer, answer
from tests.fix_server import MakeClient
from tests.served_app import NOBODY, served

SMALL = "random/small"


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with served() as running:
        yield running


@pytest.fixture(scope="module")
def client(url: str) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0) as made:
        yield made


@pytest.fixture
def app(make_client: MakeClient) -> FlaskClient:
    return make_client(opensearch_url=NOBODY)


def picture(colour: str) -> str:
    """A data URI."""
    content = io.BytesIO()
    Image.new("RGB", (40, 40), colour).save(content, "PNG")
    return f"data:image/png;base64,{base64.b64encode(content.getvalue()).decode()}"


def reference(*texts: str) -> list[list[float]]:
    return RandomLoader(32).encode_text(texts).tolist()


def vectors(answered: Any) -> np.ndarray:
    return np.array([entry["embedding"] for entry in answered.json["data"]])


@pytest.mark.parametrize("encoding", [{}, {"encoding_format": "float"}, {"encoding_format": "base64"}])
def test_official_client_gets_one_vector_for_each_text_in_order(
    client: openai.OpenAI, encoding: dict[str, Any]
) -> None:
    answered = client.embeddings.create(model=SMALL, input=["one", "two"], **encoding)
    assert (answered.object, answered.model) == ("list", SMALL)
    assert [entry.index for entry in answered.data] == [0, 1]
    found = [entry.embedding for entry in answered.data]
    if encoding.get("encoding_format") == "base64":
        # Asked for by name, it is not decoded by the client.
        found = [np.frombuffer(base64.b64decode(str(text)), "<f4").tolist() for text in found]
    np.testing.assert_allclose(found, reference("one", "two"), rtol=1e-6)
    assert answered.usage.prompt_tokens == answered.usage.total_tokens == 2


def test_one_text_needs_no_list(client: openai.OpenAI) -> None:
    answered = client.embeddings.create(model=SMALL, input="one", encoding_format="float")
    np.testing.assert_allclose([answered.data[0].embedding], reference("one"), rtol=1e-6)


def test_many_texts_come_back_in_order_whatever_the_batches(client: openai.OpenAI) -> None:
    texts = [f"text {number} " * (number % 7 + 1) for number in range(300)]
    answered = client.embeddings.create(model=SMALL, input=texts)
    np.testing.assert_allclose([entry.embedding for entry in answered.data], reference(*texts), rtol=1e-6)


def test_requests_of_many_threads_are_answered_each_with_its_own(client: openai.OpenAI) -> None:
    found: dict[int, list[float]] = {}

    def ask(number: int) -> None:
        found[number] = client.embeddings.create(model=SMALL, input=f"text {number}").data[0].embedding

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    np.testing.assert_allclose(
        [found[number] for number in range(16)], reference(*(f"text {number}" for number in range(16))), rtol=1e-6
    )


def test_model_may_be_described_by_properties(client: openai.OpenAI) -> None:
    described = {"model_properties": {"type": "random", "dimensions": 5}}
    answered = client.embeddings.create(model="mine", input="a", extra_body=described)
    assert len(answered.data[0].embedding) == 5


def test_images_and_texts_may_be_mixed(app: FlaskClient) -> None:
    red, blue = picture("red"), picture("blue")
    inputs = [
        {"image": red},
        "a text",
        {"type": "image_url", "image_url": {"url": blue}},
        {"type": "text", "text": "a text"},
        {"text": "other"},
        {"image": red},
    ]
    answered = app.post("/v1/embeddings", json={"model": SMALL, "input": inputs})
    found = vectors(answered)
    assert answered.json["usage"]["prompt_tokens"] == 3
    np.testing.assert_array_equal(found[0], found[5])
    np.testing.assert_array_equal(found[1], found[3])
    assert len({tuple(vector) for vector in found}) == 4


def test_image_that_can_not_be_read_is_told(app: FlaskClient) -> None:
    for pointer in ("data:image/png;base64,AAAA", "http://127.0.0.1/x.png", "/etc/passwd", ""):
        answered = app.post("/v1/embeddings", json={"model": SMALL, "input": [{"image": pointer}]})
        assert answered.status_code == 400, pointer
        assert answered.json["error"]["type"] == "invalid_request_error"
        assert answered.json["error"]["message"]


def test_vectors_have_length_one_unless_told_otherwise(make_client: MakeClient) -> None:
    with FaultServer([answer(b"[[3, 4]]")] * 3) as server:
        described = {"type": "endpoint", "protocol": "tei", "url": server.url, "dimensions": 2}
        client = make_client(opensearch_url=NOBODY, endpoints={server.url: ""})
        body = {"model": "mine", "input": "a", "model_properties": described}
        np.testing.assert_allclose(vectors(client.post("/v1/embeddings", json=body)), [[0.6, 0.8]], rtol=1e-6)
        raw = client.post("/v1/embeddings", json={**body, "normalize": False})
        assert vectors(raw).tolist() == [[3, 4]]


def test_fewer_dimensions_are_cut_and_brought_to_length_one_where_the_model_allows(make_client: MakeClient) -> None:
    described = {"type": "endpoint", "protocol": "tei", "dimensions": 3, "matryoshka": True}
    with FaultServer([answer(b"[[3, 4, 12]]")] * 3) as server:
        client = make_client(opensearch_url=NOBODY, endpoints={server.url: ""})
        body = {"model": "mine", "input": "a", "dimensions": 2}
        short = client.post("/v1/embeddings", json={**body, "model_properties": {**described, "url": server.url}})
    np.testing.assert_allclose(vectors(short), [[0.6, 0.8]], rtol=1e-6)


def test_prefix_of_the_model_is_added_for_queries_and_passages(app: FlaskClient) -> None:
    described = {"type": "random", "dimensions": 32, "text_query_prefix": "q: ", "text_chunk_prefix": "p: "}
    body = {"model": "mine", "input": "one", "model_properties": described}
    for input_type, text in (("query", "q: one"), ("passage", "p: one"), ("none", "one"), (None, "one")):
        answered = app.post("/v1/embeddings", json={**body, "input_type": input_type})
        np.testing.assert_allclose(vectors(answered), reference(text), rtol=1e-6)


@pytest.mark.parametrize(
    ("change", "param", "told"),
    [
        ({"input": []}, "input", "not empty"),
        ({"input": None}, "input", "not empty"),
        ({"input": [1, 2]}, "input", "send the text itself"),
        ({"input": [[1, 2]]}, "input", "send the text itself"),
        ({"input": [None]}, "input", "input[0] must be a text"),
        ({"input": ["a", {"image": 5}]}, "input", "input[1] must be a text"),
        ({"input": [{"image": "x", "text": "y"}]}, "input", "input[0] must be a text"),
        ({"input": [{"type": "text", "image": "x"}]}, "input", "input[0] must be a text"),
        ({"input": ["a"] * 2049}, "input", "the limit is 2048"),
        ({"model": 5}, "model", "GET /v1/models"),
        ({"model": ""}, "model", "GET /v1/models"),
        ({"dimensions": 16}, "dimensions", "vectors of 32 dimensions"),
        ({"dimensions": 0}, "dimensions", "above 0"),
        ({"dimensions": True}, "dimensions", "above 0"),
        ({"encoding_format": "hex"}, "encoding_format", "float or base64"),
        ({"normalize": "yes"}, "normalize", "true or false"),
        ({"input_type": "question"}, "input_type", "query, passage or none"),
        ({"model_properties": []}, "model_properties", "an object"),
        ({"modelAuth": {}}, "modelAuth", "exactly one of s3, hf, endpoint"),
        ({"modelAuth": {"hf": {}}}, "modelAuth", "field required"),
        ({"normalise": True}, "normalise", "Did you mean 'normalize'?"),
        ({"model_properties": {"name": "a"}}, None, "'dimensions' is missing"),
    ],
)
def test_bad_request_is_told_in_openais_form(
    app: FlaskClient, change: dict[str, Any], param: str | None, told: str
) -> None:
    answered = app.post("/v1/embeddings", json={"model": SMALL, "input": "a", **change})
    assert answered.status_code == 400
    assert set(answered.json) == {"error"}
    error = answered.json["error"]
    assert (error["type"], error["param"], error["code"]) == ("invalid_request_error", param, None)
    assert told in error["message"]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"5"])
def test_body_that_is_no_object_is_told_in_openais_form(app: FlaskClient, body: bytes) -> None:
    answered = app.post("/v1/embeddings", data=body, content_type="application/json")
    assert answered.status_code == 400
    assert answered.json["error"]["type"] == "invalid_request_error"


def test_unknown_model_is_404_as_the_client_expects(client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError, match="no model named 'nope'") as unknown:
        client.embeddings.create(model="nope", input="a")
    assert (unknown.value.code, unknown.value.param) == ("model_not_found", "model")


def test_full_queue_is_429_and_says_when_to_come_back(make_client: MakeClient, monkeypatch: pytest.MonkeyPatch) -> None:
    client = make_client(opensearch_url=NOBODY, embedding_queue=1)
    monkeypatch.setattr(client.application.extensions["sidecar"].engine, "_waiting", 1)
    answered = client.post("/v1/embeddings", json={"model": SMALL, "input": "a"})
    assert (answered.status_code, answered.headers["Retry-After"]) == (429, "1")
    assert answered.json["error"]["code"] == "rate_limit_exceeded"


def test_key_of_the_client_is_checked_where_the_operator_set_one() -> None:
    with served(api_keys=("right",)) as url:
        for key in ("wrong", "right"):
            client = openai.OpenAI(base_url=f"{url}/v1", api_key=key, max_retries=0)
            if key == "right":
                assert client.embeddings.create(model=SMALL, input="a").data
                continue
            with pytest.raises(openai.AuthenticationError) as refused:
                client.embeddings.create(model=SMALL, input="a")
            assert refused.value.code == "invalid_api_key"


def test_model_that_can_not_be_had_is_told(app: FlaskClient, tmp_path: Path) -> None:
    described = {"type": "hf", "localpath": str(tmp_path), "dimensions": 4}
    answered = app.post("/v1/embeddings", json={"model": "mine", "input": "a", "model_properties": described})
    assert answered.status_code == 400
    assert f"folder {tmp_path} has no config.json" in answered.json["error"]["message"]


def test_unforeseen_error_is_told_in_openais_form(app: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise ZeroDivisionError("inner words")

    monkeypatch.setattr(app.application.extensions["sidecar"].engine, "check_room", fail)
    answered = app.post("/v1/embeddings", json={"model": SMALL, "input": "a"})
    assert answered.status_code == 500
    assert answered.json["error"]["type"] == "server_error"
    assert "inner words" not in answered.text


def test_models_are_listed_as_the_client_reads_them(client: openai.OpenAI) -> None:
    names = [model.id for model in client.models.list()]
    assert SMALL in names
    assert "open_clip/ViT-B-32/laion2b_s34b_b79k" in names
    assert client.models.retrieve(SMALL).id == SMALL
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("nope")


def test_answer_is_json_that_any_client_reads(app: FlaskClient) -> None:
    answered = app.post("/v1/embeddings", json={"model": SMALL, "input": "a", "user": "me"})
    body = orjson.loads(answered.data)
    assert set(body) == {"object", "data", "model", "usage"}
    assert set(body["data"][0]) == {"object", "index", "embedding"}
