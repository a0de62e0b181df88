"""Fields of the type ``semantic``, as the neural-search plugin has it, told to the cluster in types that it knows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson

from sidecar.native.declarations.declaration import Existing
from sidecar.native.declarations.semantic_parameters import (
    MODEL,
    PARAMETERS,
    SEARCH_MODEL,
    SemanticParameters,
    read_semantic,
)
from sidecar.native.embedder import NativeEmbedder
from sidecar.native.errors import ILLEGAL_ARGUMENT, Refused
from sidecar.native.json.additions import member_text
from sidecar.native.json.edits import Edit
from sidecar.native.json.removal import without_members
from sidecar.native.json.spans import Member, NotJson, Object
from sidecar.native.json.writing import as_value, plain, quoted

SEMANTIC: Final = "semantic"
EMBEDDING: Final = "embedding"
CHUNKS: Final = "chunks"
CHUNK_TEXT: Final = "text"
_NOT_INDEXED = {"type": "text", "index": False}
_MODEL_FIELDS = {"properties": {"id": _NOT_INDEXED, "name": _NOT_INDEXED, "type": _NOT_INDEXED}}
_CHOOSES_ENGINE = ("engine", "mode", "compression_level")
"""With one of these among a vector field's settings k-NN chooses the engine that fits."""


@dataclass(frozen=True, slots=True)
class SemanticTranslation:
    """``edits`` put fields that the cluster knows in the place of ``semantic`` ones.

    ``fields`` are the declarations as they are to be kept under `_meta.sidecar.fields`: what `read_declaration` reads,
    by the path of the vector. Both are empty where the mapping has no such field, or none with a model that is served.
    Where ``fields`` is not empty the index needs ``index.knn``.
    """

    edits: list[Edit]
    fields: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class _Place:
    """A property of a mapping: the ``parent`` object that has it stands at the dotted ``path``, empty or with a dot at
    its end."""

    member: Member
    parent: Object
    path: str
    is_nested: bool


def translate_semantic(mappings: Object, data: bytes, embedder: NativeEmbedder) -> SemanticTranslation:
    """Translate the ``semantic`` fields of a mapping: the object that has ``properties``, inside the text ``data``.

    Fields of a model that is not served stay as they are, for a plugin that may know it.
    Raises: Refused where the plugin would refuse a parameter, and for a field inside a nested one.
    """
    edits: list[Edit] = []
    fields: dict[str, Mapping[str, Any]] = {}
    for place in _properties(mappings, data):
        field = place.member.value
        if not isinstance(field, Object) or not _has_type(field, SEMANTIC, data):
            continue
        given = _decoded(field, data)
        if given is None or not _is_served(given, embedder):
            continue
        path = place.path + place.member.key
        if place.is_nested:
            raise Refused(
                ILLEGAL_ARGUMENT, f"[{path}] can't be semantic: the sidecar has no such fields in nested ones"
            )
        parameters = read_semantic(path, place.member.key, given)
        dimensions = _dimensions(path, parameters, embedder)
        edits += _edits(place, field, parameters, dimensions)
        fields[_vector_path(place.path, parameters)] = _kept(path, parameters, dimensions, given)
    return SemanticTranslation(edits, fields)


def _properties(mappings: Object, data: bytes) -> Iterator[_Place]:
    waiting = [(mappings, "", False)]
    while waiting:
        node, path, is_nested = waiting.pop()
        properties = node.get("properties")
        if not isinstance(properties, Object):
            continue
        for member in properties.members:
            yield _Place(member, properties, path, is_nested)
            field = member.value
            if isinstance(field, Object):
                waiting.append((field, f"{path}{member.key}.", is_nested or _has_type(field, "nested", data)))


def _has_type(field: Object, name: str, data: bytes) -> bool:
    kind = field.get("type")
    return kind is not None and not field.has_doubles and kind.value(data) == name


def _decoded(field: Object, data: bytes) -> dict[str, Any] | None:
    try:
        value = plain(as_value(field, data))
    except NotJson:
        return None
    try:
        orjson.dumps(value)
    except TypeError as error:
        raise Refused(ILLEGAL_ARGUMENT, f"a semantic field has text that is no Unicode: {error}") from error
    assert isinstance(value, dict)
    return value


def _is_served(given: Mapping[str, Any], embedder: NativeEmbedder) -> bool:
    model, search_model = given.get(MODEL), given.get(SEARCH_MODEL)
    if not isinstance(model, str) or not embedder.serves(model):
        return False
    return not search_model or (isinstance(search_model, str) and embedder.serves(search_model))


def _dimensions(path: str, parameters: SemanticParameters, embedder: NativeEmbedder) -> int:
    dimensions = embedder.spec(parameters.model).dimensions
    if parameters.search_model is not None:
        others = embedder.spec(parameters.search_model).dimensions
        if others != dimensions:
            problem = f"{parameters.search_model} has {others} dimensions, and {parameters.model} {dimensions}"
            raise Refused(ILLEGAL_ARGUMENT, f"{SEARCH_MODEL} can't serve the semantic field at {path}: {problem}")
    return dimensions


def _edits(place: _Place, field: Object, parameters: SemanticParameters, dimensions: int) -> Iterator[Edit]:
    kind = field.get("type")
    assert kind is not None
    yield Edit(kind.start, kind.end, quoted(parameters.raw_type))
    yield from without_members(field, PARAMETERS)
    info = orjson.dumps(_info_field(parameters, dimensions))
    sibling = place.parent.get(parameters.info_name)
    if sibling is not None:
        # So the plugin does too: a mapping that was read from it has both.
        yield Edit(sibling.start, sibling.end, info)
    else:
        yield Edit(field.end, field.end, b"," + member_text(parameters.info_name, info))


def _info_field(parameters: SemanticParameters, dimensions: int) -> dict[str, Any]:
    vector = _vector_field(parameters.dense, dimensions)
    if parameters.chunkings is None:
        return {"properties": {EMBEDDING: vector, "model": _MODEL_FIELDS}}
    chunks = {"type": "nested", "properties": {CHUNK_TEXT: {"type": "text"}, EMBEDDING: vector}}
    return {"properties": {CHUNKS: chunks, "model": _MODEL_FIELDS}}


def _vector_field(dense: Mapping[str, Any], dimensions: int) -> dict[str, Any]:
    engine = {} if any(name in dense for name in _CHOOSES_ENGINE) else {"engine": "lucene"}
    method = {"name": "hnsw", **engine, **dense.get("method", {}), "space_type": "cosinesimil"}
    return {"type": "knn_vector", **dense, "dimension": dimensions, "method": method}


def _vector_path(parent: str, parameters: SemanticParameters) -> str:
    inner = EMBEDDING if parameters.chunkings is None else f"{CHUNKS}.{EMBEDDING}"
    return f"{parent}{parameters.info_name}.{inner}"


def _kept(path: str, parameters: SemanticParameters, dimensions: int, given: Mapping[str, Any]) -> Mapping[str, Any]:
    existing = Existing.KEEP if parameters.skip_existing else Existing.REPLACE
    kept: dict[str, Any] = {
        "source": path,
        "model": parameters.model,
        "dimension": dimensions,
        "existing_vector": existing.value,
        "semantic": given,
    }
    if parameters.search_model is not None:
        kept["search_model"] = parameters.search_model
    if parameters.chunkings is not None:
        kept["chunk_text"] = CHUNK_TEXT
        kept["chunking"] = [{"algorithm": one.algorithm, "parameters": one.parameters} for one in parameters.chunkings]
    return kept
