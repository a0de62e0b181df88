"""Checks one document by the contract's rules."""

from __future__ import annotations

import json
import math
import uuid
from dataclasses import dataclass

import orjson

from sidecar.errors import DocumentTooLarge, InvalidArgument, InvalidDocumentId
from sidecar.indexing.names import check_document_id, check_field_name
from sidecar.indexing.requests import AddDocuments

_LONGEST_ESCAPE = 6
"""Bytes of ASCII-escaped JSON that one byte of UTF-8 JSON can become, separators included."""


@dataclass(frozen=True, slots=True)
class ValidDocument:
    """A document that may be stored: its id, its JSON text without the id, and the texts to embed by field."""

    position: int
    document_id: str
    has_own_id: bool
    source: bytes
    texts: dict[str, str]


def validate_document(position: int, document: object, request: AddDocuments, max_bytes: int) -> ValidDocument:
    """Check the document that stands at ``position`` of its request; one without ``_id`` gets a UUID.

    Raises: InvalidArgument, InvalidFieldName, InvalidDocumentId, DocumentTooLarge, each for this document alone.
    """
    if not isinstance(document, dict):
        raise InvalidArgument(f"a document must be an object of fields and values, not {_kind(document)}")
    if not document:
        raise InvalidArgument("the document is empty: it has no field")
    fields = {name: value for name, value in document.items() if name != "_id"}
    encoded = _encode(fields)
    _check_size(document, encoded, max_bytes)
    document_id = check_document_id(document["_id"]) if "_id" in document else str(uuid.uuid4())
    for name, value in fields.items():
        check_field_name(name)
        _check_value(name, value, embeds=request.embeds(name))
    texts = {name: value for name, value in fields.items() if isinstance(value, str) and request.embeds(name)}
    return ValidDocument(position, document_id, "_id" in document, encoded, texts)


def has_faulty_identity(error: Exception) -> bool:
    """True where the document's id or size was the trouble, so that its item carries no id."""
    return isinstance(error, (InvalidDocumentId, DocumentTooLarge))


def _encode(fields: dict[str, object]) -> bytes:
    try:
        return orjson.dumps(fields)
    except TypeError as error:
        raise InvalidArgument(f"the document can't be written as JSON: {error}") from error


def _check_size(document: dict[str, object], encoded: bytes, max_bytes: int) -> None:
    if len(encoded) * _LONGEST_ESCAPE < max_bytes:
        return
    size = len(json.dumps(document))
    if size > max_bytes:
        raise DocumentTooLarge(
            f"the document is {size:,} bytes of JSON; the limit is {max_bytes:,} (SIDECAR_MAX_DOCUMENT_BYTES)"
        )


def _check_value(name: str, value: object, *, embeds: bool) -> None:
    if isinstance(value, float) and not math.isfinite(value):
        raise InvalidArgument(f"field {name!r} is {value}, which is no number in JSON")
    if isinstance(value, (str, int, float)):
        return
    if isinstance(value, list):
        if embeds:
            raise InvalidArgument(
                f"field {name!r} is a list, and embedded: only strings can be; list it in nonTensorFields"
            )
        if all(isinstance(element, str) for element in value):
            return
        raise InvalidArgument(f"field {name!r} is a list with elements that are not strings")
    raise InvalidArgument(
        f"field {name!r} has a value of an unsupported type, {_kind(value)}: give a string, a number, a boolean or a "
        "list of strings"
    )


def _kind(value: object) -> str:
    names = {dict: "an object", list: "an array", str: "a string", bool: "a boolean", type(None): "null"}
    return names.get(type(value), "a number")
