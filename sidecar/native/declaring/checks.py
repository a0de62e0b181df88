"""What clients may say of an embedded field under `_meta.sidecar.fields`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sidecar.embedding.kinds import NO_MODEL, RERANKERS
from sidecar.embedding.model_options import TEXT_KINDS
from sidecar.embedding.model_spec import ModelSpec
from sidecar.errors import InvalidArgument
from sidecar.native.declarations.declaration import Existing, Kind
from sidecar.native.declarations.stored import FIELDS_KEY, read_sources
from sidecar.native.embedder import NativeEmbedder
from sidecar.native.errors import ILLEGAL_ARGUMENT, MAPPER_PARSING, Refused
from sidecar.opensearch.mapping_builder import META_KEY

OPTIONS = ("source", "model", "kind", "existing_vector", "dimension")
"""What a declaration may say."""
# Of declarations that this face made of `semantic` fields: a copied mapping has them.
_SEMANTIC_OPTIONS = ("search_model", "chunking", "chunk_text", "semantic")
_SOURCE_OPTIONS = ("field", "kind", "weight")


@dataclass(frozen=True, slots=True)
class Declared:
    """A declaration that keeps the rules: the client's ``entry``, and the dimensions of its model."""

    path: str
    entry: Mapping[str, Any]
    dimensions: int


def check_declaration(path: str, entry: Any, embedder: NativeEmbedder) -> Declared:
    """A declaration as a client sent it. Raises: Refused, naming the place and the rule."""
    if "" in path.split(".") or not _is_text(path):
        raise _refused(path, "is no path of a field")
    if not isinstance(entry, dict):
        raise _refused(path, "must be an object of 'source' and 'model', or null to withdraw it")
    _check_keys(path, entry, (*OPTIONS, *_SEMANTIC_OPTIONS))
    _check_choice(path, entry, "existing_vector", [one.value for one in Existing])
    kinds = _check_sources(path, entry)
    spec = _check_model(path, entry.get("model"), kinds, embedder)
    given = entry.get("dimension", spec.dimensions)
    if str(given) != str(spec.dimensions):
        raise wrong_dimension(path, given, spec.name, spec.dimensions)
    return Declared(path, entry, spec.dimensions)


def is_same_origin(stored: Any, entry: Mapping[str, Any], embedder: NativeEmbedder) -> bool:
    """True where a stored declaration computes its vector from the same content by the same model as another."""
    try:
        if read_sources(stored) != read_sources(entry):
            return False
        return stored["model"] == entry["model"] or embedder.spec(stored["model"]) == embedder.spec(entry["model"])
    except (InvalidArgument, KeyError, TypeError, ValueError, AttributeError):
        return False


def wrong_dimension(path: str, given: Any, model: str, dimensions: int) -> Refused:
    """The vector field has room for other vectors than the model makes."""
    return Refused(
        MAPPER_PARSING, f"[{path}] has dimension [{given}], but vectors of model [{model}] have [{dimensions}]"
    )


def _is_text(path: str) -> bool:
    return path.encode("utf-8", "replace").decode("utf-8") == path


def _check_sources(path: str, entry: Mapping[str, Any]) -> set[Kind]:
    """The kinds of content that are embedded."""
    given = entry.get("source")
    if isinstance(given, str):
        _check_source_field(path, given)
        _check_choice(path, entry, "kind", [kind.value for kind in Kind])
        return {Kind(entry.get("kind", Kind.TEXT.value))}
    if not isinstance(given, list) or not given:
        raise _refused(path, "needs a 'source': the path of a field, or a list of {field, kind, weight}")
    if "kind" in entry:
        raise _refused(path, "has a list of sources, so 'kind' belongs to each of them")
    for one in given:
        if not isinstance(one, dict):
            raise _refused(path, "has a source that is no object of 'field', 'kind' and 'weight'")
        _check_keys(path, one, _SOURCE_OPTIONS)
        _check_source_field(path, one.get("field"))
        _check_choice(path, one, "kind", [kind.value for kind in Kind])
        _check_weight(path, one.get("weight", 1.0))
    if len({one["field"] for one in given}) < len(given):
        raise _refused(path, "has a source twice")
    return {Kind(one.get("kind", Kind.TEXT.value)) for one in given}


def _check_source_field(path: str, field: Any) -> None:
    if not isinstance(field, str) or "" in field.split("."):
        raise _refused(path, f"has a source [{field}] that is no path of a field")
    if field == path or field.startswith(f"{path}."):
        raise _refused(path, "can't be its own source")


def _check_weight(path: str, weight: Any) -> None:
    is_number = isinstance(weight, (int, float)) and not isinstance(weight, bool)
    if not is_number or not math.isfinite(weight) or weight == 0:
        raise _refused(path, f"has a source of weight [{weight}]; it must be a number other than 0")


def _check_model(path: str, model: Any, kinds: set[Kind], embedder: NativeEmbedder) -> ModelSpec:
    if not isinstance(model, str) or not model:
        raise _refused(path, "needs a 'model': the name of one")
    try:
        spec = embedder.spec(model)
    except InvalidArgument as error:
        raise _refused(path, f"can't be embedded: {error.message}") from error
    if spec.loader == NO_MODEL or spec.loader in RERANKERS:
        raise _refused(path, f"can't be embedded: model [{model}] makes no vectors")
    if Kind.IMAGE in kinds and spec.loader in TEXT_KINDS:
        raise _refused(path, f"can't be embedded: model [{model}] embeds no images")
    return spec


def _check_keys(path: str, given: Mapping[str, Any], known: tuple[str, ...]) -> None:
    unknown = [key for key in given if key not in known]
    if unknown:
        raise _refused(path, f"has an unknown option [{unknown[0]}]; there are {', '.join(known)}")


def _check_choice(path: str, given: Mapping[str, Any], key: str, choices: list[str]) -> None:
    if key in given and given[key] not in choices:
        raise _refused(path, f"has [{given[key]}] as '{key}'; it must be {' or '.join(choices)}")


def _refused(path: str, rule: str) -> Refused:
    reason = f"[_meta.{META_KEY}.{FIELDS_KEY}.{path}] {rule}"
    # JSON text can have unpaired surrogates; an answer can't.
    return Refused(ILLEGAL_ARGUMENT, reason.encode("utf-8", "replace").decode("utf-8"))
