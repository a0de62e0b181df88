"""Patch methods: which parts of an image get an embedding of their own.

A method is ``NAME`` or ``NAME?hn=ROWS&wn=COLUMNS``. The image is brought to 240x240, the whole of it is the first part,
and its boxes follow, row by row.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sidecar.embedding.media.attention import AttentionModel
from sidecar.embedding.media.prepared import Box
from sidecar.errors import InvalidArgument

if TYPE_CHECKING:
    from PIL.Image import Image

    from sidecar.embedding.media.decoding import DecodedImage

PATCHED_SIDE = 240
"""Width and height, in pixels, that an image is brought to before it is cut."""
MAX_CELLS = 16
_DEFAULT_CELLS = 3
_WHOLE = ("", "none")
_GRIDS = ("simple", "overlap")
_ATTENTION = ("dino-v1", "dino-v2")
_DETECTORS = ("frcnn", "yolox", "marqo-yolo")

Pixels = tuple[int, int, int, int]
"""(x1, y1, x2, y2) in pixels of the image of 240x240."""


@dataclass(frozen=True, slots=True)
class PatchMethod:
    """A patch method, parsed; ``rows`` and ``columns`` are those of the grids."""

    name: str
    rows: int = _DEFAULT_CELLS
    columns: int = _DEFAULT_CELLS


def check_patch_method(method: str | None) -> None:
    """Raises: InvalidArgument where an index can't have this ``patch_method``, saying which it can have."""
    parse_patch_method(method)


def parse_patch_method(method: str | None) -> PatchMethod | None:
    """The method of an index's settings; None where images stay whole. Raises: as `check_patch_method`."""
    if method is None or method in _WHOLE:
        return None
    name, _, options = method.partition("?")
    if name in _DETECTORS:
        raise InvalidArgument(
            f"patch_method {name!r} needs an object detector, which the sidecar does not bring. {_choices()}"
        )
    if name not in (*_GRIDS, *_ATTENTION):
        raise InvalidArgument(f"patch_method {name[:100]!r} is not known. {_choices()}")
    cells = dict(_option(name, part) for part in options.split("&") if part)
    return PatchMethod(name, cells.get("hn", _DEFAULT_CELLS), cells.get("wn", _DEFAULT_CELLS))


def cut(decoded: DecodedImage, method: PatchMethod, attention: AttentionModel) -> list[tuple[Image, Box]]:
    """The parts of an image, each with its box in the image as it came; the whole comes first.

    ``attention`` is what the methods that are no grid ask. Raises: ModelLoadError where it can't be had.
    """
    image = decoded.image.resize((PATCHED_SIDE, PATCHED_SIDE))
    across, down = decoded.width / PATCHED_SIDE, decoded.height / PATCHED_SIDE
    whole = (0, 0, PATCHED_SIDE, PATCHED_SIDE)
    return [
        (image.crop(box) if box != whole else image, (box[0] * across, box[1] * down, box[2] * across, box[3] * down))
        for box in (whole, *_boxes(image, method, attention))
    ]


def grid(rows: int, columns: int, *, with_shifted: bool) -> list[Pixels]:
    """The cells of a grid, row by row; ``with_shifted`` puts behind each the same box half a cell further right and
    down, where that lies inside the image."""
    width, height = PATCHED_SIDE // columns, PATCHED_SIDE // rows
    boxes = []
    for row in range(rows):
        for column in range(columns):
            x, y = column * width, row * height
            boxes.append((x, y, x + width, y + height))
            x, y = x + width // 2, y + height // 2
            if with_shifted and x + width <= PATCHED_SIDE and y + height <= PATCHED_SIDE:
                boxes.append((x, y, x + width, y + height))
    return boxes


def _boxes(image: Image, method: PatchMethod, attention: AttentionModel) -> list[Pixels]:
    if method.name in _ATTENTION:
        return attention.boxes(image, each_head=method.name == "dino-v2")
    return grid(method.rows, method.columns, with_shifted=method.name == "overlap")


def _option(name: str, part: str) -> tuple[str, int]:
    key, _, value = part.partition("=")
    if name not in _GRIDS:
        raise InvalidArgument(f"patch_method {name!r} has no options; remove {part[:100]!r}")
    if key not in ("hn", "wn"):
        raise InvalidArgument(f"patch_method {name!r} has the options 'hn' and 'wn', not {key[:100]!r}. Remove it")
    if not re.fullmatch(r"[0-9]{1,2}", value) or not 1 <= int(value) <= MAX_CELLS:
        raise InvalidArgument(f"patch_method {name!r}: {key!r} must be 1 to {MAX_CELLS}, it is {value[:100]!r}")
    return key, int(value)


def _choices() -> str:
    return "Use one of " + ", ".join(repr(name) for name in (*_GRIDS, *_ATTENTION)) + ", or null for whole images"
