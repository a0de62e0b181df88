"""Every text model of the table: its true architecture, built on torch's meta device, has the table's dimensions.

CLIP models have theirs in `tests/embedding/clip`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
import torch
from transformers import (
    BertConfig,
    BertModel,
    MPNetConfig,
    MPNetModel,
    PreTrainedModel,
    XLMRobertaConfig,
    XLMRobertaModel,
)

from sidecar.embedding.inventory import parameters_millions
from sidecar.embedding.model_options import TEXT_KINDS
from sidecar.embedding.model_spec import ModelSpec
from sidecar.embedding.model_table import ModelTable

Build = Callable[[], PreTrainedModel]
TABLE = ModelTable()
SPECS = [spec for name in TABLE.names() if (spec := TABLE.resolve(name)).loader in TEXT_KINDS]
REAL = [spec for spec in SPECS if spec.loader != "test"]


def bert(layers: int, width: int, heads: int, words: int = 30522) -> Build:
    return lambda: BertModel(
        BertConfig(
            vocab_size=words,
            hidden_size=width,
            num_hidden_layers=layers,
            num_attention_heads=heads,
            intermediate_size=4 * width,
        )
    )


def xlm_roberta(layers: int, width: int, heads: int) -> Build:
    return lambda: XLMRobertaModel(
        XLMRobertaConfig(
            vocab_size=250002,
            max_position_embeddings=514,
            type_vocab_size=1,
            hidden_size=width,
            num_hidden_layers=layers,
            num_attention_heads=heads,
            intermediate_size=4 * width,
        )
    )


def mpnet() -> PreTrainedModel:
    return MPNetModel(MPNetConfig(vocab_size=30527, max_position_embeddings=514))


# As the models' own configurations on the hub say; the first part that a repository's name contains counts.
ARCHITECTURES: Mapping[str, Build] = {
    "MiniLM-L6": bert(6, 384, 12),
    "MiniLM-L12": bert(12, 384, 12),
    "mpnet-base": mpnet,
    "stsb-xlm-r": xlm_roberta(12, 768, 12),
    "multilingual-e5-small": bert(12, 384, 12, 250037),
    "multilingual-e5-base": xlm_roberta(12, 768, 12),
    "multilingual-e5-large": xlm_roberta(24, 1024, 16),
    "e5-small": bert(12, 384, 12),
    "e5-base": bert(12, 768, 12),
    "e5-large": bert(24, 1024, 16),
}


def architecture(spec: ModelSpec) -> str:
    return next(part for part in ARCHITECTURES if part in spec.repository)


@pytest.fixture(scope="module")
def built() -> dict[str, PreTrainedModel]:
    with torch.device("meta"):
        return {name: build() for name, build in ARCHITECTURES.items()}


@pytest.mark.parametrize("spec", REAL, ids=lambda spec: spec.name)
def test_a_text_models_architecture_has_the_tables_dimensions_and_size(
    spec: ModelSpec, built: dict[str, PreTrainedModel]
) -> None:
    model = built[architecture(spec)]
    tokens = torch.zeros((1, 8), dtype=torch.int64, device="meta")
    assert model(tokens).last_hidden_state.shape == (1, 8, spec.dimensions)
    assert spec.max_tokens <= model.config.max_position_embeddings
    parameters = sum(parameter.numel() for parameter in model.parameters()) / 1e6
    assert parameters == pytest.approx(parameters_millions(spec), abs=0.1)


def test_e5_models_have_the_prefixes_that_they_were_trained_with() -> None:
    e5 = [spec for spec in SPECS if "/e5-" in spec.repository or "multilingual-e5" in spec.repository]
    assert len(e5) == 12
    assert {(spec.text_query_prefix, spec.text_chunk_prefix) for spec in e5} == {("query: ", "passage: ")}
    others = [spec for spec in REAL if spec not in e5]
    assert {(spec.text_query_prefix, spec.text_chunk_prefix) for spec in others} == {(None, None)}
