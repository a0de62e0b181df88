from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sidecar.embedding.conversion import ConversionCache
from sidecar.embedding.load import ModelLoading
from sidecar.embedding.model_table import ModelTable, read_table
from sidecar.errors import BadRequest, InvalidArgument, UnknownModel

TABLE = ModelTable()
SHORT_NAMES = [name.split("/", 1)[1] for name, spec in read_table().items() if spec.loader == "sbert"]


@pytest.mark.parametrize("name", TABLE.names())
def test_every_name_of_the_table_stands_for_a_model(name: str) -> None:
    spec = TABLE.resolve(name)
    assert spec.name == name
    assert spec.dimensions > 0
    assert 0 < spec.max_tokens <= 512
    assert spec.repository or spec.loader == "random"
    assert spec.loader in {"sbert", "hf", "sbert_onnx", "random", "test"}


@pytest.mark.parametrize("name", SHORT_NAMES)
def test_sentence_transformers_models_are_known_without_their_organisation(name: str) -> None:
    spec = TABLE.resolve(name)
    assert spec.repository.endswith("/" + name)
    assert spec.loader == "sbert"


def test_the_issues_models_are_what_they_are_called() -> None:
    default = TABLE.resolve("hf/all_datasets_v4_MiniLM-L6")
    assert (default.loader, default.repository) == ("hf", "flax-sentence-embeddings/all_datasets_v4_MiniLM-L6")
    assert TABLE.resolve("onnx/all-mpnet-base-v2").loader == "sbert_onnx"
    e5 = TABLE.resolve("hf/e5-small-v2")
    assert (e5.text_query_prefix, e5.text_chunk_prefix) == ("query: ", "passage: ")
    assert TABLE.resolve("hf/all-MiniLM-L6-v2").text_query_prefix is None
    assert [TABLE.resolve(f"random{size}").dimensions for size in ("/small", "/medium", "", "/large")] == [
        32,
        128,
        384,
        768,
    ]


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("hf/all-minilm-l6-v2", "hf/all-MiniLM-L6-v2"),
        ("all-MiniLM-L6", "all-MiniLM-L6-v2"),
        ("onnx/all-mpnet-base", "onnx/all-mpnet-base-v2"),
        ("hf/e5-smal", "hf/e5-small"),
    ],
)
def test_an_unknown_name_is_told_its_nearest_names(name: str, nearest: str) -> None:
    with pytest.raises(UnknownModel, match="no model named") as unknown:
        TABLE.resolve(name)
    assert nearest in unknown.value.message
    assert "model_properties" in unknown.value.message
    assert unknown.value.code == "invalid_argument"


def test_a_name_unlike_any_other_is_told_how_to_describe_a_model() -> None:
    with pytest.raises(UnknownModel, match=r"'x9z'.*needs 'model_properties'"):
        TABLE.resolve("x9z")


@pytest.mark.parametrize(
    ("properties", "wanted"),
    [
        ({"name": "org/some", "dimensions": 12}, ("sbert", "org/some", 12, 128)),
        ({"name": "org/some", "dimensions": 12, "tokens": 7, "type": "hf"}, ("hf", "org/some", 12, 7)),
        ({"name": "org/some", "dimensions": 12, "type": "sbert_onnx"}, ("sbert_onnx", "org/some", 12, 128)),
        ({"localpath": "/models/a", "dimensions": 12}, ("sbert", "/models/a", 12, 128)),
        (
            {"name": "all-MiniLM-L6-v2", "dimensions": 384},
            ("sbert", "sentence-transformers/all-MiniLM-L6-v2", 384, 256),
        ),
        ({"name": "hf/e5-small-v2"}, ("hf", "intfloat/e5-small-v2", 384, 512)),
        ({"type": "random", "dimensions": 5}, ("random", "", 5, 128)),
    ],
)
def test_properties_describe_a_model(properties: dict[str, Any], wanted: tuple[object, ...]) -> None:
    spec = TABLE.resolve("mine", properties)
    assert spec.name == "mine"
    assert (spec.loader, spec.repository, spec.dimensions, spec.max_tokens) == wanted


def test_properties_keep_the_prefixes_of_a_model_of_the_table_or_take_their_place() -> None:
    base = {"name": "hf/e5-small-v2", "dimensions": 384}
    assert TABLE.resolve("mine", base).text_query_prefix == "query: "
    changed = TABLE.resolve("mine", {**base, "text_query_prefix": "", "text_chunk_prefix": "p: ", "model_size": 0.5})
    assert (changed.text_query_prefix, changed.text_chunk_prefix, changed.size_gigabytes) == ("", "p: ", 0.5)


@pytest.mark.parametrize(
    ("properties", "told"),
    [
        ({"name": "a"}, "'dimensions' must be an integer greater than 0, given: None"),
        ({"name": "a", "dimensions": 0}, "'dimensions'"),
        ({"name": "a", "dimensions": True}, "'dimensions'"),
        ({"name": "a", "dimensions": "12"}, "'dimensions'"),
        ({"name": "a", "dimensions": 1.5}, "'dimensions'"),
        ({"dimensions": 12}, "'name' must be the model's name on the hub, or 'localpath'"),
        ({"name": 5, "dimensions": 12}, "'name'"),
        ({"name": "a", "dimensions": 12, "tokens": 0}, "'tokens'"),
        ({"name": "a", "dimensions": 12, "type": "clipp"}, "'type' must be one of sbert, hf"),
        ({"name": "a", "dimensions": 12, "model_size": -1}, "'model_size'"),
        ({"name": "a", "dimensions": 12, "text_query_prefix": 1}, "'text_query_prefix'"),
        ({"name": "a", "dimensions": 12, "token": 5}, "'token' is not a known property. Did you mean 'tokens'?"),
        ({"name": "a", "dimensions": 12, "zzz": 5}, "'zzz' is not a known property. Known: dimensions"),
    ],
)
def test_properties_that_break_a_rule_are_refused_by_name(properties: dict[str, Any], told: str) -> None:
    with pytest.raises(InvalidArgument, match="model_properties of model 'mine'") as refused:
        TABLE.resolve("mine", properties)
    assert told in refused.value.message


def test_no_model_needs_dimensions_alone_and_embeds_nothing() -> None:
    spec = TABLE.resolve("no_model", {"dimensions": 4})
    assert (spec.loader, spec.dimensions) == ("no_model", 4)
    with pytest.raises(BadRequest, match="no model"):
        ModelLoading(ConversionCache(Path("unused")), "auto").load(spec)
    with pytest.raises(InvalidArgument, match="'name' is not a known property"):
        TABLE.resolve("no_model", {"dimensions": 4, "name": "a"})


def test_the_fingerprint_changes_with_what_changes_vectors_and_with_nothing_else() -> None:
    properties: dict[str, Any] = {"name": "org/some", "dimensions": 12}
    one = TABLE.resolve("one", properties).fingerprint
    assert TABLE.resolve("two", {**properties, "text_query_prefix": "q"}).fingerprint == one
    others: list[dict[str, Any]] = [{"tokens": 5}, {"dimensions": 13}, {"type": "hf"}, {"name": "org/other"}]
    assert len({one, *(TABLE.resolve("one", {**properties, **other}).fingerprint for other in others)}) == 5
