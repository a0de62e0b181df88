"""Models that a user describes by ``model_properties``: read, checked, and written again."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from sidecar.embedding.archives import SUFFIXES
from sidecar.embedding.clip_weights import HUB_PREFIX
from sidecar.embedding.kinds import ENDPOINT, LOADERS, NO_MODEL, plugins, property_types
from sidecar.embedding.model_locations import LOCATION_KEYS, as_location_properties, read_location
from sidecar.embedding.model_options import CLIP_KINDS, OPTION_KEYS, SHARED_KEYS, TEXT_KINDS, read_options
from sidecar.embedding.model_spec import PRECISIONS, ModelSpec, Precision, as_options
from sidecar.errors import InvalidArgument

DEFAULT_TOKENS = 128
CLIP_TOKENS = 77
DEFAULT_TYPE = "sbert"
ALIASES = {"onnx": "sbert_onnx"}
_PRECISION_ALIASES: dict[str, Precision] = {"fp32": "float32", "fp16": "float16"}
_PREFIXES = ("text_query_prefix", "text_chunk_prefix")
_COMMON = tuple(key for key in SHARED_KEYS if key != "precision")

FindKnown = Callable[[str], "ModelSpec | None"]
"""The model of the table with that name."""


@dataclass(frozen=True, slots=True)
class _Given:
    """The properties of one model, and what is known beside them."""

    name: str
    values: Mapping[str, Any]
    kind: str
    base: ModelSpec | None

    @property
    def where(self) -> str:
        return f"model_properties of model {self.name!r}"


def read_properties(name: str, properties: Mapping[str, Any], known: FindKnown) -> ModelSpec:
    """The model that the properties describe under that name.

    Where ``name`` among them is one of the table, what they do not say is as there. A text model of which they say
    neither its name nor a place is the hub's of the name it goes by.
    Raises: InvalidArgument naming the property and the rule.
    """
    named = properties.get("name") if any(key in properties for key in ("name", *LOCATION_KEYS)) else name
    base = known(named) if isinstance(named, str) else None
    given = _Given(name, properties, _kind(name, properties, base), base)
    _check_keys(given)
    _check_name(given)
    options = read_options(given.kind, given.where, properties)
    # An endpoint's `url` is where it is asked, not where files lie.
    location = {"url": properties["url"]} if given.kind == ENDPOINT else read_location(given.where, properties)
    repository = _repository(given, location)
    if location.keys() == {"path"} and not _stays_a_location(given.kind, location["path"]):
        repository, location = location["path"], {}
    return ModelSpec(
        name=name,
        loader=given.kind,
        repository=repository,
        dimensions=_positive(given, "dimensions", base.dimensions if base else None),
        max_tokens=_positive(given, "tokens", base.max_tokens if base else _default_tokens(given.kind)),
        text_query_prefix=_prefix(given, _PREFIXES[0], base.text_query_prefix if base else None),
        text_chunk_prefix=_prefix(given, _PREFIXES[1], base.text_chunk_prefix if base else None),
        size_gigabytes=_size(given),
        precision=_precision(given),
        location=as_options(location),
        options=as_options(options),
    )


def as_properties(spec: ModelSpec) -> dict[str, Any]:
    """Properties that describe the model: `read_properties` makes a model of the same identity of them."""
    location: dict[str, Any] = orjson.loads(spec.location) if spec.location else {}
    properties = {
        "type": spec.loader,
        "dimensions": spec.dimensions,
        "tokens": spec.max_tokens,
        **as_location_properties(location),
        **(orjson.loads(spec.options) if spec.options else {}),
    }
    if spec.loader == NO_MODEL:
        return {"type": NO_MODEL, "dimensions": spec.dimensions}
    if spec.repository:
        properties["name"] = spec.repository
    if spec.loader in (*TEXT_KINDS, *CLIP_KINDS):
        properties["precision"] = spec.precision
    if spec.size_gigabytes is not None:
        properties["model_size"] = spec.size_gigabytes
    return properties


def _kind(name: str, properties: Mapping[str, Any], base: ModelSpec | None) -> str:
    if name == NO_MODEL:
        return NO_MODEL
    given = properties.get("type") or (base.loader if base else DEFAULT_TYPE)
    kind = ALIASES.get(given, given) if isinstance(given, str) else given
    if kind not in property_types():
        near = difflib.get_close_matches(str(kind), property_types(), n=1)
        hint = f". Did you mean {near[0]!r}?" if near else ""
        raise InvalidArgument(
            f"model_properties of model {name!r}: 'type' must be one of {', '.join(property_types())}, "
            f"given: {given!r}{hint}"
        )
    assert isinstance(kind, str)
    return kind


def _check_keys(given: _Given) -> None:
    if given.kind in plugins():
        return
    allowed = _allowed(given.kind)
    for key in given.values:
        if key in allowed:
            continue
        kinds = [kind for kind in LOADERS if key in _allowed(kind)]
        if kinds and given.kind != NO_MODEL:
            raise InvalidArgument(
                f"{given.where}: {key!r} is a property of models of type {', '.join(kinds)}, not of {given.kind!r}"
            )
        near = difflib.get_close_matches(str(key), allowed, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else f" Known: {', '.join(sorted(allowed))}."
        raise InvalidArgument(f"{given.where}: {key!r} is not a known property.{hint}")


def _allowed(kind: str) -> tuple[str, ...]:
    if kind == NO_MODEL:
        return ("dimensions", "type")
    own = OPTION_KEYS.get(kind, ())
    if kind in (*TEXT_KINDS, *CLIP_KINDS):
        return (*_COMMON, *LOCATION_KEYS, "precision", *own)
    return (*_COMMON, *own)


def _check_name(given: _Given) -> None:
    name = given.values.get("name")
    if name is not None and (not isinstance(name, str) or not name):
        raise InvalidArgument(f"{given.where}: 'name' must be a string that is not empty")
    places = [key for key in LOCATION_KEYS if given.values.get(key) is not None]
    # The name of a table's model stands for what the table says of it, beside the place of the files.
    if given.kind == "hf" and name and places and given.base is None:
        raise InvalidArgument(
            f"{given.where}: a model of type hf takes its files from one place; leave out 'name' or {places[0]!r}"
        )


def _repository(given: _Given, location: Mapping[str, Any]) -> str:
    name: str = given.values.get("name") or ""
    if given.kind in ("random", NO_MODEL):
        return ""
    if given.kind == ENDPOINT:
        if not name and given.values.get("protocol", "openai") == "openai":
            raise InvalidArgument(f"{given.where}: 'name' must be the model's name at the endpoint")
        return name
    if given.kind in CLIP_KINDS:
        return _architecture(given, has_location=bool(location))
    if location:
        return ""
    if given.base is not None:
        return given.base.repository
    return name or (given.name if given.kind in LOADERS else "")


def _architecture(given: _Given, *, has_location: bool) -> str:
    """``ARCHITECTURE/TAG`` as open_clip names them, without the tag where the files lie elsewhere."""
    name: str = given.values.get("name") or ""
    if not name:
        raise InvalidArgument(f"{given.where}: 'name' must be the architecture, as 'ViT-B-32', or one of the table")
    if name.startswith(HUB_PREFIX):
        return name
    named = given.base.repository if given.base else name.removeprefix("open_clip/")
    architecture, _, tag = named.partition("/")
    if given.base is None and tag.split("@")[0].isdigit():
        # OpenAI's own spelling: ViT-B/32, ViT-L/14@336px.
        architecture, tag = f"{architecture}-{tag.replace('@', '-').removesuffix('px')}", ""
    if has_location:
        return architecture
    if not tag and given.kind != "clip":
        raise InvalidArgument(
            f"{given.where}: the architecture {name!r} has no weights of its own; give 'name' as ARCHITECTURE/TAG (as "
            "ViT-B-32/laion2b_s34b_b79k), or the weights' place by 'localpath', 'url' or 'model_location'"
        )
    return f"{architecture}/{tag or 'openai'}"


def _stays_a_location(kind: str, path: str) -> bool:
    # A text model's folder stands where its repository's name would, as the vectors of earlier versions have it.
    return kind not in TEXT_KINDS or path.lower().endswith(SUFFIXES)


def _positive(given: _Given, key: str, default: int | None) -> int:
    value = given.values.get(key, default)
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return value
    if value is None:
        raise InvalidArgument(f"{given.where}: {key!r} is missing; it must be an integer greater than 0")
    raise InvalidArgument(f"{given.where}: {key!r} must be an integer greater than 0, given: {value!r}")


def _default_tokens(kind: str) -> int:
    return CLIP_TOKENS if kind in CLIP_KINDS else DEFAULT_TOKENS


def _prefix(given: _Given, key: str, default: str | None) -> str | None:
    value = given.values.get(key, default)
    if value is not None and not isinstance(value, str):
        raise InvalidArgument(f"{given.where}: {key!r} must be a string or null")
    return value


def _size(given: _Given) -> float | None:
    size = given.values.get("model_size")
    if size is not None and (isinstance(size, bool) or not isinstance(size, (int, float)) or size <= 0):
        raise InvalidArgument(f"{given.where}: 'model_size' must be gigabytes above 0")
    return size


def _precision(given: _Given) -> Precision:
    default = "float16" if given.kind == "fp16_clip" else "float32"
    value = given.values.get("precision") or (given.base.precision if given.base else default)
    for precision in PRECISIONS:
        if isinstance(value, str) and precision == _PRECISION_ALIASES.get(value, value):
            return precision
    raise InvalidArgument(f"{given.where}: 'precision' must be one of {', '.join(PRECISIONS)}, given: {value!r}")
