"""The parameters of one ``semantic`` field, checked as the neural-search plugin checks them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sidecar.native.declarations.chunking import FIXED_TOKEN_LENGTH, read_chunking
from sidecar.native.declarations.declaration import Chunking
from sidecar.native.errors import ILLEGAL_ARGUMENT, MAPPER_PARSING, Refused

# Names and rules are those of the plugin (3.3): `SemanticFieldMapper`, `SemanticMappingUtils`,
# `SemanticInfoConfigBuilder`.
MODEL: Final = "model_id"
SEARCH_MODEL: Final = "search_model_id"
RAW_TYPE: Final = "raw_field_type"
INFO_NAME: Final = "semantic_info_field_name"
CHUNKING: Final = "chunking"
DENSE: Final = "dense_embedding_config"
SKIP_EXISTING: Final = "skip_existing_embedding"
ANALYZER: Final = "semantic_field_search_analyzer"
SPARSE: Final = "sparse_encoding_config"
PARAMETERS: Final = frozenset(
    {MODEL, SEARCH_MODEL, RAW_TYPE, INFO_NAME, CHUNKING, DENSE, SKIP_EXISTING, ANALYZER, SPARSE}
)
"""Those that the field itself has; all others are of its raw type."""
_RAW_TYPES = ("text", "keyword", "match_only_text", "wildcard", "token_count", "binary")
_FIXED = ("dimension", "data_type", "space_type")
_SUFFIX = "_semantic_info"


@dataclass(frozen=True, slots=True)
class SemanticParameters:
    """A ``semantic`` field named ``name``; ``chunkings`` is None where it is embedded whole.

    ``dense`` are the client's own settings of the vector field.
    """

    name: str
    model: str
    search_model: str | None
    raw_type: str
    info_name: str
    chunkings: tuple[Chunking, ...] | None
    dense: Mapping[str, Any]
    skip_existing: bool


def read_semantic(path: str, name: str, given: Mapping[str, Any]) -> SemanticParameters:
    """The parameters of the field at a dotted path, whose key is ``name``; its model is served.

    Raises: Refused, as the plugin does.
    """
    search_model = given.get(SEARCH_MODEL)
    for parameter in (SPARSE, ANALYZER):
        if given.get(parameter) is not None:
            problem = f"because the dense(text embedding) model cannot support {parameter}"
            raise _not_transformed(path, f"Cannot build the semantic info config {problem}")
    if search_model == "":
        raise _unparsable(f"{SEARCH_MODEL} can not be empty string in semantic field {name}")
    raw_type = given.get(RAW_TYPE, "text")
    if raw_type not in _RAW_TYPES:
        raise _unparsable(f"{RAW_TYPE} {raw_type} is not supported. It should be one of [{', '.join(_RAW_TYPES)}]")
    skip_existing = given.get(SKIP_EXISTING, False)
    if not isinstance(skip_existing, bool):
        raise _unparsable(f"Failed to parse value [{skip_existing}] as only [true] or [false] are allowed.")
    return SemanticParameters(
        name=name,
        model=given[MODEL],
        search_model=search_model,
        raw_type=raw_type,
        info_name=_info_name(path, name, given),
        chunkings=_chunkings(given.get(CHUNKING)),
        dense=_dense(path, given.get(DENSE)),
        skip_existing=skip_existing,
    )


def _info_name(path: str, name: str, given: Mapping[str, Any]) -> str:
    if INFO_NAME not in given:
        return name + _SUFFIX
    own = given[INFO_NAME]
    if not isinstance(own, str):
        raise Refused(ILLEGAL_ARGUMENT, f"{INFO_NAME} should be a non-empty string for the semantic field at {path}")
    if not own:
        raise Refused(ILLEGAL_ARGUMENT, f"{INFO_NAME} cannot be an empty string for the semantic field at {path}")
    if "." in own:
        raise Refused(ILLEGAL_ARGUMENT, f"{INFO_NAME} should not contain '.' for the semantic field at {path}")
    # A key with dots is a path: its last part is the field's name.
    parent, dot, _ = name.rpartition(".")
    return parent + dot + own


def _chunkings(given: Any) -> tuple[Chunking, ...] | None:
    if given is None or given is False:
        return None
    if given is True:
        return (read_chunking(FIXED_TOKEN_LENGTH, {}),)
    if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
        raise _unparsable(f"[{CHUNKING}] must be either a List of Maps or a Boolean")
    return tuple(_chunking(one) for one in given)


def _chunking(given: Mapping[str, Any]) -> Chunking:
    if unknown := given.keys() - {"algorithm", "parameters"}:
        raise _unparsable(f"[{CHUNKING}] does not support parameters [[{', '.join(sorted(unknown))}]]")
    algorithm, parameters = given.get("algorithm"), given.get("parameters")
    if not isinstance(algorithm, str):
        raise _unparsable("[algorithm] is required to configure the chunking strategy.")
    if parameters is not None and not isinstance(parameters, dict):
        raise _unparsable(f"parameters in {CHUNKING} should be a Map.")
    return read_chunking(algorithm, parameters or {})


def _dense(path: str, given: Any) -> Mapping[str, Any]:
    if given is None:
        return {}
    if not isinstance(given, dict):
        raise _unparsable(f"[{DENSE}] must be an object")
    method = given.get("method", {})
    if not isinstance(method, dict):
        raise _not_transformed(
            path, "Cannot build the semantic info config because method must be a Map when provided."
        )
    for name in _FIXED:
        if given.get(name) is not None or (name == "space_type" and method.get(name) is not None):
            raise _not_transformed(path, f"Cannot configure {name} in {DENSE} in the semantic field.")
    if given.get("type", "knn_vector") != "knn_vector":
        raise _not_transformed(path, f"Cannot configure type in {DENSE} in the semantic field.")
    return given


def _unparsable(reason: str) -> Refused:
    return Refused(MAPPER_PARSING, f"Failed to parse mapping [_doc]: {reason}")


def _not_transformed(path: str, reason: str) -> Refused:
    problem = f"Failed to transform the mapping for the semantic field at {path} due to {reason}"
    return Refused(ILLEGAL_ARGUMENT, problem)
