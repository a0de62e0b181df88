"""The route that shows pictures of documents which lie on the server, where no browser can get at them."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response

from sidecar.api.parameters import require_parameter
from sidecar.api.services import services
from sidecar.embedding.media.formats import ImageFormat
from sidecar.errors import InvalidArgument
from sidecar.indexing.names import check_document_id

pictures = Blueprint("pictures", __name__)

PICTURE_TYPES = {
    ImageFormat.PNG: "image/png",
    ImageFormat.JPEG: "image/jpeg",
    ImageFormat.GIF: "image/gif",
    ImageFormat.WEBP: "image/webp",
    ImageFormat.TIFF: "image/tiff",
    ImageFormat.BMP: "image/bmp",
}
_HEADERS = {"X-Content-Type-Options": "nosniff", "Cache-Control": "private, max-age=3600"}


@pictures.get("/indexes/<index>/picture")
def show_picture(index: str) -> Response:
    """The image file that a field of a document names by its path, under SIDECAR_MEDIA_ROOTS."""
    document_id, field = check_document_id(require_parameter("document")), require_parameter("field")
    parts = services()
    path = _value_at(parts.reader.get(index, document_id), field)
    if not isinstance(path, str):
        raise InvalidArgument(
            f"document {document_id!r} has no text in field {field!r}; name the field of its picture."
        )
    content, image_format = parts.media.read_picture(path)
    return Response(content, mimetype=PICTURE_TYPES[image_format], headers=_HEADERS)


def _value_at(document: Any, field: str) -> Any:
    """The value of the field, or of the part of an object that is written ``field.part``."""
    value = document
    for name in field.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value
