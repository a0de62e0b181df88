"""Which names indexes, fields and documents may have (wire API, sections 2 and 3)."""

from __future__ import annotations

from sidecar.errors import InvalidDocumentId, InvalidFieldName, InvalidIndexName
from sidecar.opensearch.client import FORBIDDEN_IN_INDEX_NAMES, FORBIDDEN_INDEX_NAME_STARTS
from sidecar.opensearch.embedded_paths import ROOT

MAX_INDEX_NAME_BYTES = 255
MAX_DOCUMENT_ID_BYTES = 512

_RESERVED_INDEX_NAMES = frozenset({"bulk", ".opendistro_security"})
_RESERVED_INDEX_STARTS = ("security-auditlog-", ".kibana", ".opendistro")

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


def is_reserved_index_name(index: str) -> bool:
    """True for the names of the cluster's own indexes and of our routes; `GET /indexes` hides them."""
    return index in _RESERVED_INDEX_NAMES or index.startswith(_RESERVED_INDEX_STARTS)


def check_reserved_index_name(index: str) -> None:
    """Raises: InvalidIndexName for a reserved name. The first check of a new index."""
    if is_reserved_index_name(index):
        raise InvalidIndexName(f"The index name {index!r} is reserved. Choose another name.")


def check_index_name(index: str) -> None:
    """Raises: InvalidIndexName, naming the rule of OpenSearch that a new index's name breaks."""
    found = sorted({character for character in index if character in FORBIDDEN_IN_INDEX_NAMES})
    if not index:
        rule = "it must not be empty"
    elif index != index.lower():
        rule = "it must be lower case"
    elif found:
        rule = f"it must not contain {' '.join(map(repr, found))}"
    elif index[0] in FORBIDDEN_INDEX_NAME_STARTS:
        rule = f"it must not start with {index[0]!r}"
    elif index in {".", ".."}:
        rule = "it must not be '.' or '..'"
    elif (size := _size_bytes(index)) > MAX_INDEX_NAME_BYTES:
        rule = f"it is {size} bytes long; the limit is {MAX_INDEX_NAME_BYTES}"
    else:
        return
    raise InvalidIndexName(f"{_short(index)} can't be the name of an index: {rule}.")


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
    raise InvalidFieldName(f"{_short(field)} can't be the name of a field: {rule}.")


def check_document_id(document_id: object) -> str:
    """The id, if a document may have it. Raises: InvalidDocumentId, naming the rule."""
    if not isinstance(document_id, str):
        raise InvalidDocumentId(
            f"Document _id must be a string, not {_short(document_id)} of type {type(document_id).__name__}."
        )
    if not document_id:
        raise InvalidDocumentId("Document ids can't be empty.")
    size = _size_bytes(document_id)
    if size > MAX_DOCUMENT_ID_BYTES:
        raise InvalidDocumentId(
            f"Document _id {_short(document_id)} is {size} bytes long; the limit is {MAX_DOCUMENT_ID_BYTES}."
        )
    return document_id


def _size_bytes(text: str) -> int:
    """Length in UTF-8; a lone surrogate, which has none, counts as three bytes."""
    return len(text.encode("utf-8", "surrogatepass"))


def _short(value: object) -> str:
    """The value as it looks in a message, cut where it is long."""
    text = repr(value)
    return text if len(text) <= 100 else f"{text[:100]}…"
