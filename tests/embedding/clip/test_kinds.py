"""CLIP models of the rarer kinds, small and with random weights: converted, they give open_clip's vectors."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from sidecar.embedding.conversion import ConversionCache
from sidecar.embedding.load import Backend, ModelLoading
from sidecar.embedding.loader import ImageLoader
from sidecar.embedding.model_table import ModelTable
from tests.fix_clip import read_pictures
from tests.fix_models import quiet

TEXTS = ["a", "", "two dogs", "search engines index vectors", "one more word " * 40]
VISION = {"image_size": 32, "layers": 2, "width": 64, "head_width": 32, "patch_size": 8}
TEXT = {"context_length": 16, "vocab_size": 49408, "width": 64, "heads": 2, "layers": 2}
CONFIGURATIONS: dict[str, dict[str, Any]] = {
    "plain": {"vision_cfg": VISION, "text_cfg": TEXT},
    "QuickGELU": {"vision_cfg": VISION, "text_cfg": TEXT, "quick_gelu": True},
    "ResNet": {
        "vision_cfg": {"image_size": 64, "layers": [1, 1, 1, 1], "width": 32, "patch_size": None},
        "text_cfg": TEXT,
    },
    "not square": {"vision_cfg": {**VISION, "image_size": [32, 48]}, "text_cfg": TEXT},
    "CoCa": {
        "vision_cfg": {**VISION, "attentional_pool": True, "attn_pooler_heads": 4, "output_tokens": True},
        "text_cfg": {**TEXT, "embed_cls": True, "output_tokens": True},
        "multimodal_cfg": {"context_length": 16, "vocab_size": 49408, "width": 64, "heads": 2, "layers": 1},
        "custom_text": True,
    },
    "SigLIP": {
        "vision_cfg": {**VISION, "pool_type": "avg", "final_ln_after_pool": True},
        "text_cfg": {**TEXT, "no_causal_mask": True, "pool_type": "last", "proj_bias": True},
        "custom_text": True,
    },
    "text of its own": {
        "vision_cfg": VISION,
        "text_cfg": {**TEXT, "pool_type": "eos", "eos_id": 49407},
        "custom_text": True,
    },
    "ConvNeXt": {
        "vision_cfg": {"timm_model_name": "convnext_atto", "timm_pool": "", "timm_proj": "linear", "image_size": 64},
        "text_cfg": TEXT,
    },
}  # fmt: skip


def build(folder: Path, name: str) -> Path:
    """A folder as open_clip saves a model, with random weights."""
    from safetensors.torch import save_file

    folder.mkdir(exist_ok=True)
    config = {"embed_dim": 24, **copy.deepcopy(CONFIGURATIONS[name])}
    write_config(folder, config)
    save_file(random_weights(config), folder / "open_clip_model.safetensors")
    return folder


def build_with_xlm_roberta(folder: Path) -> Path:
    """A folder as open_clip saves a model with a text tower of transformers, its tokenizer beside it."""
    from safetensors.torch import save_file

    from tests.random_models import random_xlm_roberta

    tower = random_xlm_roberta(folder)
    (folder / "model.safetensors").unlink()
    text = {"hf_model_name": str(tower), "hf_tokenizer_name": str(tower), "context_length": 16}
    config = {"embed_dim": 24, "vision_cfg": VISION, "text_cfg": {**text, "hf_model_pretrained": False}}
    write_config(folder, config)
    save_file(random_weights({**config, "custom_text": True}), folder / "open_clip_model.safetensors")
    return folder


def write_config(folder: Path, config: dict[str, Any]) -> None:
    preprocess = {"mean": [0.5, 0.4, 0.3], "std": [0.2, 0.25, 0.3], "interpolation": "bilinear"}
    whole = {"model_cfg": config, "preprocess_cfg": preprocess}
    (folder / "open_clip_config.json").write_text(json.dumps(whole), encoding="utf-8")


def random_weights(config: dict[str, Any]) -> dict[str, Any]:
    import open_clip
    import torch

    torch.manual_seed(0)
    kind = open_clip.CustomTextCLIP if config.pop("custom_text", False) else open_clip.CLIP
    model = open_clip.CoCa(**config) if "multimodal_cfg" in config else kind(**copy.deepcopy(config))
    for name, parameter in model.named_parameters():
        # As made, many layers do next to nothing.
        scale = 0.15 if parameter.ndim > 1 else 0.05
        torch.nn.init.normal_(parameter, mean=float(name.endswith("weight") and parameter.ndim == 1), std=scale)
    return {name: tensor.clone().contiguous() for name, tensor in model.state_dict().items()}


def load(folder: Path, backend: Backend) -> ImageLoader:
    properties = {"name": "mine", "type": "open_clip", "localpath": str(folder / "model"), "dimensions": 24}
    loading = ModelLoading(ConversionCache(folder / "converted"), backend)
    with quiet():
        return cast(ImageLoader, loading.load(ModelTable().resolve("mine", properties)))


Build = Callable[[Path], Path]


@pytest.mark.usefixtures("converts_in_process")
@pytest.mark.parametrize("name", [*CONFIGURATIONS, "XLM-R"])
def test_each_kind_gives_open_clips_own_vectors(name: str, tmp_path: Path, photos_folder: Path) -> None:
    import open_clip
    import torch

    with quiet():
        folder = tmp_path / "model"
        (build_with_xlm_roberta(folder) if name == "XLM-R" else build(folder, name))
        model, _, transform = open_clip.create_model_and_transforms(f"local-dir:{folder}")
        tokenizer = open_clip.get_tokenizer(f"local-dir:{folder}")
    pictures = read_pictures(photos_folder, most=6)
    with torch.inference_mode():
        wanted_images = model.eval().encode_image(torch.stack([transform(picture) for picture in pictures])).numpy()
        wanted_texts = model.encode_text(tokenizer(TEXTS)).numpy()
    loader = load(tmp_path, "auto")
    assert loader.backend == "onnx"
    assert np.abs(wanted_images[0] - wanted_images[1]).max() > 0.01, "the weights tell pictures apart"
    in_torch = load(tmp_path, "torch")
    assert in_torch.backend == "torch"
    # Sums of float32 numbers in another order: each is right to some of the greatest number's last digits.
    image_scale, text_scale = np.abs(wanted_images).max(), np.abs(wanted_texts).max()
    for way in (loader, in_torch):
        np.testing.assert_allclose(way.encode_image(pictures), wanted_images, atol=2e-5 * image_scale)
        np.testing.assert_allclose(way.encode_text(TEXTS), wanted_texts, atol=2e-5 * text_scale)
        np.testing.assert_allclose(way.encode_text(TEXTS[2:3]), wanted_texts[2:3], atol=2e-5 * text_scale)


@pytest.mark.usefixtures("converts_in_process")
def test_short_texts_run_short_where_what_follows_them_can_not_matter(tmp_path: Path) -> None:
    with quiet():
        build(tmp_path / "model", "plain")
    assert [text.tokens for text in load(tmp_path, "onnx").prepare_text(["a", "two dogs", "word " * 40])] == [3, 4, 16]
    with quiet():
        build(tmp_path / "model", "CoCa")
    assert [text.tokens for text in load(tmp_path, "onnx").prepare_text(["a", "two dogs"])] == [16, 16]


@pytest.mark.usefixtures("converts_in_process")
def test_a_model_whose_tokenizer_can_not_be_converted_runs_in_torch(tmp_path: Path) -> None:
    with quiet():
        folder = build(tmp_path / "model", "plain")
    config = json.loads((folder / "open_clip_config.json").read_text(encoding="utf-8"))["model_cfg"]
    config["text_cfg"]["tokenizer_kwargs"] = {"reduction_mask": "simple"}
    write_config(folder, config)
    assert load(tmp_path, "auto").backend == "torch"
