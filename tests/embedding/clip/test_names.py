"""The names of CLIP models: what each stands for, and that open_clip builds it so."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sidecar.embedding.clip_names import clip_spec
from sidecar.embedding.model_spec import ModelSpec
from sidecar.embedding.model_table import ModelTable, read_table
from sidecar.errors import UnknownModel
from tests.embedding.test_weights import put_into_cache

CLIP_KINDS = {"clip", "open_clip", "clip_onnx", "fp16_clip"}
SPECS = [spec for spec in read_table().values() if spec.loader in CLIP_KINDS]
ARCHITECTURES = sorted({spec.repository.split("/")[0] for spec in SPECS})
_BASE = {"hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12, "intermediate_size": 3072}
_LARGE = {"hidden_size": 1024, "num_hidden_layers": 24, "num_attention_heads": 16, "intermediate_size": 4096}
_POSITIONS = {"max_position_embeddings": 514, "type_vocab_size": 1, "pad_token_id": 1}
HUB_TEXT = {
    "roberta-ViT-B-32": {"model_type": "roberta", "vocab_size": 50265, **_BASE, **_POSITIONS},
    "xlm-roberta-base-ViT-B-32": {"model_type": "xlm-roberta", "vocab_size": 250002, **_BASE, **_POSITIONS},
    "xlm-roberta-large-ViT-H-14": {"model_type": "xlm-roberta", "vocab_size": 250002, **_LARGE, **_POSITIONS},
}
"""Architectures whose text tower has its configuration on the hub, and what it says there."""
IMAGE_SIZES = {
    "RN50x4": 288,
    "RN50x16": 384,
    "RN50x64": 448,
    "ViT-L-14-336": 336,
    "ViT-B-16-plus-240": 240,
    "convnext_base_w_320": 320,
    "convnext_large_d_320": 320,
    **dict.fromkeys(("convnext_base_w", "convnext_large_d"), 256),
}


def specs_of(architecture: str) -> list[ModelSpec]:
    return [spec for spec in SPECS if spec.repository.split("/")[0] == architecture]


def test_every_clip_name_of_the_table_has_weights_that_open_clip_knows() -> None:
    import open_clip

    assert len(SPECS) == 128
    known = {"/".join(pair) for pair in open_clip.list_pretrained()}
    assert {spec.repository for spec in SPECS} <= known


@pytest.mark.parametrize("architecture", [name for name in ARCHITECTURES if name not in HUB_TEXT])
def test_each_architecture_of_the_table_is_built_and_has_the_tables_dimensions(architecture: str) -> None:
    import open_clip
    import torch

    config = open_clip.get_model_config(architecture)
    # What else but a CLIP it may be stands in the configuration, and is no argument of the model.
    kind: Any = open_clip.CustomTextCLIP if config.pop("custom_text", False) else open_clip.CLIP
    if "multimodal_cfg" in config:
        kind = open_clip.CoCa
    with torch.device("meta"):
        model = kind(**config).eval()
        size = IMAGE_SIZES.get(architecture, 224)
        size_built = model.visual.image_size
        assert size_built in (size, (size, size))
        length = specs_of(architecture)[0].max_tokens
        images = model.encode_image(torch.zeros(1, 3, size, size))
        texts = model.encode_text(torch.zeros(1, length, dtype=torch.int64))
    for spec in specs_of(architecture):
        assert (images.shape, texts.shape) == ((1, spec.dimensions), (1, spec.dimensions))
        assert spec.max_tokens == length


@pytest.mark.parametrize("architecture", HUB_TEXT)
def test_architectures_with_a_text_tower_of_the_hub_have_the_tables_dimensions(
    architecture: str, own_hub_cache: Path
) -> None:
    import open_clip
    import torch

    config = open_clip.get_model_config(architecture)
    text = config["text_cfg"]
    put_into_cache(own_hub_cache, text["hf_model_name"], {"config.json": json.dumps(HUB_TEXT[architecture]).encode()})
    text["hf_model_pretrained"] = False
    # The library of the text tower computes values of the mask, which "meta" has not: its shapes are enough.
    with torch.device("meta"):
        model = open_clip.CustomTextCLIP(**config).eval()
        images = model.encode_image(torch.zeros(1, 3, 224, 224))
    for spec in specs_of(architecture):
        assert images.shape == (1, spec.dimensions)
        assert model.text.proj[-1].out_features == spec.dimensions
        assert model.text.output_dim == spec.dimensions


def test_each_tag_gets_the_activation_that_it_was_trained_with(monkeypatch: pytest.MonkeyPatch) -> None:
    from sidecar.embedding import clip_source
    from sidecar.embedding.clip_weights import ClipSource

    monkeypatch.setattr(clip_source, "_fetch", lambda config: None)
    found = {
        repository: clip_source._identify(ClipSource(repository))[2]
        for repository in (spec.repository for spec in SPECS)
        if repository.endswith(("/openai", "/laion400m_e32", "/yfcc15m", "/laion2b_s34b_b79k"))
    }
    assert all(found[name] for name in found if name.endswith(("/openai", "/yfcc15m")))
    assert found["ViT-B-32/laion400m_e32"]
    assert not found["ViT-B-16/laion400m_e32"]
    assert not found["ViT-B-32/laion2b_s34b_b79k"]


@pytest.mark.parametrize(
    ("name", "loader", "repository", "dimensions", "tokens", "precision"),
    [
        ("RN50", "clip", "RN50/openai", 1024, 77, "float32"),
        ("ViT-L/14@336px", "clip", "ViT-L-14-336/openai", 768, 77, "float32"),
        ("onnx16/openai/ViT-L/14", "clip_onnx", "ViT-L-14/openai", 768, 77, "float16"),
        ("fp16/ViT-B/32", "fp16_clip", "ViT-B-32/openai", 512, 77, "float16"),
        # Not of the table:
        ("onnx32/openai/RN50", "clip_onnx", "RN50/openai", 1024, 77, "float32"),
        ("fp16/ViT-L/14@336px", "fp16_clip", "ViT-L-14-336/openai", 768, 77, "float16"),
        ("open_clip/ViT-B-32/datacomp_xl_s13b_b90k", "open_clip", "ViT-B-32/datacomp_xl_s13b_b90k", 512, 77, "float32"),
        ("onnx16/open_clip/ViT-B-16-SigLIP/webli", "clip_onnx", "ViT-B-16-SigLIP/webli", 768, 64, "float16"),
    ],
)
def test_a_name_stands_for_an_architecture_and_weights(
    name: str, loader: str, repository: str, dimensions: int, tokens: int, precision: str
) -> None:
    spec = ModelTable().resolve(name)
    found = (spec.name, spec.loader, spec.repository, spec.dimensions, spec.max_tokens, spec.precision)
    assert found == (name, loader, repository, dimensions, tokens, precision)


@pytest.mark.parametrize(
    "name",
    [
        "open_clip/ViT-B-32/nobody",
        "open_clip/ViT-B-33/openai",
        "open_clip/ViT-B-32",
        "onnx32/ViT-B/32",
        "onnx8/open_clip/ViT-B-32/openai",
        "fp16/open_clip/ViT-B-32/openai",
        "openai/ViT-B/32",
        "fp16/",
        "open_clip/",
        "open_clip//",
    ],
)
def test_a_name_that_is_none_is_told_with_the_nearest_ones(name: str) -> None:
    assert clip_spec(name) is None
    with pytest.raises(UnknownModel, match=r"there is no model named"):
        ModelTable().resolve(name)


def test_open_clip_is_imported_for_names_of_its_form_alone() -> None:
    program = """
import sys
from sidecar.embedding.clip_names import clip_spec
assert clip_spec("sentence-transformers/no-such-model") is None and clip_spec("ViT-B/99") is None
assert "open_clip" not in sys.modules and "torch" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", program], timeout=60, check=True)
