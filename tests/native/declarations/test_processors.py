"""Settings of processors, read as the neural-search plugin reads them."""

from __future__ import annotations

from typing import Any

import pytest

from sidecar.native.declarations.ingest_processors import read_ingest_processor
from sidecar.native.declarations.processors import (
    Bound,
    Combination,
    SearchPipeline,
    TextChunking,
    TextEmbedding,
    TextImageEmbedding,
)
from sidecar.native.declarations.search_processors import read_search_pipeline
from sidecar.native.errors import Refused

MAP = {"field_map": {"a": "b"}}
FIXED = {"token_limit": 384, "overlap_rate": 0.0, "tokenizer": "standard", "max_chunk_limit": 100}


@pytest.mark.parametrize(
    ("kind", "settings", "processor"),
    [
        ("text_embedding", {"model_id": "m", **MAP}, TextEmbedding("m", {"a": "b"})),
        (
            "text_embedding",
            {
                "model_id": "m",
                "field_map": {"a": {"b": "c"}, "d.e": "f"},
                "skip_existing": True,
                "batch_size": 5,
                "tag": "t",
                "description": "d",
                "ignore_failure": True,
            },
            TextEmbedding("m", {"a": {"b": "c"}, "d.e": "f"}, skip_existing=True, ignore_failure=True),
        ),
        (
            "text_image_embedding",
            {"model_id": "m", "embedding": "v", "field_map": {"text": "t", "image": "i"}},
            TextImageEmbedding("m", "v", text_field="t", image_field="i"),
        ),
        ("text_chunking", {"algorithm": {}, **MAP}, TextChunking("fixed_token_length", FIXED, {"a": "b"})),
        (
            "text_chunking",
            {
                "algorithm": {"fixed_token_length": {"token_limit": "10", "overlap_rate": 0.5}},
                "ignore_missing": True,
                **MAP,
            },
            TextChunking(
                "fixed_token_length", {**FIXED, "token_limit": 10, "overlap_rate": 0.5}, {"a": "b"}, ignore_missing=True
            ),
        ),
        (
            "text_chunking",
            {"algorithm": {"fixed_char_length": {"char_limit": 7, "max_chunk_limit": -1}}, **MAP},
            TextChunking(
                "fixed_char_length", {"char_limit": 7, "overlap_rate": 0.0, "max_chunk_limit": -1}, {"a": "b"}
            ),
        ),
        (
            "text_chunking",
            {"algorithm": {"delimiter": {}}, **MAP},
            TextChunking("delimiter", {"delimiter": "\n\n", "max_chunk_limit": 100}, {"a": "b"}),
        ),
    ],
)
def test_ingest_processors_are_read(kind: str, settings: dict[str, Any], processor: Any) -> None:
    assert read_ingest_processor(kind, settings) == processor


def chunking(**parameters: Any) -> dict[str, Any]:
    return {"algorithm": {"fixed_token_length": parameters}, **MAP}


@pytest.mark.parametrize(
    ("kind", "settings", "reason"),
    [
        ("text_embedding", MAP, "[model_id] required property is missing"),
        (
            "text_embedding",
            {"model_id": 5, **MAP},
            "[model_id] property isn't a string, but of type [java.lang.Integer]",
        ),
        ("text_embedding", {"model_id": " ", **MAP}, "model_id is null or empty, cannot process it"),
        ("text_embedding", {"model_id": "m"}, "[field_map] required property is missing"),
        (
            "text_embedding",
            {"model_id": "m", "field_map": []},
            "[field_map] property isn't a map, but of type [java.util.ArrayList]",
        ),
        *[
            (
                "text_embedding",
                {"model_id": "m", "field_map": field_map},
                "Unable to create the processor as field_map has invalid key or value",
            )
            for field_map in ({}, {"a": ""}, {" ": "b"}, {"a": None}, {"a": {}}, {"a": {"b": 5}})
        ],
        (
            "text_embedding",
            {"model_id": "m", **MAP, "skip_existing": "yes"},
            "[skip_existing] property isn't a boolean",
        ),
        (
            "text_embedding",
            {"model_id": "m", **MAP, "batch_size": 0},
            "[batch_size] batch_size must be a positive integer",
        ),
        (
            "text_embedding",
            {"model_id": "m", **MAP, "x": 1, "y": 2},
            "processor [text_embedding] doesn't support one or more provided configuration parameters [x, y]",
        ),
        ("text_embedding", {"model_id": "m", **MAP, "if": "true"}, "[text_embedding] can't have [if]"),
        ("text_embedding", {"model_id": "m", **MAP, "on_failure": []}, "[text_embedding] can't have [on_failure]"),
        ("text_image_embedding", {"model_id": "m", **MAP}, "[embedding] required property is missing"),
        (
            "text_image_embedding",
            {"model_id": "m", "embedding": "v", **MAP},
            "with provided field name(s). Following names are supported [text,image]",
        ),
        (
            "text_image_embedding",
            {"model_id": "m", "embedding": "v", "field_map": {}},
            "Unable to create the TextImageEmbedding processor as field_map has invalid key or value",
        ),
        ("text_chunking", MAP, "[algorithm] required property is missing"),
        ("text_chunking", {"algorithm": {"a": {}, "b": {}}, **MAP}, "[algorithm] contains multiple algorithms"),
        (
            "text_chunking",
            {"algorithm": {"delimiter": "x"}, **MAP},
            "parameters for [delimiter] algorithm must be an object",
        ),
        ("text_chunking", {"algorithm": {"x": {}}, **MAP}, "Chunking algorithm [x] is not supported."),
        (
            "text_chunking",
            {"algorithm": {"delimiter": {"delimiter": ""}}, **MAP},
            "Parameter [delimiter] should not be empty.",
        ),
        ("text_chunking", chunking(token_limit=0), "Parameter [token_limit] must be positive."),
        ("text_chunking", chunking(token_limit="x"), "Parameter [token_limit] must be of java.lang.Integer type"),
        ("text_chunking", chunking(overlap_rate=0.6), "Parameter [overlap_rate] must be between 0.0 and 0.5"),
        ("text_chunking", chunking(overlap_rate="x"), "Parameter [overlap_rate] must be of java.lang.Double type"),
        ("text_chunking", chunking(tokenizer="ngram"), "Tokenizer [ngram] is not supported for [fixed_token_length]"),
        ("text_chunking", chunking(tokenizer=5), "Parameter [tokenizer] must be of java.lang.String type"),
        (
            "text_chunking",
            chunking(max_chunk_limit=-2),
            "Parameter [max_chunk_limit] must be positive or -1 to disable",
        ),
    ],
)
def test_ingest_processors_are_refused_as_by_the_plugin(kind: str, settings: dict[str, Any], reason: str) -> None:
    with pytest.raises(Refused) as refused:
        read_ingest_processor(kind, settings)
    assert reason in refused.value.message


def normalization(combined_by: Any = None, weights: Any = None, **given: Any) -> tuple[str, dict[str, Any]]:
    combination = {} if combined_by is None else {"technique": combined_by}
    if weights is not None:
        combination["parameters"] = {"weights": weights}
    return "normalization-processor", {"normalization": given, "combination": combination}


@pytest.mark.parametrize(
    ("processors", "pipeline"),
    [
        ([], SearchPipeline()),
        ([("normalization-processor", {})], SearchPipeline()),
        ([("neural_query_enricher", {"default_model_id": "m", "tag": "t"})], SearchPipeline("m")),
        (
            [("neural_query_enricher", {"default_model_id": "m", "neural_field_default_id": {"a": "n", "b": None}})],
            SearchPipeline("m", {"a": "n"}),
        ),
        (
            [
                ("neural_query_enricher", {"neural_field_default_id": {"a": "n"}}),
                ("neural_query_enricher", {"default_model_id": "m", "neural_field_default_id": {"a": "o", "b": "p"}}),
                ("neural_query_enricher", {"default_model_id": "q"}),
            ],
            SearchPipeline("m", {"a": "n", "b": "p"}),
        ),
        (
            [normalization("harmonic_mean", [0.25, 0.75], technique="l2")],
            SearchPipeline(combination=Combination("l2", "harmonic_mean", (0.25, 0.75))),
        ),
        ([normalization(technique="z_score")], SearchPipeline(combination=Combination("z_score"))),
        (
            [
                normalization(
                    parameters={
                        "lower_bounds": [{"mode": "clip", "min_score": "0.5"}, {}],
                        "upper_bounds": [{"mode": "IGNORE"}, {"max_score": 3}],
                    }
                )
            ],
            SearchPipeline(
                combination=Combination(
                    lower_bounds=(Bound(0.5, "clip"), Bound(0.0)), upper_bounds=(Bound(1.0, "ignore"), Bound(3.0))
                )
            ),
        ),
        (
            [
                ("score-ranker-processor", {"combination": {"technique": "rrf", "rank_constant": 40}}),
                normalization("l2"),
            ][:1],
            SearchPipeline(combination=Combination("rrf", "rrf", None, 40)),
        ),
        (
            [("score-ranker-processor", {"combination": {"parameters": {"weights": [0.7, 0.3]}}}), normalization()],
            SearchPipeline(combination=Combination("rrf", "rrf", (0.7, 0.3))),
        ),
    ],
)
def test_search_pipelines_are_read(processors: list[tuple[str, dict[str, Any]]], pipeline: SearchPipeline) -> None:
    assert read_search_pipeline(processors) == pipeline


def ranker(**combination: Any) -> tuple[str, dict[str, Any]]:
    return "score-ranker-processor", {"combination": combination}


@pytest.mark.parametrize(
    ("processor", "reason"),
    [
        (("neural_query_enricher", {}), "model Id or neural info map either of them should be provided"),
        (("neural_query_enricher", {"default_model_id": 5}), "[default_model_id] property isn't a string"),
        (("neural_query_enricher", {"neural_field_default_id": {"a": 5}}), "of [a] isn't a string"),
        (("neural_query_enricher", {"default_model_id": "m", "x": 1}), "configuration parameters [x]"),
        (normalization(technique="max"), "provided normalization technique is not supported"),
        (normalization("rrf"), "provided combination technique is not supported"),
        (normalization("harmonic_mean", technique="z_score"), "Z Score supports only arithmetic_mean"),
        (normalization(weights=[0.5, 0.6]), "must be equal to 1.0, submitted weights: [0.5, 0.6]"),
        (normalization(weights=[-0.5, 1.5]), "all weights must be in range [0.0 ... 1.0]"),
        (normalization(weights="x"), "parameter [weights] must be a collection of numbers"),
        (normalization(weights=[True]), "parameter [weights] must be a collection of numbers"),
        (("normalization-processor", {"combination": {"parameters": {"x": 1}}}), "supported parameters are [weights]"),
        (normalization(technique="l2", parameters={"lower_bounds": []}), "unrecognized parameters in normalization"),
        (normalization(parameters={"lower_bounds": {}}), "lower_bounds must be a List"),
        (normalization(parameters={"lower_bounds": [{}] * 6}), "lower_bounds size 6 should be less than or equal to 5"),
        (normalization(parameters={"lower_bounds": [5]}), "each lower bound must be a map"),
        (normalization(parameters={"upper_bounds": [{"min_score": 1}]}), "unrecognized parameters in normalization"),
        (
            normalization(parameters={"upper_bounds": [{"mode": "cut"}]}),
            "invalid mode: cut, valid values are: apply, clip",
        ),
        (normalization(parameters={"upper_bounds": [{"max_score": "x"}]}), "invalid format for max_score"),
        (normalization(parameters={"upper_bounds": [{"max_score": 20000}]}), "max_score must be a valid finite number"),
        (("normalization-processor", {"sub_query_scores": True}), "can't have [sub_query_scores]"),
        (ranker(technique="arithmetic_mean"), "provided combination technique is not supported"),
        (ranker(rank_constant=0), "between 1 and 10000, submitted rank constant: 0"),
        (ranker(rank_constant="x"), "parameter [rank_constant] must be an integer"),
        (ranker(parameters={"weights": [1.5]}), "all weights must be in range"),
    ],
)
def test_search_processors_are_refused_as_by_the_plugin(processor: tuple[str, dict[str, Any]], reason: str) -> None:
    with pytest.raises(Refused) as refused:
        read_search_pipeline([processor])
    assert reason in refused.value.message
