"""Checks one document by the contract's rules."""

from __future__ import annotations

import json
import math
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from sidecar.errors import DocumentTooLarge, InvalidArgument, InvalidDocumentId
from sidecar.indexing.combinations import Combination, read_combination
from sidecar.indexing.custom_vectors import CustomValue, VectorRules, read_custom_vector
from sidecar.indexing.names import check_document_id, check_field_name
from sidecar.indexing.requests import AddDocuments, CustomVector, MultimodalCombination
from sidecar.opensearch.partial_update import FieldChanges

_LONGEST_ESCAPE = 6
"""Bytes of ASCII-escaped JSON that one byte of UTF-8 JSON can become, separators included."""
_LONGEST_NUMBER = 42
"""Bytes of a number within float32's range, separator included: a whole one has 39 digits at most."""
_VECTOR_KEYS = 32
"""Bytes of ``{"content": , "vector": []}``, and some."""


@dataclass(frozen=True, slots=True)
class DocumentRules:
    """What documents are checked by: their request, the operator's limit, and what vectors of a field must be like."""

    request: AddDocuments
    max_bytes: int
    vectors_of: Callable[[str], VectorRules]


@dataclass(frozen=True, slots=True)
class ValidDocument:
    """A document that may be stored: its id, its JSON text without the id, and what is embedded, by field: strings,
    objects of strings, and vectors of the document's own. Of a partial update they have the fields that are set, and
    ``changes`` what becomes of the others that it names."""

    position: int
    document_id: str
    has_own_id: bool
    source: bytes
    texts: Mapping[str, str]
    combinations: Mapping[str, Combination] = field(default_factory=dict)
    vectors: Mapping[str, CustomValue] = field(default_factory=dict)
    changes: FieldChanges | None = None

    @property
    def embedded_fields(self) -> list[str]:
        """The fields that have embeddings."""
        return [*self.texts, *self.combinations, *self.vectors]


def validate_document(position: int, document: object, rules: DocumentRules) -> ValidDocument:
    """Check the document that stands at ``position`` of its request; one without ``_id`` gets a UUID, where it is not
    a partial update.

    Raises: InvalidArgument, InvalidFieldName, InvalidDocumentId, DocumentTooLarge, each for this document alone.
    """
    if not isinstance(document, dict):
        raise InvalidArgument(f"a document must be an object of fields and values, not {_kind(document)}")
    if not document:
        raise InvalidArgument("the document is empty: it has no field")
    fields = {name: value for name, value in document.items() if name != "_id"}
    request = rules.request
    # The numbers of vectors are not stored in the field: encoding them too would take as long as all else.
    vectors = _read_vectors(fields, rules) if request.mappings else {}
    encoded = _encode(_as_stored(fields, vectors))
    _check_size(document, len(encoded) * _LONGEST_ESCAPE + _longest(vectors), rules.max_bytes)
    document_id = _id_of(document, is_partial=request.is_partial)
    removed: tuple[str, ...] = ()
    if request.is_partial and None in fields.values():
        removed = tuple(check_field_name(name) for name, value in fields.items() if value is None)
        fields = {name: value for name, value in fields.items() if value is not None}
        encoded = _encode(_as_stored(fields, vectors))
    objects = {}
    for name, value in fields.items():
        check_field_name(name)
        if name in vectors:
            continue
        if isinstance(value, dict) and name in request.mappings:
            objects[name] = value
        else:
            _check_value(name, value, embeds=request.embeds(name))
    texts = {name: value for name, value in fields.items() if isinstance(value, str) and request.embeds(name)}
    combinations = _read_combinations(objects, rules)
    valid = ValidDocument(position, document_id, "_id" in document, encoded, texts, combinations, vectors)
    if not request.is_partial:
        return valid
    plain = fields.keys() - set(valid.embedded_fields)
    return replace(valid, changes=FieldChanges(removed, (*removed, *sorted(plain))))


def _id_of(document: Mapping[str, object], *, is_partial: bool) -> str:
    if "_id" in document:
        return check_document_id(document["_id"])
    if is_partial:
        raise InvalidDocumentId("A partial update needs the _id of the document that it changes.")
    return str(uuid.uuid4())


def _read_vectors(fields: Mapping[str, object], rules: DocumentRules) -> dict[str, CustomValue]:
    vectors = {}
    for name, value in fields.items():
        if isinstance(value, dict) and isinstance(rules.request.mappings.get(name), CustomVector):
            _check_embeds_object(name, rules.request)
            vectors[name] = read_custom_vector(check_field_name(name), value, rules.vectors_of(name))
    return vectors


def _read_combinations(objects: Mapping[str, dict[str, Any]], rules: DocumentRules) -> dict[str, Combination]:
    combinations = {}
    for name, value in objects.items():
        _check_embeds_object(name, rules.request)
        mapping = rules.request.mappings[name]
        assert isinstance(mapping, MultimodalCombination)
        combinations[name] = read_combination(name, value, mapping)
    return combinations


def _check_embeds_object(name: str, request: AddDocuments) -> None:
    if not request.embeds(name):
        raise InvalidArgument(f"field {name!r} is mapped, and an object: it must be a tensor field")


def _as_stored(fields: dict[str, object], vectors: Mapping[str, CustomValue]) -> dict[str, object]:
    return fields | {name: custom.content for name, custom in vectors.items()} if vectors else fields


def _longest(vectors: Mapping[str, CustomValue]) -> int:
    """The most bytes that the vectors, which the encoded document has not, can take as JSON."""
    return sum(len(custom.vector) * _LONGEST_NUMBER + _VECTOR_KEYS for custom in vectors.values())


def has_faulty_identity(error: Exception) -> bool:
    """True where the document's id or size was the trouble, so that its item carries no id."""
    return isinstance(error, (InvalidDocumentId, DocumentTooLarge))


def _encode(fields: dict[str, object]) -> bytes:
    try:
        return orjson.dumps(fields)
    except TypeError as error:
        raise InvalidArgument(f"the document can't be written as JSON: {error}") from error


def _check_size(document: dict[str, object], most_bytes: int, max_bytes: int) -> None:
    """``most_bytes`` is more than the document can be: it is measured only where that is above the limit."""
    if most_bytes < max_bytes:
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
        "list of strings; an object needs an entry in 'mappings'"
    )


def _kind(value: object) -> str:
    names = {dict: "an object", list: "an array", str: "a string", bool: "a boolean", type(None): "null"}
    return names.get(type(value), "a number")
