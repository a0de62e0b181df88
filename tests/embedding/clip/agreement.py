"""How near one way of running a CLIP model comes to another."""

from __future__ import annotations

import gc
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import numpy as np
from PIL import Image

from sidecar.embedding.clip_conversion import read_converted_clip
from sidecar.embedding.conversion import ConversionCache
from sidecar.embedding.load import Backend, ModelLoading
from sidecar.embedding.loader import Embeddings, ImageLoader
from sidecar.embedding.model_table import ModelTable
from sidecar.embedding.precision_check import least_cosine
from tests.fix_models import quiet
from tests.random_clip import lay_into_cache, lively_weights

TEXTS = [
    "a",
    "two dogs",
    "a smiling astronaut in an orange space suit in front of an american flag",
    "Zürich – naïve café, 東京 и Москва, عربي 🎉",
    "one more word " * 40,
]


def load(name: str, folder: Path, backend: Backend = "auto") -> ImageLoader:
    """The model of the table with that name."""
    with quiet():
        return cast(ImageLoader, ModelLoading(ConversionCache(folder), backend).load(ModelTable().resolve(name)))


def centred_cosine(left: Embeddings, right: Embeddings) -> float:
    """The least cosine of the differences from the mean: a random model's vectors are all near each other."""
    return least_cosine(left - left.mean(axis=0), right - right.mean(axis=0))


def check_architecture(architecture: str, tag: str, folder: Path, pictures: Sequence[Image.Image]) -> None:
    """Random weights of the architecture, laid where the tag's lie, give in ONNX Runtime what they give in torch.

    Vectors agree to 0.9999 and their differences to 0.999, those of 16-bit weights to 0.999 and 0.98: a difference
    is a small part of a vector and has all of the vector's rounding.
    """
    file = lay_into_cache(f"{architecture}/{tag}", lively_weights(architecture))
    name = f"open_clip/{architecture}/{tag}"
    in_torch = load(name, folder, "torch")
    images, texts = in_torch.encode_image(pictures), in_torch.encode_text(TEXTS)
    size = in_torch.image_size
    assert in_torch.backend == "torch"
    assert np.isfinite(images).all()
    assert np.isfinite(texts).all()
    del in_torch
    for form, least, least_centred in (("onnx32", 0.9999, 0.999), ("onnx16", 0.999, 0.98)):
        gc.collect()
        loader = load(f"{form}/{name}", folder)
        assert loader.backend == "onnx"
        assert loader.image_size == size
        own_images, own_texts = loader.encode_image(pictures), loader.encode_text(TEXTS)
        for wanted, own in ((images, own_images), (texts, own_texts)):
            assert own.dtype == np.float32
            assert least_cosine(wanted, own) >= least
            assert centred_cosine(wanted, own) >= least_centred
        del loader
    converted = [read_converted_clip(path) for path in sorted(folder.glob("*/*-v*"))]
    assert [model.precision for model in converted if model is not None] == ["float16", "float32"]
    halves, wholes = (_graph_bytes(model.folder) for model in converted if model)
    assert halves < 0.55 * wholes
    shutil.rmtree(folder)
    file.unlink()


def _graph_bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*.onnx*"))
