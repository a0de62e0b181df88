"""A mapping that declares embedded fields, told to the cluster in words that it knows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sidecar.native.declarations.semantic import SemanticTranslation, translate_semantic
from sidecar.native.declarations.stored import FIELDS_KEY, is_of_other_face, vector_fields
from sidecar.native.declaring.checks import Declared, check_declaration, wrong_dimension
from sidecar.native.declaring.properties import VectorProperties, nested_paths
from sidecar.native.embedder import NativeEmbedder
from sidecar.native.errors import ILLEGAL_ARGUMENT, Refused
from sidecar.native.json.additions import Additions
from sidecar.native.json.edits import Edit
from sidecar.native.json.spans import Member, Object
from sidecar.native.json.writing import as_value, plain
from sidecar.opensearch.mapping_builder import META_KEY

META = "_meta"


@dataclass(frozen=True, slots=True)
class OwnMeta:
    """The places of our own key in a mapping's text, None where one is not there or is no object."""

    meta: Object | None
    own: Object | None
    fields: Object | None

    @classmethod
    def of(cls, mapping: Object) -> OwnMeta:
        """Find them."""
        meta = _object(mapping, META)
        own = None if meta is None else _object(meta, META_KEY)
        return cls(meta, own, None if own is None else _object(own, FIELDS_KEY))


@dataclass(frozen=True, slots=True)
class DeclaredMapping:
    """What a mapping declares: ``declared`` by our own key, ``withdrawn`` by null there, ``semantic`` by field types.

    ``others`` are vectors of the other face, which pass as they are.
    """

    places: OwnMeta
    declared: Mapping[str, tuple[Member, Declared]]
    withdrawn: frozenset[str]
    others: Mapping[str, Member]
    semantic: SemanticTranslation

    @property
    def needs_knn(self) -> bool:
        """True where the index must be one that finds vectors."""
        return bool(self.declared or self.semantic.fields)

    @classmethod
    def read(cls, mapping: Object, data: bytes, embedder: NativeEmbedder) -> DeclaredMapping:
        """Read and check a mapping: the object that has ``properties``. Raises: Refused; UnknownModel as one."""
        places = OwnMeta.of(mapping)
        declared: dict[str, tuple[Member, Declared]] = {}
        withdrawn, others = set(), {}
        for member in [] if places.fields is None else places.fields.members:
            if is_of_other_face(member.key):
                others[member.key] = member
                continue
            entry = plain(as_value(member.value, data))
            if entry is None:
                withdrawn.add(member.key)
            else:
                declared[member.key] = member, check_declaration(member.key, entry, embedder)
        _check_fields(places, data)
        return cls(places, declared, frozenset(withdrawn), others, translate_semantic(mapping, data, embedder))


def property_edits(
    found: DeclaredMapping, mapping: Object, data: bytes, stored: Mapping[str, Any]
) -> tuple[list[Edit], Additions]:
    """Edits, and additions to be closed with others, that have the mapping hold all declared vectors.

    ``stored`` is the index's mapping as it is, empty for one that is not there yet.
    Raises: Refused where a vector field is of another type or dimension.
    """
    vectors = {vector.path: vector for vector in vector_fields(stored)}
    properties = VectorProperties(mapping, data, nested=set(nested_paths(stored)))
    for path, (_, declared) in found.declared.items():
        if properties.has(path):
            properties.complete(declared)
        elif path not in vectors:
            properties.add(declared)
        elif vectors[path].dimensions != declared.dimensions:
            raise wrong_dimension(path, vectors[path].dimensions, declared.entry["model"], declared.dimensions)
    properties.close()
    return list(found.semantic.edits), properties.additions


def creation_edits(mapping: Object, data: bytes, embedder: NativeEmbedder) -> tuple[list[Edit], Additions, bool]:
    """Edits for the mapping of what is not there yet, additions to be closed with others, and whether vectors are to be
    found there; none for a mapping that declares nothing.

    Raises: as `DeclaredMapping.read` and `property_edits`.
    """
    found = DeclaredMapping.read(mapping, data, embedder)
    edits, additions = property_edits(found, mapping, data, {})
    for member, declared in found.declared.values():
        if "dimension" not in declared.entry:
            assert isinstance(member.value, Object)
            additions.add(member.value, "dimension", declared.dimensions)
    _add_fields(found, mapping, additions)
    return edits, additions, found.needs_knn


def _add_fields(found: DeclaredMapping, mapping: Object, additions: Additions) -> None:
    """Have our own key hold what ``semantic`` fields declare."""
    places = found.places
    fields = {path: entry for path, entry in found.semantic.fields.items() if path not in found.declared}
    if not fields:
        return
    if places.fields is not None:
        for path, entry in fields.items():
            additions.add(places.fields, path, entry)
    elif places.own is not None:
        additions.add(places.own, FIELDS_KEY, fields)
    elif places.meta is not None:
        additions.add(places.meta, META_KEY, {FIELDS_KEY: fields})
    else:
        additions.add(mapping, META, {META_KEY: {FIELDS_KEY: fields}})


def _check_fields(places: OwnMeta, data: bytes) -> None:
    given = None if places.own is None else places.own.get(FIELDS_KEY)
    if given is not None and places.fields is None and given.text(data) != b"null":
        raise Refused(ILLEGAL_ARGUMENT, f"[{META}.{META_KEY}.{FIELDS_KEY}] must be an object: vector -> declaration")


def _object(parent: Object, key: str) -> Object | None:
    found = parent.get(key)
    return found if isinstance(found, Object) else None
