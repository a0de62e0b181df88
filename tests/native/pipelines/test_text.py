"""Pipelines without the sidecar's processors, and with them again."""

from __future__ import annotations

import json
from typing import Any, cast

from hypothesis import given, settings
from hypothesis import strategies as st

from sidecar.embedding.model_table import ModelTable
from sidecar.native.declarations.own_processors import take_ingest_processors, take_search_processors
from sidecar.native.embedder import NativeEmbedder
from sidecar.native.json.spans import read
from sidecar.native.json.writing import as_value, write
from sidecar.native.pipelines.text import Take, put_back, without_own
from tests.native.json.test_spans import SCALARS

EMBEDDER = NativeEmbedder(
    cast(Any, None), cast(Any, None), ModelTable(), aliases={"id-7": "random/small"}, device="cpu"
)
EMBEDDING = {"text_embedding": {"model_id": "id-7", "field_map": {"title": "title_vector"}}}
CHUNKING = {"text_chunking": {"algorithm": {"delimiter": {"delimiter": "\u00a0é\n"}}, "field_map": {"a": {"b": "c"}}}}
ENRICHER = {"neural_query_enricher": {"default_model_id": "id-7"}}
NORMALIZATION = {"normalization-processor": {"combination": {"parameters": {"weights": [0.3, 0.7]}}}}

_TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
_SETTINGS = st.dictionaries(_TEXTS, SCALARS | st.lists(SCALARS, max_size=2), max_size=2)
_OTHER = st.fixed_dictionaries({"set": _SETTINGS})
_REST = st.dictionaries(st.sampled_from(["version", "on_failure", "x"]), _SETTINGS)


def _restored(body: bytes) -> Any:
    pipeline = as_value(read(body), body)
    assert put_back(pipeline)
    return json.loads(write(pipeline))


def _taken(pipeline: dict[str, Any], take: Take, indent: int | None) -> bytes | None:
    return without_own(json.dumps(pipeline, indent=indent).encode(), take, EMBEDDER)


@settings(max_examples=50, deadline=None)
@given(
    description=st.just({}) | st.fixed_dictionaries({"description": _TEXTS}),
    own=st.lists(st.sampled_from([EMBEDDING, CHUNKING]), max_size=3).map(lambda own: [*own, EMBEDDING]),
    others=st.lists(_OTHER, max_size=3),
    rest=_REST,
    indent=st.sampled_from([None, 2]),
)
def test_an_ingest_pipeline_comes_back_as_it_was(
    description: dict[str, str], own: list[Any], others: list[Any], rest: dict[str, Any], indent: int | None
) -> None:
    pipeline = {**rest, **description, "processors": [*own, *others]}
    body = _taken(pipeline, take_ingest_processors, indent)
    assert body is not None
    sent = json.loads(body)
    assert sent["processors"] == others
    assert sent["description"].startswith(description.get("description", "#sidecar "))
    assert {key: sent[key] for key in rest} == rest
    assert _restored(body) == pipeline


@settings(max_examples=50, deadline=None)
@given(
    before=st.lists(_OTHER, max_size=2),
    between=st.lists(_OTHER, max_size=2),
    after=st.lists(_OTHER, max_size=2),
    indent=st.sampled_from([None, 2]),
)
def test_a_search_pipeline_comes_back_as_it_was(
    before: list[Any], between: list[Any], after: list[Any], indent: int | None
) -> None:
    pipeline = {
        "request_processors": [*before, ENRICHER, *between, ENRICHER, *after],
        "phase_results_processors": [*after, NORMALIZATION],
        "response_processors": before,
    }
    body = _taken(pipeline, take_search_processors, indent)
    assert body is not None
    sent = json.loads(body)
    assert sent["request_processors"] == [*before, *between, *after]
    assert sent["phase_results_processors"] == after
    assert _restored(body) == pipeline


def test_bytes_of_the_others_stay() -> None:
    body = b"""{ "version" : 1e0, /* mine */
      "processors" : [ {"text_embedding":{"model_id":"id-7","field_map":{"a":"b"}, "batch_size" : 3}} ,
                       {"set":{"field":"x","value":1.50}} ] }"""
    sent = without_own(body, take_ingest_processors, EMBEDDER)
    line = (
        rb'"description":"#sidecar {\"processors\":[{\"at\":0,\"text_embedding\":'
        rb'{\"model_id\":\"id-7\",\"field_map\":{\"a\":\"b\"},\"batch_size\":3}}]}",'
    )
    assert (
        sent
        == b"""{%b "version" : 1e0, /* mine */
      "processors" : [ {"set":{"field":"x","value":1.50}} ] }"""
        % line
    )


def test_what_the_cluster_refuses_is_left_to_it() -> None:
    own = json.dumps(EMBEDDING)
    for body in [
        "",
        "[]",
        "{",
        '{"processors":{}}',
        '{"processors":[]}',
        f'{{"processors":[{own}],"processors":[{own}]}}',
        f'{{"processors":[{own}],"description":5}}',
        f'{{"processors":[{own}],"description":{{}}}}',
        '{"processors":[{"text_embedding":5}]}',
        f'{{"processors":[{own},{{"text_embedding":{{"x":{"[" * 300}{"]" * 300}}}}}]}}',
        '{"processors":[{"text_embedding":{"model_id":"id-7","field_map":{"a":"b"}},"set":{}}]}',
    ]:
        assert without_own(body.encode(), take_ingest_processors, EMBEDDER) is None, body


def test_models_of_others_are_left_to_the_cluster() -> None:
    unknown = {"text_embedding": {"model_id": "aVeif4oB5Vm0Tdw8zYO2", "field_map": {"title": "title_vector"}}}
    for processors in ([unknown], [EMBEDDING, unknown], [CHUNKING, unknown], [CHUNKING]):
        assert _taken({"processors": processors}, take_ingest_processors, None) is None
    enrichers = [
        {"default_model_id": "aVeif4oB5Vm0Tdw8zYO2"},
        {"default_model_id": "id-7", "neural_field_default_id": {"a": "aVeif4oB5Vm0Tdw8zYO2"}},
    ]
    for enricher in enrichers:
        pipeline = {"request_processors": [{"neural_query_enricher": enricher}]}
        assert _taken(pipeline, take_search_processors, None) is None
