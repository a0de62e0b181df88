"""Models that run at an inference endpoint, and all models at another sidecar."""

from __future__ import annotations

import base64
import io
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from PIL import Image

from sidecar.embedding.conversion import ConversionCache
from sidecar.embedding.endpoint_client import EndpointAccess, EndpointClient
from sidecar.embedding.endpoint_protocols import BadAnswer, read_vectors, trusted_start, whole_url
from sidecar.embedding.load import Access, ModelLoading
from sidecar.embedding.loader import Loader, Modality
from sidecar.embedding.loaders.random import RandomLoader
from sidecar.embedding.loaders.remote import RemoteLoader
from sidecar.embedding.model_spec import ModelAuth, ModelSpec
from sidecar.embedding.model_table import ModelTable
from sidecar.errors import EndpointError, EndpointUnavailable, InvalidArgument
from tests.contracts import LoaderContract
from tests.fault_server import HANG_UP, FaultServer, answer
from tests.served_app import NOBODY, served

TABLE = ModelTable()
PROBE = "dimensions"


def endpoint_spec(url: str, **properties: Any) -> ModelSpec:
    """A model of three dimensions at an endpoint."""
    given = {"type": "endpoint", "url": url, "name": "some-model", "dimensions": 3, **properties}
    return TABLE.resolve("mine", given)


def load(spec: ModelSpec, *trusted: str, token: str = "") -> Loader:
    """The model, where the operator trusts these starts of URLs."""
    access = Access(endpoints=dict.fromkeys(trusted, token))
    return ModelLoading(ConversionCache(Path("unused")), "auto", access).load(spec)


def openai_answer(*vectors: list[float]) -> bytes:
    return answer(orjson.dumps({"data": [{"index": row, "embedding": one} for row, one in enumerate(vectors)]}))


def refusal(status: str, *headers: str, body: bytes = b'{"error": {"message": "its own words"}}') -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


ONE = openai_answer([1.0, 2.0, 3.0])
AGAIN_AT_ONCE = "Retry-After: 0"


def test_openai_endpoint_is_sent_the_model_the_texts_and_the_token() -> None:
    swapped = {"data": [{"index": 1, "embedding": [4, 5, 6]}, {"index": 0, "embedding": [1, 2, 3]}]}
    with FaultServer([ONE, answer(orjson.dumps(swapped))]) as server:
        loader = load(endpoint_spec(f"{server.url}/v1"), server.url, token="secret")
        np.testing.assert_array_equal(loader.encode_text(["one", "two"]), np.array([[1, 2, 3], [4, 5, 6]], np.float32))
    probe, sent = server.requests
    assert sent.first_line == "POST /v1/embeddings HTTP/1.1"
    assert orjson.loads(probe.body)["input"] == [PROBE]
    assert orjson.loads(sent.body) == {"model": "some-model", "input": ["one", "two"], "encoding_format": "float"}
    assert "authorization: bearer secret" in sent.head.lower()
    assert server.connections == 1


def test_clients_own_token_goes_before_the_operators() -> None:
    with FaultServer([ONE]) as server:
        spec = endpoint_spec(server.url)
        load(replace(spec, auth=ModelAuth("endpoint", (("token", "mine"),))), server.url, token="theirs")
    assert "authorization: bearer mine" in server.requests[0].head.lower()


def test_tei_endpoint_is_asked_in_its_own_form() -> None:
    with FaultServer([answer(b"[[1, 2, 3]]"), answer(b"[[4, 5, 6]]")]) as server:
        loader = load(endpoint_spec(server.url, protocol="tei"), server.url)
        assert loader.encode_text(["one"]).tolist() == [[4, 5, 6]]
    assert server.requests[1].first_line == "POST /embed HTTP/1.1"
    assert orjson.loads(server.requests[1].body) == {"inputs": ["one"], "truncate": True, "normalize": False}


def test_empty_texts_are_sent_as_a_space_which_endpoints_accept() -> None:
    with FaultServer([ONE, openai_answer([1, 2, 3], [1, 2, 3])]) as server:
        load(endpoint_spec(server.url), server.url).encode_text(["", "half \ud83d"])
    assert orjson.loads(server.requests[1].body)["input"] == [" ", "half ?"]


@pytest.mark.parametrize(("options", "sizes"), [({}, [6, 32, 32]), ({"batch_size": 8}, [6] + [8] * 8)])
def test_texts_are_sent_in_batches_of_the_size_asked_for(options: dict[str, int], sizes: list[int]) -> None:
    replies = [openai_answer(*[[1.0, 2.0, 3.0]] * size) for size in reversed(sizes)]
    with FaultServer([ONE, *replies]) as server:
        assert load(endpoint_spec(server.url, **options), server.url).encode_text(["text"] * 70).shape == (70, 3)
    sent = [len(orjson.loads(request.body)["input"]) for request in server.requests[1:]]
    assert sorted(sent) == sorted(sizes)


@pytest.mark.parametrize(
    "fault",
    [
        refusal("429 Too Many Requests", AGAIN_AT_ONCE),
        refusal("503 Service Unavailable", AGAIN_AT_ONCE),
        refusal("502 Bad Gateway"),
        HANG_UP,
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\ncut short",
    ],
)
def test_passing_fault_is_tried_again(fault: bytes) -> None:
    with FaultServer([fault, ONE]) as server:
        load(endpoint_spec(server.url), server.url)
    assert len(server.requests) == 2


def test_connection_that_the_endpoint_closed_meanwhile_is_no_fault() -> None:
    with FaultServer([ONE, ONE]) as server:
        loader = load(endpoint_spec(server.url, retries=0), server.url)
        server.drop_connections()
        assert loader.encode_text(["one"]).shape == (1, 3)


def test_endpoint_that_refuses_for_long_is_given_up_with_its_own_words() -> None:
    with FaultServer([refusal("429 Too Many Requests", AGAIN_AT_ONCE)] * 3) as server:
        with pytest.raises(EndpointUnavailable, match=r"answered with status 429: its own words, 3 times") as failed:
            load(endpoint_spec(server.url, retries=2), server.url)
        assert f"{server.url}/v1/embeddings" in failed.value.message
    assert len(server.requests) == 3


def test_endpoint_that_asks_for_a_long_pause_is_given_up_at_once() -> None:
    busy = refusal("503 Busy", "Retry-After: 3600")
    with FaultServer([busy]) as server, pytest.raises(EndpointError, match="status 503"):
        load(endpoint_spec(server.url), server.url)
    assert len(server.requests) == 1


def test_endpoint_that_asks_for_a_pause_in_no_number_is_asked_again() -> None:
    busy = refusal("503 Busy", "Retry-After: \xb2")
    with FaultServer([busy] * 2) as server, pytest.raises(EndpointUnavailable, match="503: its own words, 2 times"):
        load(endpoint_spec(server.url, retries=1), server.url)


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        (refusal("404 Not Found"), "status 404: its own words. Check 'url' and 'name'"),
        (refusal("401 Unauthorized"), "modelAuth.endpoint.token"),
        (refusal("400 Bad Request", body=b"plain words"), "status 400: plain words"),
        (refusal("302 Found", "Location: http://127.0.0.1/other"), "status 302"),
        (answer(b"<html>"), "no JSON"),
        (answer(b'{"data": []}'), "0 vectors for 1 inputs"),
        (answer(b'{"vectors": []}'), "without a list 'data'"),
        (openai_answer([]), "empty"),
    ],
)
def test_answer_that_is_no_embedding_is_told_and_not_asked_for_again(reply: bytes, told: str) -> None:
    with FaultServer([reply]) as server, pytest.raises(EndpointError) as failed:
        load(endpoint_spec(server.url), server.url)
    assert told in failed.value.message
    assert len(server.requests) == 1


def test_wrong_dimensions_are_told_with_the_right_number_when_the_model_is_loaded() -> None:
    told = r"gives vectors of 3 dimensions.*'dimensions' 4"
    with FaultServer([ONE]) as server, pytest.raises(InvalidArgument, match=told):
        load(endpoint_spec(server.url, dimensions=4), server.url)


def test_model_that_may_be_cut_gives_the_first_dimensions() -> None:
    with FaultServer([ONE, ONE]) as server:
        loader = load(endpoint_spec(server.url, dimensions=2, matryoshka=True), server.url)
        assert loader.encode_text(["one"]).tolist() == [[1, 2]]


def test_endpoint_that_is_down_is_told_with_its_url() -> None:
    with pytest.raises(EndpointError, match=rf"{NOBODY}/v1/embeddings can't be reached"):
        load(endpoint_spec(NOBODY, retries=0), NOBODY)


def test_endpoint_that_is_silent_is_given_up_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(EndpointUnavailable, match=r"did not answer within 0.2 s"):
            load(endpoint_spec(url, timeout=0.2, retries=9), url)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_private_address_is_refused_unless_the_operator_names_it(host: str) -> None:
    with FaultServer([ONE]) as server:
        url = server.url.replace("127.0.0.1", host)
        with pytest.raises(EndpointError, match=r"not public.*SIDECAR_ENDPOINTS"):
            load(endpoint_spec(url))
        assert server.connections == 0
        load(endpoint_spec(url), url)


def test_token_never_shows_in_an_error() -> None:
    with FaultServer([refusal("403 Forbidden")]) as server, pytest.raises(EndpointError) as failed:
        load(endpoint_spec(server.url), server.url, token="secret")
    assert "secret" not in failed.value.message


@pytest.mark.parametrize(
    ("url", "protocol", "whole"),
    [
        ("https://a", "openai", "https://a/v1/embeddings"),
        ("https://a/v1/", "openai", "https://a/v1/embeddings"),
        ("https://a/v1/embeddings", "openai", "https://a/v1/embeddings"),
        ("https://a/x/embeddings?api-version=1", "openai", "https://a/x/embeddings?api-version=1"),
        ("https://a", "tei", "https://a/embed"),
        ("https://a/x/embed", "tei", "https://a/x/embed"),
    ],
)
def test_url_may_have_the_protocols_path_or_not(url: str, protocol: str, whole: str) -> None:
    assert whole_url(url, protocol) == whole


@pytest.mark.parametrize(
    ("url", "start", "is_trusted"),
    [
        ("http://a/v1/embeddings", "http://a", True),
        ("http://a/v1/embeddings", "http://A/v1/", True),
        ("http://a.example/v1/embeddings", "http://a", False),
        ("http://a:81/v1/embeddings", "http://a", False),
        ("https://a/v1/embeddings", "http://a", False),
        ("http://a/xyz", "http://a/x", False),
        ("http://a/x/../y/embeddings", "http://a/x", False),
    ],
)
def test_trust_ends_where_the_operators_start_of_a_url_does(url: str, start: str, is_trusted: bool) -> None:
    assert (trusted_start(url, {start: ""}) is not None) is is_trusted


def test_longest_start_decides_on_the_token() -> None:
    assert trusted_start("http://a/x/embed", {"http://a": "1", "http://a/x": "2"}) == "http://a/x"


@pytest.mark.parametrize("steps", ["..", "%2e%2e", ".%2E", "..%2f..", "..%5c..", "y/%2e%2e/.."])
def test_trust_in_a_path_does_not_reach_what_lies_above_it(steps: str) -> None:
    assert trusted_start(f"http://a/x/{steps}/embed", {"http://a/x": "token"}) is None


@pytest.mark.parametrize(
    "data",
    [
        [{"index": 0, "embedding": [1]}, {"index": 0, "embedding": [2]}],
        [{"index": 0, "embedding": [1]}, {"index": 1, "embedding": [2, 3]}],
        [{"index": 0, "embedding": [1]}, {"index": 1, "embedding": ["a"]}],
        [{"index": 0, "embedding": [1]}, {"index": 1, "embedding": None}],
        [{"index": 0, "embedding": "AAA"}, {"index": 1, "embedding": "AAA"}],
        [{"index": 0}, {"index": 1}],
        ["a", "b"],
        {"a": "b"},
    ],
)
def test_vectors_that_can_not_be_right_are_refused(data: Any) -> None:
    with pytest.raises(BadAnswer):
        read_vectors("openai", {"data": data}, 2)


def test_vectors_in_base64_are_read_as_little_endian_float32() -> None:
    text = base64.b64encode(np.array([1.5, -2], "<f4").tobytes()).decode()
    assert read_vectors("openai", {"data": [{"embedding": text}]}, 1).tolist() == [[1.5, -2]]


@pytest.fixture(scope="module")
def other_sidecar() -> Iterator[str]:
    with served() as url:
        yield url


class TestEndpointLoader(LoaderContract):
    """Our own ``/v1/embeddings`` is the endpoint."""

    @pytest.fixture(scope="class")
    def loader(self, other_sidecar: str) -> Loader:
        spec = endpoint_spec(other_sidecar, name="random/small", dimensions=32)
        return load(spec, other_sidecar)


def remote(url: str) -> ModelLoading:
    return ModelLoading(ConversionCache(Path("unused")), "auto", Access(sidecar_url=url))


@pytest.fixture
def random_is_remote(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also the models that need no weights run at the other sidecar."""
    monkeypatch.setattr("sidecar.embedding.load.runs_here", lambda kind: False)


class TestRemoteLoader(LoaderContract):
    @pytest.fixture(scope="class")
    def loader(self, other_sidecar: str) -> Iterator[Loader]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("sidecar.embedding.load.runs_here", lambda kind: False)
            yield remote(other_sidecar).load(TABLE.resolve("random/small"))


def test_models_that_need_no_weights_run_here_even_so() -> None:
    assert remote(NOBODY).load(TABLE.resolve("random/small")).backend == "random"


def test_remote_model_gives_the_vectors_of_the_same_model_here(other_sidecar: str, random_is_remote: None) -> None:
    spec = TABLE.resolve("mine", {"type": "random", "dimensions": 6, "tokens": 9})
    there = remote(other_sidecar).load(spec)
    assert there.backend == "remote"
    np.testing.assert_array_equal(there.encode_text(["a", "b"]), RandomLoader(6).encode_text(["a", "b"]))


def test_remote_image_gives_the_vector_of_the_same_image_here(other_sidecar: str) -> None:
    photograph = Image.effect_noise((70, 50), 80).convert("RGB")
    client = EndpointClient(EndpointAccess(f"{other_sidecar}/v1/embeddings", "", True, 30, 0))
    there = RemoteLoader(client, TABLE.resolve("random/small"))
    np.testing.assert_array_equal(there.encode_image([photograph]), RandomLoader(32).encode_image([photograph]))


def test_remote_clip_model_embeds_images_too_and_large_ones_are_sent_smaller() -> None:
    client = EndpointClient(EndpointAccess(f"{NOBODY}/v1/embeddings", "", True, 30, 0))
    loader = RemoteLoader(client, TABLE.resolve("ViT-B/32"))
    assert loader.modalities == {Modality.TEXT, Modality.IMAGE}
    pointer = loader.prepare_image(Image.new("RGB", (4000, 3000))).payload["image"]
    sent = Image.open(io.BytesIO(base64.b64decode(pointer.partition(",")[2])))
    assert sent.size == (1000, 750)


def test_remote_sidecar_that_is_down_is_told_with_its_url() -> None:
    with pytest.raises(EndpointError, match=rf"{NOBODY}/v1/embeddings can't be reached"):
        remote(NOBODY).load(TABLE.resolve("hf/e5-small"))
