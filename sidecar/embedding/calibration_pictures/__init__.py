"""Real photographs that every installation has, on which the activations of image towers are calibrated."""

from __future__ import annotations

from importlib import resources

from PIL import Image


def calibration_pictures() -> list[Image.Image]:
    """64 RGB pictures: 16 photographs, and of each three parts, which show other things at another scale."""
    folder = resources.files("sidecar.embedding.calibration_pictures")
    pictures: list[Image.Image] = []
    for name in sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".jpg")):
        with folder.joinpath(name).open("rb") as file, Image.open(file) as picture:
            whole = picture.convert("RGB")
        width, height = whole.size
        side = min(width, height) // 2
        corners = ((0, 0), (width - side, 0), ((width - side) // 2, height - side))
        pictures.append(whole)
        pictures.extend(whole.crop((left, top, left + side, top + side)) for left, top in corners)
    return pictures
