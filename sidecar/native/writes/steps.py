"""What is done to a document for one declaration, or one processor of a pipeline."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Protocol

from sidecar.embedding.media.pointers import data_uri_type, is_base64_image, is_web_url
from sidecar.native.declarations.declaration import Kind
from sidecar.native.errors import MAPPER_PARSING, Refused
from sidecar.native.json.spans import Array, Node, NotJson
from sidecar.native.writes.document import Document
from sidecar.native.writes.inputs import RequestInputs
from sidecar.native.writes.made import MadeStrings


class WriteStep(Protocol):
    """Looks into a document, takes its contents among the request's, and puts the values to be made into it."""

    @property
    def vectors(self) -> Sequence[str]:
        """The paths of the vectors that it computes."""

    def apply(self, document: Document, inputs: RequestInputs) -> None:
        """Do it. Raises: Refused, InvalidArgument for a document whose content can't be embedded."""


def poison(field: str, reason: str) -> Refused:
    """The error of a document that the model can't be asked about."""
    return Refused(MAPPER_PARSING, f"failed to embed field [{field}]: {reason}")


def content_of(document: Document, value: Node, field: str, kind: Kind) -> str | None:
    """The string to embed; None for null and for what has nothing in it.

    Raises: Refused for any other type, and for an image that is none by its looks.
    """
    text = string_of(document, value)
    if text is None:
        if document.is_null(value):
            return None
        raise poison(field, f"it must be a string, not {kind_of(document, value)}")
    if not text.strip():
        return None
    if kind is Kind.IMAGE and not (is_web_url(text) or data_uri_type(text) or is_base64_image(text)):
        raise poison(field, "it must be an image, as a URL, a data URI or base64 text")
    return text


def contents_of(document: Document, value: Node, field: str, kind: Kind = Kind.TEXT) -> list[str]:
    """The strings to embed of a string or a list of strings, without blank ones.

    Raises: Refused for any other type, in a list too.
    """
    if isinstance(value, MadeStrings):
        return [text for text in value.strings if text.strip()]
    items = value.items if isinstance(value, Array) else [value]
    if not isinstance(value, Array) and document.data[value.start : value.start + 1] == b"[":
        if any(byte not in b"[] \t\r\n" for byte in value.text(document.data)):
            raise poison(field, "it must be a string or a list of strings, not a list of numbers")
        items = []
    found = (content_of(document, item, field, kind) for item in items)
    return [text for text in found if text is not None]


def string_of(document: Document, value: Node) -> str | None:
    """The value of a string; None for any other type. Bytes that are no UTF-8 are replaced."""
    data = document.data
    if value.start < 0 or data[value.start] != _QUOTE:
        return None
    try:
        return str(value.value(data))
    except NotJson:
        # Whether such a document is stored is for the cluster to say; if it is, then with its vector.
        return str(json.loads(data[value.start : value.end].decode("utf-8", "replace"), strict=False))


def kind_of(document: Document, value: Node) -> str:
    """The type of a value, for messages."""
    first = document.data[value.start : value.start + 1] if value.start >= 0 else b"["
    return _KINDS.get(first, "a number")


_QUOTE = ord('"')
_KINDS = {b"{": "an object", b"[": "a list", b'"': "a string", b"t": "a boolean", b"f": "a boolean", b"n": "null"}
