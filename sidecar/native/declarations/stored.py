"""Declarations as the mapping of an index keeps them, under `_meta.sidecar.fields`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sidecar.native.declarations.declaration import Chunking, Declaration, Entry, Existing, Kind, Source, VectorField
from sidecar.opensearch.embedded_paths import ROOT
from sidecar.opensearch.mapping_builder import META_KEY

_NATIVE_KINDS = frozenset(kind.value for kind in Kind)


def read_declarations(mapping: Mapping[str, Any]) -> tuple[Declaration, ...]:
    """The declarations of a mapping, the answer's ``mappings``; what can't be read is none of ours, and left out."""
    own = mapping.get("_meta", {}).get(META_KEY)
    fields = own.get("fields") if isinstance(own, dict) else None
    if not isinstance(fields, dict):
        return ()
    vectors = {field.path: field for field in vector_fields(mapping)}
    found = (read_declaration(path, entry, vectors.get(path), own) for path, entry in fields.items())
    return tuple(declaration for declaration in found if declaration is not None)


def read_declaration(path: str, entry: Any, vector: VectorField | None, own: Mapping[str, Any]) -> Declaration | None:
    """One declaration as it is kept; None for another shape, and for vectors that clients make themselves."""
    if not isinstance(entry, dict) or vector is None or not isinstance(entry.get("model"), str):
        return None
    if entry.get("kind", "text") not in _NATIVE_KINDS:
        return None
    sources = tuple(_sources(entry))
    if not sources:
        return None
    is_of_other_face = path.startswith(f"{ROOT}.")
    properties = own.get("settings", {}).get("index_defaults", {}).get("model_properties") if is_of_other_face else None
    return Declaration(
        vector=path,
        sources=sources,
        model=entry["model"],
        dimensions=vector.dimensions,
        model_properties=properties,
        search_model=entry.get("search_model"),
        existing=Existing(entry.get("existing_vector", Existing.KEEP.value)),
        entry=Entry.VECTOR if vector.nested is None else Entry.CHUNKS,
        nested=vector.nested,
        chunk_text=entry.get("chunk_text"),
        chunkings=tuple(Chunking(one["algorithm"], one.get("parameters", {})) for one in entry.get("chunking", ())),
        semantic=entry.get("semantic"),
    )


def vector_fields(mapping: Mapping[str, Any], prefix: str = "", nested: str | None = None) -> Iterator[VectorField]:
    """Every ``knn_vector`` of a mapping that has dimensions of its own."""
    for name, field in mapping.get("properties", {}).items():
        path = f"{prefix}{name}"
        if field.get("type") == "knn_vector" and "dimension" in field:
            yield VectorField(path, int(field["dimension"]), nested)
        yield from vector_fields(field, f"{path}.", path if field.get("type") == "nested" else nested)


def _sources(entry: Mapping[str, Any]) -> Iterator[Source]:
    given = entry.get("source")
    if isinstance(given, str):
        yield Source(given, Kind(entry.get("kind", Kind.TEXT.value)))
        return
    for one in given if isinstance(given, list) else ():
        yield Source(one["field"], Kind(one.get("kind", Kind.TEXT.value)), float(one.get("weight", 1.0)))
