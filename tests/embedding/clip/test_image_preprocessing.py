"""Pictures are prepared as open_clip prepares them, pixel for pixel."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from sidecar.embedding.image_preprocessing import ImagePreprocessing, ImageSteps
from tests.fix_clip import read_pictures

OPENAI = ((0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711))
HALF = ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
CONFIGURATIONS: dict[str, dict[str, Any]] = {
    "CLIP": {"height": 224, "width": 224},
    "CLIP at 336": {"height": 336, "width": 336},
    "laion's colours": {"height": 224, "width": 224, "mean": HALF[0], "std": HALF[1]},
    "bilinear": {"height": 256, "width": 256, "interpolation": "bilinear"},
    "not square": {"height": 224, "width": 160},
    "not square and wide": {"height": 130, "width": 301, "interpolation": "bilinear"},
    "squash": {"height": 256, "width": 192, "resize_mode": "squash"},
    "longest": {"height": 224, "width": 224, "resize_mode": "longest"},
    "longest, not square, filled with grey": {
        "height": 200, "width": 320, "resize_mode": "longest", "fill_color": 127, "interpolation": "bilinear",
    },
    "larger than the pictures": {"height": 640, "width": 640},
}  # fmt: skip


def steps(configuration: dict[str, Any]) -> ImageSteps:
    return ImageSteps(**{"mean": OPENAI[0], "std": OPENAI[1], **configuration})


def own_transform(wanted: ImageSteps) -> Any:
    from open_clip.transform import PreprocessCfg, image_transform_v2

    size = wanted.height if wanted.height == wanted.width else (wanted.height, wanted.width)
    config = PreprocessCfg(
        size=size,
        mean=wanted.mean,
        std=wanted.std,
        interpolation=wanted.interpolation,
        resize_mode=wanted.resize_mode,
        fill_color=wanted.fill_color,
    )
    return image_transform_v2(config, is_train=False)


def check(wanted: ImageSteps, pictures: list[Image.Image]) -> None:
    preprocessing, transform = ImagePreprocessing(wanted), own_transform(wanted)
    prepared = [preprocessing.prepare(picture) for picture in pictures]
    assert all(pixels.dtype == np.uint8 for pixels in prepared)
    found = preprocessing.normalize(prepared)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, np.stack([transform(picture).numpy() for picture in pictures]))


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_photographs_have_open_clips_own_pixels(name: str, photos_folder: Path) -> None:
    check(steps(CONFIGURATIONS[name]), read_pictures(photos_folder))


@pytest.mark.parametrize("mode", ["shortest", "longest", "squash"])
def test_pictures_of_odd_sizes_have_open_clips_own_pixels(mode: str) -> None:
    random = np.random.default_rng(1)
    sizes = [(1, 1), (3, 2), (223, 225), (224, 224), (225, 224), (1000, 33), (31, 700), (449, 337)]
    sizes += [(960, 640), (640, 960)]  # of 3:2, which is cut before it is resized
    pictures = [Image.fromarray(random.integers(0, 256, (h, w, 3), dtype=np.uint8)) for h, w in sizes]
    check(steps({"height": 224, "width": 224, "resize_mode": mode}), pictures)
    check(steps({"height": 97, "width": 150, "resize_mode": mode}), pictures)


def test_a_picture_like_a_thread_keeps_a_pixel() -> None:
    thread = Image.new("RGB", (1000, 1), (10, 20, 30))
    pixels = ImagePreprocessing(steps({"height": 64, "width": 64, "resize_mode": "longest"})).prepare(thread)
    assert pixels.shape == (64, 64, 3)
    assert pixels.any(axis=2).sum() == 64


def test_the_steps_survive_json() -> None:
    import json
    from dataclasses import asdict

    wanted = steps(CONFIGURATIONS["longest, not square, filled with grey"])
    assert ImageSteps.from_facts(json.loads(json.dumps(asdict(wanted)))) == wanted
