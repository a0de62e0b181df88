"""Which names fields and ids documents may have."""

from __future__ import annotations

from sidecar.errors import InvalidDocumentId, InvalidFieldName
from sidecar.opensearch.embedded_paths import ROOT

MAX_DOCUMENT_ID_BYTES = 512

_FORBIDDEN_IN_FIELD_NAMES = {".": "a dot", "/": "a slash", "\n": "a line break"}
_RESERVED_FIELD_STARTS = ("__vector_", "__chunks", ROOT)
_RESERVED_FIELD_NAMES = frozenset(
    {
        "__field_name",
        "__field_content",
        "__doc_chunk_relation",
        "__chunk_ids",
        "_highlights",
        "_score",
        "_tensor_facets",
        "_embedding",
        "_found",
    }
)


def check_field_name(field: object) -> str:
    """The name, if a document's field may have it. Raises: InvalidFieldName, naming the rule."""
    if not isinstance(field, str):
        raise InvalidFieldName(f"A field name must be a string, not {field!r}.")
    found = [word for character, word in _FORBIDDEN_IN_FIELD_NAMES.items() if character in field]
    if not field:
        rule = "it must not be empty"
    elif found:
        rule = f"it must not contain {' or '.join(found)}"
    elif field.startswith(_RESERVED_FIELD_STARTS):
        start = next(start for start in _RESERVED_FIELD_STARTS if field.startswith(start))
        rule = f"names that start with '{start}' are reserved"
    elif field in _RESERVED_FIELD_NAMES:
        rule = "it is reserved"
    else:
        return field
    raise InvalidFieldName(f"{shortened(field)} can't be the name of a field: {rule}.")


def check_document_id(document_id: object) -> str:
    """The id, if a document may have it. Raises: InvalidDocumentId, naming the rule."""
    if not isinstance(document_id, str):
        raise InvalidDocumentId(
            f"Document _id must be a string, not {shortened(document_id)} of type {type(document_id).__name__}."
        )
    if not document_id:
        raise InvalidDocumentId("Document ids can't be empty.")
    size = size_bytes(document_id)
    if size > MAX_DOCUMENT_ID_BYTES:
        raise InvalidDocumentId(
            f"Document _id {shortened(document_id)} is {size} bytes long; the limit is {MAX_DOCUMENT_ID_BYTES}."
        )
    return document_id


def size_bytes(text: str) -> int:
    """Length in UTF-8; a lone surrogate, which has none, counts as three bytes."""
    return len(text.encode("utf-8", "surrogatepass"))


def shortened(value: object) -> str:
    """The value as it looks in a message, cut where it is long."""
    text = repr(value)
    return text if len(text) <= 100 else f"{text[:100]}…"
