"""OWL-ViT: what it finds is what transformers finds."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from PIL import Image

from sidecar.embedding.conversion import ConversionCache
from sidecar.embedding.load import ModelLoading
from sidecar.embedding.rerankers import Detector, reranker_spec
from sidecar.errors import ModelLoadError
from tests.fix_clip import read_pictures
from tests.fix_models import quiet
from tests.hub_cache import put_into_cache

REPOSITORY = "google/owlvit-base-patch32"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny OWL-ViT of random weights."""
    from tests.random_models import random_owl_vit

    with quiet():
        return random_owl_vit(tmp_path_factory.mktemp("owl") / "model")


@pytest.fixture
def detector(folder: Path, own_hub_cache: Path) -> Detector:
    """The model as it is found in the cache of the hub."""
    put_into_cache(own_hub_cache, REPOSITORY, {path.name: path.read_bytes() for path in folder.iterdir()})
    with quiet():
        loading = ModelLoading(ConversionCache(Path("unused")), "auto")
        return cast(Detector, loading.load(reranker_spec("owl/ViT-B/32", device="cpu")))


def library_detection(folder: Path, q: str, image: Image.Image) -> tuple[float, list[float]]:
    """The library's best score, and its box in pixels."""
    import torch
    from transformers import OwlViTForObjectDetection, OwlViTProcessor

    with quiet(), torch.inference_mode():
        processor: Any = OwlViTProcessor.from_pretrained(folder)
        model: Any = OwlViTForObjectDetection.from_pretrained(folder).eval()
        found = model(**processor(text=[[q]], images=image, return_tensors="pt"))
        size = [(image.height, image.width)]
        (told,) = processor.post_process_grounded_object_detection(found, threshold=0.0, target_sizes=size)
    best = int(told["scores"].argmax())
    return float(told["scores"][best]), told["boxes"][best].tolist()


@pytest.mark.parametrize("q", ["a query", "vectors of meaning"])
def test_best_detection_is_that_of_the_library(q: str, detector: Detector, folder: Path, photos_folder: Path) -> None:
    for image in read_pictures(photos_folder, most=3):
        found = detector.detect(q, detector.prepare_image(image))
        score, box = library_detection(folder, q, image)
        assert found.score == pytest.approx(score, abs=1e-5)
        limits = (image.width, image.height, image.width, image.height)
        pixels = [share * limit for share, limit in zip(found.box, limits, strict=True)]
        np.testing.assert_allclose(pixels, np.clip(box, 0, limits), atol=0.1)


def test_long_and_odd_texts_are_cut_and_read(detector: Detector, photos_folder: Path) -> None:
    (image,) = read_pictures(photos_folder, most=1)
    prepared = detector.prepare_image(image)
    for q in ("", "of a query " * 100, "\ud83d half a pair"):
        assert 0 <= detector.detect(q, prepared).score <= 1


def test_model_tells_what_it_takes(detector: Detector) -> None:
    assert detector.image_size == (64, 64)
    assert detector.backend == "torch"
    assert detector.memory_bytes > 10_000


def test_files_that_are_no_owl_vit_are_told(own_hub_cache: Path) -> None:
    folder = put_into_cache(own_hub_cache, REPOSITORY, {"config.json": b"{}", "model.safetensors": b"x"})
    with quiet(), pytest.raises(ModelLoadError, match=str(folder)):
        ModelLoading(ConversionCache(Path("unused")), "auto").load(reranker_spec("owl/ViT-B/32", device="cpu"))
