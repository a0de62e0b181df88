"""Photographs of camera size, made from the real ones of the tests, and a CLIP of true shape to embed them with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

PHOTOS = Path(__file__).parent.parent / "tests" / "data" / "photos"
SIZE = (1920, 1280)
_TILE = 480
ARCHITECTURE = "ViT-B-32"
DIMENSIONS = 512


def mosaics(count: int) -> list[Image.Image]:
    """Pictures of 1920 by 1280 pixels, each of twelve photographs at about their own size: their detail is real."""
    tiles = [Image.open(path).convert("RGB").resize((_TILE, _TILE)) for path in sorted(PHOTOS.glob("*.jpg"))]
    random = np.random.default_rng(0)
    pictures = []
    for _ in range(count):
        picture = Image.new("RGB", SIZE)
        for place, number in enumerate(random.permutation(len(tiles))[:12]):
            picture.paste(tiles[number], (place % 4 * _TILE, place // 4 * _TILE))
        pictures.append(picture)
    return pictures


def write_jpegs(folder: Path, count: int) -> list[Path]:
    """The mosaics as JPEG files of quality 90."""
    paths = []
    for number, picture in enumerate(mosaics(count)):
        paths.append(folder / f"{number:04}.jpg")
        picture.save(paths[-1], quality=90)
    return paths


def write_clip(folder: Path) -> Path:
    """A checkpoint of ViT-B-32 with random weights: real ones can't be had everywhere, and take the same time."""
    import open_clip
    import torch

    torch.manual_seed(0)
    path = folder / "random-vit-b-32.pt"
    torch.save(open_clip.create_model(ARCHITECTURE).state_dict(), path)
    return path


def properties(checkpoint: Path, precision: str = "float32") -> dict[str, Any]:
    """The `model_properties` of that checkpoint."""
    return {
        "name": ARCHITECTURE,
        "type": "open_clip",
        "localpath": str(checkpoint),
        "dimensions": DIMENSIONS,
        "precision": precision,
    }
