from __future__ import annotations

import pytest

from sidecar.embedding.kinds import LOADERS
from sidecar.embedding.model_table import ModelTable, read_table
from sidecar.errors import UnknownModel

TABLE = ModelTable()
SHORT_NAMES = [name.split("/", 1)[1] for name, spec in read_table().items() if spec.loader == "sbert"]


@pytest.mark.parametrize("name", TABLE.names())
def test_every_name_of_the_table_stands_for_a_model(name: str) -> None:
    spec = TABLE.resolve(name)
    assert spec.name == name
    assert spec.dimensions > 0
    assert 0 < spec.max_tokens <= 512
    assert spec.repository or spec.loader == "random"
    assert spec.loader in LOADERS


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
