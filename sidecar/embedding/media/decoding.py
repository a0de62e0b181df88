"""From a file's bytes to an RGB image, upright, of whatever format and mode the file is."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from PIL import (
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    ImageFile,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from sidecar.embedding.media.formats import HEAD_BYTES, ImageFormat, image_format
from sidecar.embedding.media.unreadable import Unreadable

DRAFT_FACTOR = 2
"""A JPEG is decoded at no less than this many times the size that is needed: embeddings keep a cosine of 0.999 with
those of the full size."""
MAX_JPEG_SCANS = 500
"""Scans of a progressive JPEG: each goes over the whole image, so that a small file could keep a processor for minutes.
Cameras and programs write about ten."""
MAX_SCANNED_PIXELS = 2_000_000_000
"""Scans of a JPEG times its pixels: a second's work."""
MAX_RUN_LENGTH_PIXELS = 10_000_000
"""Of a BMP of runs, which Pillow reads in Python: 13 s were measured for ten times as many."""

_JPEG_SCAN = b"\xff\xda"

# Opened by class: Image.open would apply a limit of pixels of its own, which is a global of the process.
_PLUGINS: dict[ImageFormat, type[ImageFile.ImageFile]] = {
    ImageFormat.PNG: PngImagePlugin.PngImageFile,
    ImageFormat.JPEG: JpegImagePlugin.JpegImageFile,
    ImageFormat.GIF: GifImagePlugin.GifImageFile,
    ImageFormat.WEBP: WebPImagePlugin.WebPImageFile,
    ImageFormat.TIFF: TiffImagePlugin.TiffImageFile,
    ImageFormat.BMP: BmpImagePlugin.BmpImageFile,
}
_TILE_SIDES = (322, 323)
_RUN_LENGTHS = "bmp_rle"
_ORIENTATION = 0x0112
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""EXIF orientation -> what turns the image upright."""
_GREY_16 = ("I;16", "I;16L", "I;16B", "I;16N")
_WHITE = (255, 255, 255)
_SCALED_ROWS = 64


@dataclass(frozen=True, slots=True)
class DecodedImage:
    """An image, RGB and upright. ``width`` and ``height`` are those of the file, in pixels, upright too: the image
    itself is smaller where it was decoded at a fraction of its size."""

    image: Image.Image
    width: int
    height: int


def decode_image(content: bytes, *, max_pixels: int, needed: int | None) -> DecodedImage:
    """Decode the first picture of a file. What is transparent lies on white; 16 bits become 8 by scaling.

    ``needed`` is the longer side of what the model sees, in pixels: a JPEG is decoded at no less than twice that;
    None decodes all at full size.
    Raises: Unreadable for what is no image, is damaged or cut off, or has more than ``max_pixels`` pixels.
    """
    found = image_format(content[:HEAD_BYTES])
    if found is None:
        raise Unreadable("it is not an image: it is none of " + ", ".join(known.value for known in ImageFormat))
    scans = content.count(_JPEG_SCAN) if found is ImageFormat.JPEG else 0
    if scans > MAX_JPEG_SCANS:
        raise Unreadable(f"the JPEG image has more than {MAX_JPEG_SCANS} scans. Save it anew")
    try:
        with _PLUGINS[found](io.BytesIO(content)) as image:
            _check_work(image, max_pixels, scans=scans)
            return _decode(image, needed)
    except Unreadable:
        raise
    except MemoryError as error:
        raise Unreadable("there is not enough memory to decode it. Name a smaller image, or try again") from error
    # Pillow's decoders raise whatever a damaged file makes them stumble over.
    except Exception as error:
        raise Unreadable(f"the {found.value} image is damaged or cut off ({error}). Save it anew") from error


def _check_work(image: ImageFile.ImageFile, max_pixels: int, *, scans: int) -> None:
    """Raises: Unreadable for what would take too much memory or time; nothing of the picture is decoded by then."""
    width, height = image.size
    if width < 1 or height < 1:
        raise Unreadable("the image has no pixels. Save it anew")
    if width * height > max_pixels:
        raise Unreadable(f"the image has {width} x {height} pixels; the limit is {max_pixels:,}. Make it smaller")
    if scans * width * height > MAX_SCANNED_PIXELS:
        raise Unreadable(f"the JPEG image has {scans} scans of {width} x {height} pixels, too many. Save it anew")
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        # A tile is unpacked whole, however little of it the picture has.
        wide, high = (image.tag_v2.get(tag, 0) for tag in _TILE_SIDES)
        if wide * high > max_pixels:
            raise Unreadable(
                f"the image has a tile of {wide} x {high} pixels; the limit is {max_pixels:,}. Save it anew"
            )
    if image.tile and image.tile[0][0] == _RUN_LENGTHS and width * height > MAX_RUN_LENGTH_PIXELS:
        raise Unreadable(
            f"the BMP image is of runs and has {width} x {height} pixels; the limit is {MAX_RUN_LENGTH_PIXELS:,}. "
            "Save it in another format"
        )


def _decode(image: ImageFile.ImageFile, needed: int | None) -> DecodedImage:
    width, height = image.size
    if isinstance(image, JpegImagePlugin.JpegImageFile):
        if needed is not None:
            image.draft(None, (DRAFT_FACTOR * needed, DRAFT_FACTOR * needed))
        image.load()
    else:
        image.load()
        width, height = image.size  # a TIFF has turned itself
    orientation = _orientation(image)
    rgb = _as_rgb(image)
    if orientation in _UPRIGHT:
        rgb = rgb.transpose(_UPRIGHT[orientation])
    return DecodedImage(rgb, *((height, width) if orientation >= 5 else (width, height)))


def _orientation(image: Image.Image) -> int:
    try:
        found = image.getexif().get(_ORIENTATION, 1)
    except Exception:
        # The picture is sound, and most with such a block are upright.
        return 1
    return found if isinstance(found, int) and found in _UPRIGHT else 1


def _as_rgb(image: Image.Image) -> Image.Image:
    if image.mode in _GREY_16:
        return _from_grey_16(image)
    if image.mode in ("I", "F"):
        return _from_open_scale(image)
    if not image.has_transparency_data:
        return image.convert("RGB")
    above = image.convert("RGBA")
    below = Image.new("RGB", image.size, _WHITE)
    below.paste(above, mask=above)
    return below


def _from_grey_16(image: Image.Image) -> Image.Image:
    values = np.asarray(image)
    # The upper byte, as Pillow makes 8 bits of 16-bit colours; its own conversion of 16-bit grey clips at 255.
    grey = (values >> 8).astype(np.uint8)
    transparent = image.info.get("transparency")
    if isinstance(transparent, int):
        grey[values == transparent] = 255
    return Image.fromarray(grey).convert("RGB")


def _from_open_scale(image: Image.Image) -> Image.Image:
    """32-bit grey has no agreed white: its darkest value becomes black, its brightest white."""
    values = np.asarray(image)
    # By parts: of all values at once, 64-bit numbers would take several times the memory of the image.
    parts = [slice(start, start + _SCALED_ROWS) for start in range(0, len(values), _SCALED_ROWS)]
    ends = [(part.min(), part.max()) for part in (np.nan_to_num(values[rows].astype(np.float64)) for rows in parts)]
    low, high = float(min(low for low, _ in ends)), float(max(high for _, high in ends))
    grey = np.empty(values.shape, np.uint8)
    for rows in parts:
        scaled = np.nan_to_num(values[rows].astype(np.float64)) - low
        grey[rows] = (scaled * (255 / ((high - low) or 1))).astype(np.uint8)
    return Image.fromarray(grey).convert("RGB")
