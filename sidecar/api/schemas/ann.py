"""Which engines, spaces and stored forms of vectors of the k-NN plugin an index may use, by the cluster's version."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

from sidecar.errors import InvalidArgument
from sidecar.opensearch.client import ClusterFacts, Version
from sidecar.opensearch.index_settings import AnnParameters

# The first OpenSearch version whose engine has the space, for float vectors in HNSW graphs.
_SPACES: dict[str, dict[str, Version]] = {
    "lucene": {"l2": (2, 2, 0), "cosinesimil": (2, 2, 0), "innerproduct": (2, 13, 0)},
    "faiss": {"l2": (1, 2, 0), "innerproduct": (1, 2, 0), "cosinesimil": (2, 19, 0)},
}
# The first version whose engine has the encoder `sq`: in 7 bits a number for lucene, in 16 for faiss.
_ENCODER_SINCE: dict[str, Version] = {"lucene": (2, 16, 0), "faiss": (2, 13, 0)}
_ANN = "index_defaults.ann_parameters"
_ENGINE = f"{_ANN}.engine"
_SPACE = f"{_ANN}.space_type"
_TYPE = f"{_ANN}.data_type"
_ENCODER = f"{_ANN}.parameters.encoder"


def check_ann(ann: AnnParameters, facts: ClusterFacts) -> None:
    """Raises: InvalidArgument where the cluster can't index such vectors; it says what the cluster can."""
    engines = _engines(facts)
    if ann.engine not in engines:
        raise InvalidArgument(f"{_ENGINE}: {_why_not(ann.engine, facts)} Supported here: {', '.join(engines)}.")
    _check_space(ann, facts)
    _check_data_type(ann)
    if ann.encoder is not None:
        _check_encoder(ann, ann.encoder, facts)


def _check_space(ann: AnnParameters, facts: ClusterFacts) -> None:
    spaces = [name for name, since in _SPACES[ann.engine].items() if facts.version >= since]
    if ann.space_type not in spaces:
        near = difflib.get_close_matches(ann.space_type, spaces, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise InvalidArgument(
            f"{_SPACE}: the engine {ann.engine} of OpenSearch {_text(facts.version)} has no space "
            f"{ann.space_type!r}.{hint} It has: {', '.join(spaces)}."
        )


def _check_data_type(ann: AnnParameters) -> None:
    if ann.data_type == "float":
        return
    if ann.space_type != "cosinesimil":
        raise InvalidArgument(
            f"{_TYPE} is 'byte', which needs the space 'cosinesimil': vectors of bytes keep their direction, but lose "
            f"their length, on which {ann.space_type!r} depends."
        )
    if ann.engine != "lucene":
        # k-NN 2.19 and later bring faiss's vectors to length 1 for cosinesimil, which bytes can't have.
        raise InvalidArgument(f"{_TYPE} is 'byte', which needs the engine lucene; {ann.engine} has no cosine of bytes.")
    if ann.encoder is not None:
        raise InvalidArgument(f"{_ENCODER} makes vectors of floats smaller; leave it out where {_TYPE} is 'byte'.")


def _check_encoder(ann: AnnParameters, encoder: Mapping[str, Any], facts: ClusterFacts) -> None:
    if encoder.get("name") != "sq":
        raise InvalidArgument(f"{_ENCODER}.name must be 'sq', given: {encoder.get('name')!r}.")
    since = _ENCODER_SINCE[ann.engine]
    if facts.version < since:
        raise InvalidArgument(
            f"{_ENCODER}: the engine {ann.engine} has the encoder 'sq' since OpenSearch {_text(since)}; the cluster's "
            f"version is {_text(facts.version)}. Leave it out, or upgrade the cluster."
        )
    _check_keys(_ENCODER, encoder, ("name", "parameters"))
    parameters = encoder.get("parameters", {})
    if not isinstance(parameters, dict):
        raise InvalidArgument(f"{_ENCODER}.parameters must be an object.")
    if ann.engine == "faiss":
        _check_faiss_parameters(parameters)
    else:
        _check_lucene_parameters(parameters)


def _check_lucene_parameters(parameters: Mapping[str, Any]) -> None:
    name = f"{_ENCODER}.parameters"
    _check_keys(name, parameters, ("bits", "confidence_interval"))
    if not _is_whole(parameters.get("bits", 7), 7):
        raise InvalidArgument(f"{name}.bits must be 7 for the engine lucene, given: {parameters['bits']!r}.")
    interval = parameters.get("confidence_interval", 1.0)
    is_number = isinstance(interval, (int, float)) and not isinstance(interval, bool)
    if not is_number or not (interval == 0 or 0.9 <= interval <= 1):
        raise InvalidArgument(f"{name}.confidence_interval must be 0, or 0.9 to 1.0; given: {interval!r}.")


def _check_faiss_parameters(parameters: Mapping[str, Any]) -> None:
    name = f"{_ENCODER}.parameters"
    _check_keys(name, parameters, ("type", "clip", "bits"))
    if parameters.get("type", "fp16") != "fp16":
        raise InvalidArgument(f"{name}.type must be 'fp16' for the engine faiss, given: {parameters['type']!r}.")
    if not isinstance(parameters.get("clip", False), bool):
        raise InvalidArgument(f"{name}.clip must be true or false, given: {parameters['clip']!r}.")
    if not _is_whole(parameters.get("bits", 16), 16):
        raise InvalidArgument(f"{name}.bits must be 16 for the engine faiss, given: {parameters['bits']!r}.")


def _check_keys(name: str, value: Mapping[str, Any], known: tuple[str, ...]) -> None:
    unknown = next((key for key in value if key not in known), None)
    if unknown is not None:
        raise InvalidArgument(f"{name}: {unknown!r} is not a known key. Known keys: {', '.join(known)}.")


def _is_whole(value: object, number: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value == number


def _engines(facts: ClusterFacts) -> tuple[str, ...]:
    return ("lucene",) if facts.is_embedded else tuple(_SPACES)


def _why_not(engine: str, facts: ClusterFacts) -> str:
    if engine == "faiss" and facts.is_embedded:
        return "the embedded OpenSearch has no faiss library; set OPENSEARCH_URL to a full OpenSearch for it."
    if engine == "nmslib" and facts.version >= (3, 0, 0):
        return "OpenSearch 3 and later make no indexes with nmslib."
    if engine == "nmslib":
        return "nmslib can't filter while it searches, and OpenSearch 3 has dropped it."
    return f"{engine!r} is not an engine."


def _text(version: Version) -> str:
    return ".".join(map(str, version))
