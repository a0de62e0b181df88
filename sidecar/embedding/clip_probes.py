"""Texts and pictures on which two forms of a CLIP model are compared; made here, so that no file is needed."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

PROBE_TEXTS = [
    "a",
    "",
    "a photo of a cat",
    "Zürich – naïve café, 東京 и Москва, عربي 🎉",
    "  two dogs &amp; a bicycle,\n\ton a snowy street in the evening  ",
    "a person in a red coat walks past the windows of an old book shop while the rain falls on the pavement",
    "one more word " * 60,
]
_SIZES = ((640, 400), (300, 500), (90, 70), (224, 224))


def probe_images() -> list[Image.Image]:
    """RGB pictures of several sizes, with soft light, edges and texture as photographs have; and one of one colour."""
    random = np.random.default_rng(5)
    pictures = [_picture(random, size) for size in _SIZES]
    return [*pictures, Image.new("RGB", (64, 64), (200, 30, 90))]


def _picture(random: np.random.Generator, size: tuple[int, int]) -> Image.Image:
    width, height = size
    light = Image.fromarray(random.integers(0, 256, (5, 6, 3), dtype=np.uint8)).resize(size, Image.Resampling.BICUBIC)
    draw = ImageDraw.Draw(light)
    for _ in range(12):
        x, y = random.integers(0, width), random.integers(0, height)
        box = (int(x), int(y), int(x + random.integers(5, width)), int(y + random.integers(5, height)))
        colour = tuple(int(value) for value in random.integers(0, 256, 3))
        (draw.ellipse if random.random() < 0.5 else draw.rectangle)(box, fill=colour)
    soft = np.asarray(light.filter(ImageFilter.GaussianBlur(1.5)), dtype=np.float32)
    grain = random.normal(0, 12, soft.shape)
    return Image.fromarray(np.clip(soft + grain, 0, 255).astype(np.uint8))
