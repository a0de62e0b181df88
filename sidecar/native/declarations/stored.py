"""Declarations as the mapping of an index keeps them, under `_meta.sidecar.fields`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sidecar.native.declarations.declaration import Chunking, Declaration, Entry, Existing, Kind, Source, VectorField
from sidecar.opensearch.embedded_paths import ROOT
from sidecar.opensearch.index_settings import IndexSettings
from sidecar.opensearch.mapping_builder import META_KEY

FIELDS_KEY = "fields"
_NATIVE_KINDS = frozenset(kind.value for kind in Kind)


def own_meta(mapping: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the sidecar keeps in a mapping, under `_meta.sidecar`; empty where there is nothing, or nothing of ours."""
    meta = mapping.get("_meta")
    own = meta.get(META_KEY) if isinstance(meta, dict) else None
    return own if isinstance(own, dict) else {}


def read_declarations(mapping: Mapping[str, Any], settings: IndexSettings | None = None) -> tuple[Declaration, ...]:
    """The declarations of a mapping, the answer's ``mappings``; what can't be read is none of ours, and left out.

    ``settings`` are those of an index made on the other face, which rule its embeddings; without them there are none
    of these.
    """
    fields = own_meta(mapping).get(FIELDS_KEY)
    if not isinstance(fields, dict):
        return ()
    vectors = {field.path: field for field in vector_fields(mapping)}
    found = (read_declaration(path, entry, vectors.get(path), settings) for path, entry in fields.items())
    return tuple(declaration for declaration in found if declaration is not None)


def read_declaration(
    path: str, entry: Any, vector: VectorField | None, settings: IndexSettings | None = None
) -> Declaration | None:
    """One declaration as it is kept; None for another shape, and for vectors that clients make themselves."""
    if not isinstance(entry, dict) or vector is None or entry.get("kind", Kind.TEXT.value) not in _NATIVE_KINDS:
        return None
    try:
        if not is_of_other_face(path):
            return _declaration(path, entry, vector)
        return None if settings is None else _other_face_declaration(path, entry, vector, settings)
    except (KeyError, TypeError, ValueError, AttributeError):
        # Written by somebody who knows another shape; what this face lets through was checked.
        return None


def is_of_other_face(path: str) -> bool:
    """True for the path of a vector that the other face made."""
    return path.startswith(f"{ROOT}.")


def read_sources(entry: Mapping[str, Any]) -> tuple[Source, ...]:
    """The sources of a stored declaration. Raises: KeyError, TypeError, ValueError, AttributeError."""
    given = entry["source"]
    if isinstance(given, str):
        return (Source(given, Kind(entry.get("kind", Kind.TEXT.value))),)
    return tuple(
        Source(one["field"], Kind(one.get("kind", Kind.TEXT.value)), float(one.get("weight", 1.0))) for one in given
    )


def vector_fields(mapping: Mapping[str, Any], prefix: str = "", nested: str | None = None) -> Iterator[VectorField]:
    """Every ``knn_vector`` of a mapping that has dimensions of its own."""
    for name, field in mapping.get("properties", {}).items():
        path = f"{prefix}{name}"
        if field.get("type") == "knn_vector" and "dimension" in field:
            # The cluster gives some types back in capital letters.
            yield VectorField(path, int(field["dimension"]), nested, field.get("data_type", "float").lower())
        yield from vector_fields(field, f"{path}.", path if field.get("type") == "nested" else nested)


def _declaration(path: str, entry: Mapping[str, Any], vector: VectorField) -> Declaration | None:
    sources = read_sources(entry)
    if not sources:
        return None
    return Declaration(
        vector=path,
        sources=sources,
        model=str(entry["model"]),
        dimensions=vector.dimensions,
        search_model=entry.get("search_model"),
        existing=Existing(entry.get("existing_vector", Existing.KEEP.value)),
        entry=Entry.VECTOR if vector.nested is None else Entry.CHUNKS,
        nested=vector.nested,
        chunk_text=entry.get("chunk_text"),
        chunkings=tuple(Chunking(one["algorithm"], one.get("parameters", {})) for one in entry.get("chunking", ())),
        semantic=entry.get("semantic"),
    )


def _other_face_declaration(
    path: str, entry: Mapping[str, Any], vector: VectorField, settings: IndexSettings
) -> Declaration:
    sources = read_sources(entry)
    model, search_model = settings.model_of(sources[0].field), settings.search_model_of(sources[0].field)
    return Declaration(
        vector=path,
        sources=sources,
        model=model.model,
        dimensions=vector.dimensions,
        model_properties=model.model_properties,
        search_model=search_model.model,
        search_model_properties=search_model.model_properties,
        query_prefix=settings.text_preprocessing.override_text_query_prefix,
        normalize=settings.normalize_embeddings,
        as_bytes=vector.data_type == "byte",
        entry=Entry.CHUNKS,
        nested=vector.nested,
    )
