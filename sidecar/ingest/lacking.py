"""Which documents of an index a declared vector is still to be computed for."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sidecar.ingest.stored_documents import StoredDocument, values_at
from sidecar.native.declarations.declaration import Declaration
from sidecar.native.json.spans import Array, Node

_NOT_INDEXED = ("object", "nested", "knn_vector")


def lacking_query(declarations: Sequence[Declaration], mapping: Mapping[str, Any]) -> dict[str, Any]:
    """Finds documents that have the source of one of the vectors, but not that vector."""
    return _any(
        {"bool": {"filter": _has_source(one, mapping), "must_not": [_exists(one.vector, one.nested)]}}
        for one in declarations
    )


def source_query(declarations: Sequence[Declaration], mapping: Mapping[str, Any]) -> dict[str, Any]:
    """Finds documents that have the source of one of the vectors."""
    return _any({"bool": {"filter": _has_source(one, mapping)}} for one in declarations)


def lacks(document: StoredDocument, declarations: Sequence[Declaration]) -> bool:
    """True where the document has something to embed for one of the vectors that it has not."""
    return any(_vectors(document, one) < min(_contents(document, one), _most_vectors(one)) for one in declarations)


def has_content(document: StoredDocument, declaration: Declaration) -> bool:
    """True where there is anything in a source: null and blank text are nothing."""
    return _contents(document, declaration) > 0


def place_of(declaration: Declaration) -> str:
    """The path of what the sidecar puts into a document: the vector, or the list that has one for each chunk."""
    if declaration.nested is None or _is_beside_source(declaration):
        return declaration.vector
    return declaration.nested


def _is_beside_source(declaration: Declaration) -> bool:
    """True where each object of a nested list has the source of a vector of its own."""
    return all(source.field.startswith(f"{declaration.nested}.") for source in declaration.sources)


def _most_vectors(declaration: Declaration) -> float:
    return math.inf if declaration.nested is not None and _is_beside_source(declaration) else 1


def _contents(document: StoredDocument, declaration: Declaration) -> int:
    fields = {source.field for source in declaration.sources}
    return sum(_is_content(value, document.data) for value in values_at(document.source, "", fields))


def _vectors(document: StoredDocument, declaration: Declaration) -> int:
    values = values_at(document.source, "", {place_of(declaration)})
    return sum(value.text(document.data) not in {b"null", b"[]"} for value in values)


def _is_content(value: Node, data: bytes) -> bool:
    if isinstance(value, Array):
        return any(_is_content(item, data) for item in value.items)
    text = value.text(data)
    return text != b"null" and not (text.startswith(b'"') and not str(value.value(data)).strip())


def _any(clauses: Iterable[dict[str, Any]]) -> dict[str, Any]:
    return {"bool": {"should": list(clauses), "minimum_should_match": 1}}


def _has_source(declaration: Declaration, mapping: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A filter; none where the cluster can't tell of a source: it is not indexed, or is under a nested parent."""
    fields = [source.field for source in declaration.sources]
    if not all(_is_indexed(field, mapping) for field in fields):
        return []
    return [_any({"exists": {"field": field}} for field in fields)]


def _is_indexed(path: str, mapping: Mapping[str, Any]) -> bool:
    name, _, rest = path.partition(".")
    field = mapping.get("properties", {}).get(name)
    if field is None or field.get("type") == "nested":
        return False
    if rest and "properties" in field:
        return _is_indexed(rest, field)
    return not rest and field.get("type", "object") not in _NOT_INDEXED and field.get("index", True) is not False


def _exists(path: str, nested: str | None) -> dict[str, Any]:
    exists = {"exists": {"field": path}}
    return exists if nested is None else {"nested": {"path": nested, "query": exists}}
