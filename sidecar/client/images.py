"""Pictures of this machine as texts that the API reads as images."""

from __future__ import annotations

import base64
import io
import os
from pathlib import Path
from typing import Any, Protocol, TypeGuard, runtime_checkable

_TYPES = (
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"\xff\xd8\xff", "jpeg"),
    (b"GIF8", "gif"),
    (b"II*\0", "tiff"),
    (b"MM\0*", "tiff"),
    (b"BM", "bmp"),
)


@runtime_checkable
class PilImage(Protocol):
    """What is needed of a `PIL.Image.Image`."""

    def save(self, fp: Any, format: str | None = None) -> None:
        """Write it to a file in that format."""


Image = bytes | os.PathLike[str] | PilImage
"""A picture: the bytes of its file, the path of a file on this machine, or an image of PIL's."""


def is_image(value: object) -> TypeGuard[Image]:
    """Whether it is a picture, and not a text or what else a query may be."""
    return isinstance(value, bytes | os.PathLike | PilImage)


def image_text(image: Image) -> str:
    """The picture as a data URI: as ``q``, within a weighted mixture, or in a document's field.

    An image of PIL's is sent as PNG, and so without loss. A path is read here, not on the server.
    Raises: OSError where the file can't be read; ValueError where it is none of PNG, JPEG, WebP, GIF, TIFF and BMP.
    """
    content = _content(image)
    return f"data:image/{_type(content)};base64,{base64.b64encode(content).decode()}"


def _content(image: Image) -> bytes:
    if isinstance(image, bytes):
        return image
    if isinstance(image, os.PathLike):
        return Path(image).read_bytes()
    file = io.BytesIO()
    image.save(file, format="PNG")
    return file.getvalue()


def _type(content: bytes) -> str:
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "webp"
    for magic, name in _TYPES:
        if content.startswith(magic):
            return name
    raise ValueError("the picture is none of PNG, JPEG, WebP, GIF, TIFF and BMP, by its first bytes")
