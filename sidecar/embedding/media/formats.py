"""The image formats that are read, told by a file's first bytes."""

from __future__ import annotations

from enum import Enum

HEAD_BYTES = 18
"""How much of a file tells its format."""


class ImageFormat(str, Enum):
    """An image format."""

    PNG = "PNG"
    JPEG = "JPEG"
    GIF = "GIF"
    WEBP = "WebP"
    TIFF = "TIFF"
    BMP = "BMP"


_MAGIC = (
    (b"\x89PNG\r\n\x1a\n", ImageFormat.PNG),
    (b"\xff\xd8\xff", ImageFormat.JPEG),
    (b"GIF87a", ImageFormat.GIF),
    (b"GIF89a", ImageFormat.GIF),
    (b"II*\0", ImageFormat.TIFF),
    (b"MM\0*", ImageFormat.TIFF),
    (b"II+\0", ImageFormat.TIFF),  # BigTIFF
    (b"MM\0+", ImageFormat.TIFF),
)
_BMP_HEADERS = (12, 16, 40, 52, 56, 64, 108, 124)
"""The sizes that the second header of a BMP file can have; its magic of two letters alone would say little."""


def image_format(head: bytes) -> ImageFormat | None:
    """The format of a file that begins with these bytes; None where it is not an image that is read."""
    for magic, found in _MAGIC:
        if head.startswith(magic):
            return found
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return ImageFormat.WEBP
    if head[:2] == b"BM" and int.from_bytes(head[14:18], "little") in _BMP_HEADERS:
        return ImageFormat.BMP
    return None
