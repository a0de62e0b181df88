"""Pictures as a CLIP model takes them: the same pixels as open_clip's own transform, with Pillow and numpy alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

ResizeMode = Literal["shortest", "longest", "squash"]
Pixels = NDArray[np.uint8]
"""uint8, shape (height, width, 3): red, green, blue."""

_FILTERS = {"bicubic": Image.Resampling.BICUBIC, "bilinear": Image.Resampling.BILINEAR}


@dataclass(frozen=True, slots=True)
class ImageSteps:
    """How a model's pictures are made: open_clip's preprocessing configuration, with the same words.

    ``height`` and ``width`` are in pixels. ``mean`` and ``std`` are of red, green and blue, each from 0 to 1.
    ``shortest`` fits the shorter side and crops the longer, ``longest`` fits the longer side and fills up with
    ``fill_color`` (0 to 255), ``squash`` fits both.
    """

    height: int
    width: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    interpolation: str = "bicubic"
    resize_mode: ResizeMode = "shortest"
    fill_color: int = 0

    @classmethod
    def from_facts(cls, facts: dict[str, Any]) -> ImageSteps:
        """The steps from JSON that `dataclasses.asdict` gave. Raises: KeyError, TypeError, ValueError."""
        values = {**facts, "mean": tuple(map(float, facts["mean"])), "std": tuple(map(float, facts["std"]))}
        return cls(**values)


class ImagePreprocessing:
    """Resizes and crops pictures one by one, and normalises them batch by batch."""

    def __init__(self, steps: ImageSteps) -> None:
        self._steps = steps
        # All 256 values of each channel, computed as torch does: in float32, first the mean, then the deviation.
        values = np.arange(256, dtype=np.float32)[:, None] / np.float32(255)
        self._table = (values - np.array(steps.mean, np.float32)) / np.array(steps.std, np.float32)

    def prepare(self, image: Image.Image) -> Pixels:
        """The picture at the model's size. Takes an RGB picture of any size. Returns: shape (height, width, 3)."""
        steps = self._steps
        if steps.resize_mode == "squash":
            size, resampling = (steps.height, steps.width), _FILTERS[steps.interpolation]
        elif steps.resize_mode == "longest":
            size, resampling = _scaled(image, steps, largest=True), _FILTERS[steps.interpolation]
        elif steps.height == steps.width:
            size, resampling = _shortest_edge(image, steps.height), _FILTERS[steps.interpolation]
        else:
            # open_clip takes no other filter here.
            size, resampling = _scaled(image, steps, largest=False), Image.Resampling.BICUBIC
        fill = steps.fill_color if steps.resize_mode == "longest" else 0
        return np.asarray(_resize_and_crop(image, size, (steps.height, steps.width), resampling, fill))

    def normalize(self, batch: Sequence[Pixels]) -> NDArray[np.float32]:
        """The model's input of pictures from `prepare`. Returns: float32, shape (n, 3, height, width)."""
        steps = self._steps
        result = np.empty((len(batch), 3, steps.height, steps.width), dtype=np.float32)
        for row, pixels in enumerate(batch):
            for channel in range(3):
                np.take(self._table[:, channel], pixels[:, :, channel], out=result[row, channel], mode="clip")
        return result


def _resize_and_crop(
    image: Image.Image, size: tuple[int, int], seen: tuple[int, int], resampling: Image.Resampling, fill: int
) -> Image.Image:
    """The picture at ``size``, cut to what is ``seen`` of it or filled up to that; all sizes are (height, width)."""
    (height, width), (seen_height, seen_width) = size, seen
    top, left = round((height - seen_height) / 2), round((width - seen_width) / 2)
    edges = (
        (left * image.width, (left + seen_width) * image.width),
        (top * image.height, (top + seen_height) * image.height),
    )
    if left >= 0 <= top and not any(edge % width for edge in edges[0]) and not any(edge % height for edge in edges[1]):
        # What will be cut off need not be computed: where the part begins and ends between pixels, Pillow resizes it as
        # it resizes the whole, bit for bit (a picture of 3:2 takes two thirds of the time).
        box = (edges[0][0] // width, edges[1][0] // height, edges[0][1] // width, edges[1][1] // height)
        return image.resize((seen_width, seen_height), resampling, box=box)
    resized = image if image.size == (width, height) else image.resize((width, height), resampling)
    return _crop_or_fill(resized, seen, fill)


def _shortest_edge(image: Image.Image, edge: int) -> tuple[int, int]:
    width, height = image.size
    longer = int(edge * max(width, height) / min(width, height))
    return (longer, edge) if width <= height else (edge, longer)


def _scaled(image: Image.Image, steps: ImageSteps, *, largest: bool) -> tuple[int, int]:
    width, height = image.size
    ratios = (height / steps.height, width / steps.width)
    ratio = max(ratios) if largest else min(ratios)
    # At least a pixel: a picture a hundred times as wide as high would have none left.
    return max(1, round(height / ratio)), max(1, round(width / ratio))


def _crop_or_fill(image: Image.Image, size: tuple[int, int], fill: int) -> Image.Image:
    height, width = size
    missing = (max(0, width - image.width), max(0, height - image.height))
    if any(missing):
        border = (missing[0] // 2, missing[1] // 2, (missing[0] + 1) // 2, (missing[1] + 1) // 2)
        image = ImageOps.expand(image, border, fill=(fill, fill, fill))
    top, left = round((image.height - height) / 2), round((image.width - width) / 2)
    return image.crop((left, top, left + width, top + height))
