"""Pipelines by their names: what the sidecar is to do for them."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Any, cast

import pytest

from sidecar.embedding.model_table import ModelTable
from sidecar.native.declarations.pipelines import TTL_SECONDS, Pipelines
from sidecar.native.declarations.processors import Combination, SearchPipeline, TextEmbedding
from sidecar.native.embedder import NativeEmbedder
from sidecar.native.errors import Refused
from sidecar.native.json.edits import apply
from sidecar.native.json.spans import Object, read
from sidecar.native.reading import ClusterReader
from sidecar.native.request import NativeRequest
from sidecar.opensearch.address import ClusterAddress
from sidecar.opensearch.connections import TransportOptions
from sidecar.opensearch.passthrough import Passthrough
from tests.fix_opensearch import request

ASKING = NativeRequest("GET", "/", (), BytesIO(), 0)
SET = {"set": {"field": "x", "value": 1}}
_NONE = cast(Any, None)
EMBEDDER = NativeEmbedder(_NONE, _NONE, ModelTable(), aliases={"id-7": "random/small"}, device="cpu")

Put = Callable[..., str]


class Clock:
    """Time as a test wants it."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def pipelines(node: str, clock: Clock) -> Iterator[Pipelines]:
    upstream = Passthrough(ClusterAddress(node), TransportOptions())
    yield Pipelines(ClusterReader(upstream), EMBEDDER, clock=clock)
    upstream.close()


@pytest.fixture
def put(node: str) -> Iterator[Put]:
    """Puts an ingest pipeline that embeds into the fields named, and then does what the others say."""
    start = f"test-{uuid.uuid4().hex[:12]}"

    def put(suffix: str, *fields: str, others: list[Any] | None = None, line: str | None = None) -> str:
        kept = [{"at": at, **embedding(field)} for at, field in enumerate(fields)]
        text = f"#sidecar {json.dumps({'processors': kept})}" if line is None else line
        body = {"description": text, "processors": others or []}
        assert request(node, "PUT", f"/_ingest/pipeline/{start}{suffix}", json.dumps(body))[0] == 200
        return start + suffix

    yield put
    request(node, "DELETE", f"/_ingest/pipeline/{start}*")


def embedding(field: str) -> dict[str, Any]:
    return {"text_embedding": {"model_id": "id-7", "field_map": {field: "v"}}}


def fields_of(processors: tuple[Any, ...]) -> list[str]:
    return [next(iter(one.field_map)) for one in processors]


def test_processors_are_those_that_were_taken_out(pipelines: Pipelines, put: Put) -> None:
    name = put("", "a", "b", others=[SET])
    assert pipelines.ingest(name, ASKING) == (TextEmbedding("id-7", {"a": "v"}), TextEmbedding("id-7", {"b": "v"}))


def test_pipelines_of_others_and_missing_ones_have_none(pipelines: Pipelines, put: Put) -> None:
    assert pipelines.ingest(put("-a", others=[SET], line="mine"), ASKING) == ()
    assert pipelines.ingest(put("-b", line='#sidecar {"processors":[{"at":0,"text_embedding":{}}]}'), ASKING) == ()
    assert pipelines.ingest("nothing/here,*", ASKING) == ()
    assert pipelines.search("nothing/here,*", ASKING) == SearchPipeline()


def test_what_was_read_holds_for_seconds_or_until_a_change(pipelines: Pipelines, put: Put, clock: Clock) -> None:
    name = put("", "a")
    assert fields_of(pipelines.ingest(name, ASKING)) == ["a"]
    put("", "b")
    assert fields_of(pipelines.ingest(name, ASKING)) == ["a"]
    clock.now += TTL_SECONDS
    assert fields_of(pipelines.ingest(name, ASKING)) == ["b"]
    put("", "c")
    pipelines.forget()
    assert fields_of(pipelines.ingest(name, ASKING)) == ["c"]


def test_callers_with_other_credentials_are_asked_for_anew(pipelines: Pipelines, put: Put) -> None:
    name = put("", "a")
    assert fields_of(pipelines.ingest(name, ASKING)) == ["a"]
    put("", "b")
    other = NativeRequest("GET", "/", (("authorization", "Basic Zm9vOmJhcg=="),), BytesIO(), 0)
    assert fields_of(pipelines.ingest(name, other)) == ["b"]


def test_pipelines_that_are_called_first_embed_too(pipelines: Pipelines, put: Put) -> None:
    inner = put("-inner", "b")
    other = put("-other", "c", others=[SET])
    calls = [{"pipeline": {"name": inner, "tag": "t"}}, {"pipeline": {"name": other}}, SET]
    assert fields_of(pipelines.ingest(put("", "a", others=calls), ASKING)) == ["a", "b", "c"]


def test_pipelines_that_call_each_other_end(pipelines: Pipelines, put: Put) -> None:
    name = put("", "a")
    put("", "a", others=[{"pipeline": {"name": name}}])
    assert fields_of(pipelines.ingest(name, ASKING)) == ["a"]


def test_embedding_behind_others_is_refused_and_not_left_out(pipelines: Pipelines, put: Put) -> None:
    inner = put("-inner", "b")
    plain = put("-plain", others=[SET], line="mine")
    for suffix, others in {
        "-a": [SET, {"pipeline": {"name": inner}}],
        "-b": [{"pipeline": {"name": inner, "if": "ctx.x == 1"}}],
        "-c": [{"pipeline": {"name": plain}}, {"pipeline": {"name": inner}}],
    }.items():
        with pytest.raises(Refused, match="which embeds, behind other processors"):
            pipelines.ingest(put(suffix, others=others, line="mine"), ASKING)


def test_a_search_pipeline_of_a_request_is_read_and_left_to_the_cluster_without_our_processors(
    pipelines: Pipelines, node: str
) -> None:
    others = [{"filter_query": {"query": {"match_all": {}}}}]
    given = {
        "request_processors": [{"neural_query_enricher": {"default_model_id": "id-7"}}, *others],
        "phase_results_processors": [{"normalization-processor": {"normalization": {"technique": "l2"}}}],
    }
    expected = SearchPipeline("id-7", combination=Combination("l2"))
    assert pipelines.search(given, ASKING) == expected
    data = json.dumps({"search_pipeline": given}).encode()
    body = read(data)
    assert isinstance(body, Object)
    pipeline = body.get("search_pipeline")
    assert isinstance(pipeline, Object)
    found, edits = pipelines.search_in_body(pipeline, data)
    assert found == expected
    sent = apply(data, edits)
    assert json.loads(sent)["search_pipeline"] == {"request_processors": others, "phase_results_processors": []}
    assert request(node, "POST", "/_search", sent.decode())[0] == 200


def test_models_of_others_leave_a_search_pipeline_to_the_cluster(pipelines: Pipelines) -> None:
    unknown = {"request_processors": [{"neural_query_enricher": {"default_model_id": "aVeif4oB5Vm0Tdw8zYO2"}}]}
    assert pipelines.search(unknown, ASKING) == SearchPipeline()
    assert pipelines.search({}, ASKING) == SearchPipeline()
    odd = {"request_processors": [{"neural_query_enricher": {"default_model_id": "\ud800", "tag": 10**30}}]}
    assert pipelines.search(odd, ASKING) == SearchPipeline()
    with pytest.raises(Refused, match="weights"):
        weights = {"combination": {"parameters": {"weights": "x"}}}
        pipelines.search({"phase_results_processors": [{"normalization-processor": weights}]}, ASKING)
