"""A file that has been read and made ready for a model."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sidecar.embedding.loader import Prepared

Box = tuple[float, float, float, float]
"""(x1, y1, x2, y2) in pixels of the image as it came, upright."""


@dataclass(frozen=True, slots=True)
class MediaSource:
    """Where a file is to be read from, and how it is cut into parts.

    ``pointer`` is a URL, a path, a data URI or base64 text. ``patch_method`` is one of an index's settings; None, empty
    and ``none`` keep an image whole. ``headers`` go with requests for it and for nothing else.
    """

    pointer: str
    patch_method: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PreparedMedia:
    """The parts of one file, in order; ``boxes`` has each part's box, None for a file that was not cut.

    ``size`` is an image's width and height in pixels as it came, upright; None for other files.
    """

    parts: Sequence[Prepared]
    boxes: Sequence[Box | None]
    size: tuple[int, int] | None = None


def box_text(box: Box) -> str:
    """``[x1, y1, x2, y2]`` as JSON: what stands for the part of an image that lies in the box."""
    return json.dumps([float(side) for side in box])
