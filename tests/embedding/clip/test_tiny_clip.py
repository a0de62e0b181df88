"""A real, trained CLIP: open_clip's vectors, and a search across pictures and words that finds what it should."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sidecar.embedding.loader import Embeddings, ImageLoader, Modality
from sidecar.embedding.normalizing import normalized
from sidecar.errors import InvalidArgument
from tests.contracts import LoaderContract
from tests.fix_clip import TINY_CLIP, load_tiny_clip, read_captions, read_pictures
from tests.fix_models import quiet

FLOOR = 0.98
"""Recall@10 over the 300 pictures that is the sign of health, by the model's own README; measured: 1.0."""
BACKENDS = ("onnx", "torch")


@pytest.fixture(scope="module")
def names(emoji_folder: Path) -> list[str]:
    return [caption["name"] for caption in read_captions(emoji_folder)]


@pytest.fixture(scope="module")
def own_vectors(emoji_folder: Path, names: list[str]) -> tuple[Embeddings, Embeddings]:
    """The vectors of pictures and names by open_clip."""
    import open_clip
    import torch

    with quiet(), torch.inference_mode():
        model, _, transform = open_clip.create_model_and_transforms(f"local-dir:{TINY_CLIP}")
        tokenizer = open_clip.get_tokenizer(f"local-dir:{TINY_CLIP}")
        pictures = torch.stack([transform(picture) for picture in read_pictures(emoji_folder)])
        model.eval()
        return model.encode_image(pictures).numpy(), model.encode_text(tokenizer(names)).numpy()


@pytest.fixture(scope="module", params=BACKENDS)
def loader(
    request: pytest.FixtureRequest,
    tiny_clip: ImageLoader,
    clip_models_folder: Path,
    tiny_clip_properties: dict[str, Any],
) -> ImageLoader:
    if request.param == "onnx":
        return tiny_clip
    return load_tiny_clip(clip_models_folder, tiny_clip_properties, "torch")


def recall(queries: Embeddings, found: Embeddings) -> float:
    """Of the queries, the part whose own counterpart is among the ten nearest."""
    scores = normalized(queries) @ normalized(found).T
    rank = (scores > scores.diagonal()[:, None]).sum(axis=1)
    return float((rank < 10).mean())


def test_it_is_converted_unless_torch_is_asked_for(tiny_clip: ImageLoader) -> None:
    assert tiny_clip.backend == "onnx"
    assert tiny_clip.modalities == {Modality.TEXT, Modality.IMAGE}
    assert tiny_clip.image_size == (64, 64)
    assert 10_000_000 < tiny_clip.memory_bytes < 50_000_000


def test_vectors_are_open_clips_own(
    loader: ImageLoader, own_vectors: tuple[Embeddings, Embeddings], emoji_folder: Path, names: list[str]
) -> None:
    images, texts = own_vectors
    # Float32 sums in another order; the vectors' numbers are around 1.
    np.testing.assert_allclose(loader.encode_image(read_pictures(emoji_folder)), images, atol=3e-5)
    np.testing.assert_allclose(loader.encode_text(names), texts, atol=3e-5)


@pytest.mark.parametrize("precision", ["float32", "float16", "int8"])
def test_pictures_are_found_by_text_and_text_by_picture_and_pictures_by_picture(
    precision: str, clip_models_folder: Path, tiny_clip_properties: dict[str, Any], emoji_folder: Path, names: list[str]
) -> None:
    loader = load_tiny_clip(clip_models_folder, {**tiny_clip_properties, "precision": precision}, "onnx")
    pictures = read_pictures(emoji_folder)
    images, texts = loader.encode_image(pictures), loader.encode_text(names)
    assert recall(texts, images) >= FLOOR
    assert recall(loader.encode_text([f"a photo of a {name}" for name in names]), images) >= FLOOR
    assert recall(images, texts) >= FLOOR
    changed = [picture.rotate(4, fillcolor="white").resize((83, 83)) for picture in pictures]
    assert recall(loader.encode_image(changed), images) >= FLOOR


def test_the_engines_batches_give_the_vectors_of_one_by_one(loader: ImageLoader, emoji_folder: Path) -> None:
    pictures = read_pictures(emoji_folder, most=40)
    alone = np.concatenate([loader.encode_image([picture]) for picture in pictures])
    np.testing.assert_allclose(loader.encode_image(pictures), alone, atol=3e-5)
    assert loader.encode_image([]).shape == (0, 96)


def test_a_picture_costs_its_patches(loader: ImageLoader, photos_folder: Path) -> None:
    prepared = loader.prepare_image(read_pictures(photos_folder, most=1)[0])
    assert prepared.tokens == 17
    assert (prepared.payload.shape, prepared.payload.dtype) == ((64, 64, 3), np.uint8)


def test_colours_that_are_given_override_the_models_own(
    clip_models_folder: Path, tiny_clip_properties: dict[str, Any], photos_folder: Path, tiny_clip: ImageLoader
) -> None:
    pictures = read_pictures(photos_folder, most=3)
    given = {**tiny_clip_properties, "mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5]}
    in_onnx = load_tiny_clip(clip_models_folder, given, "onnx").encode_image(pictures)
    in_torch = load_tiny_clip(clip_models_folder, given, "torch").encode_image(pictures)
    np.testing.assert_allclose(in_onnx, in_torch, atol=3e-5)
    assert np.abs(in_onnx - tiny_clip.encode_image(pictures)).max() > 0.05


@pytest.mark.parametrize("backend", BACKENDS)
def test_texts_are_cut_at_the_tokens_that_are_given(
    backend: Any, clip_models_folder: Path, tiny_clip_properties: dict[str, Any], tiny_clip: ImageLoader
) -> None:
    short = load_tiny_clip(clip_models_folder, {**tiny_clip_properties, "tokens": 4}, backend)
    wanted = tiny_clip.encode_text(["red apple"])
    np.testing.assert_allclose(short.encode_text(["red apple on a tree"]), wanted, atol=3e-5)


@pytest.mark.parametrize("backend", BACKENDS)
def test_wrong_dimensions_are_told_with_the_right_ones(
    backend: Any, clip_models_folder: Path, tiny_clip_properties: dict[str, Any]
) -> None:
    with pytest.raises(InvalidArgument, match=r"gives vectors of 96 dimensions.*'dimensions' 512"):
        load_tiny_clip(clip_models_folder, {**tiny_clip_properties, "dimensions": 512}, backend)


def test_a_converted_model_runs_without_torch_and_open_clip(
    clip_models_folder: Path, tiny_clip_properties: dict[str, Any], tiny_clip: ImageLoader, emoji_folder: Path
) -> None:
    program = f"""
import sys
from pathlib import Path
from PIL import Image
from sidecar.embedding.conversion import ConversionCache
from sidecar.embedding.load import ModelLoading
from sidecar.embedding.model_table import ModelTable
spec = ModelTable().resolve("tiny-emoji", {tiny_clip_properties!r})
loader = ModelLoading(ConversionCache(Path({str(clip_models_folder)!r})), "auto").load(spec)
picture = Image.open({str(emoji_folder / "1f34c.png")!r}).convert("RGB")
assert loader.encode_text(["a text"]).shape == loader.encode_image([picture]).shape == (1, 96)
print(sorted({{"torch", "torchvision", "open_clip", "transformers", "onnx"}} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.strip() == "[]"


class TestConverted(LoaderContract):
    @pytest.fixture(scope="class")
    def loader(self, tiny_clip: ImageLoader) -> ImageLoader:
        return tiny_clip


class TestInTorch(LoaderContract):
    @pytest.fixture(scope="class")
    def loader(self, clip_models_folder: Path, tiny_clip_properties: dict[str, Any]) -> ImageLoader:
        return load_tiny_clip(clip_models_folder, tiny_clip_properties, "torch")
