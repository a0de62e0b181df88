"""Which models there are: the table of names, and models that a user describes by ``model_properties``."""

from __future__ import annotations

import csv
import difflib
from collections.abc import Mapping
from dataclasses import replace
from importlib import resources
from typing import Any, cast

from sidecar.embedding.kinds import NO_MODEL, property_types
from sidecar.embedding.model_spec import ModelSpec, Precision
from sidecar.errors import InvalidArgument, UnknownModel

DEFAULT_TOKENS = 128
DEFAULT_TYPE = "sbert"
_PROPERTY_KEYS = {
    "name",
    "dimensions",
    "tokens",
    "type",
    "localpath",
    "model_size",
    "text_query_prefix",
    "text_chunk_prefix",
}


def read_table() -> dict[str, ModelSpec]:
    """The models known by name, in the table's order."""
    text = resources.files("sidecar.embedding").joinpath("models.csv").read_text(encoding="utf-8")
    return {row["name"]: _from_row(row) for row in csv.DictReader(text.splitlines())}


def _from_row(row: Mapping[str, str]) -> ModelSpec:
    return ModelSpec(
        name=row["name"],
        loader=row["loader"],
        repository=row["repository"],
        dimensions=int(row["dimensions"]),
        max_tokens=int(row["max_tokens"]),
        text_query_prefix=row["text_query_prefix"] or None,
        text_chunk_prefix=row["text_chunk_prefix"] or None,
        precision=cast(Precision, row["precision"]),
    )


def first_prefix(*candidates: str | None) -> str:
    """The prefix that holds: the first that is not None, where an empty one switches prefixes off; else none."""
    return next((prefix for prefix in candidates if prefix is not None), "")


class ModelTable:
    """Finds the model that a name, or a name with properties, stands for."""

    def __init__(self) -> None:
        self._specs = read_table()
        self._short_names = {
            spec.name.split("/", 1)[1]: spec
            for spec in self._specs.values()
            if spec.loader == "sbert" and "/" in spec.name
        }

    def names(self) -> list[str]:
        """Every name of the table."""
        return list(self._specs)

    def resolve(self, name: str, properties: Mapping[str, Any] | None = None) -> ModelSpec:
        """The model of that name; with properties, the model they describe under that name.

        sentence-transformers models are also known without the part before the first ``/``.
        Raises: UnknownModel with the nearest names; InvalidArgument for properties that break a rule.
        """
        if properties is not None:
            return self._described(name, properties)
        spec = self._known(name)
        if spec is None:
            near = difflib.get_close_matches(name, [*self._specs, *self._short_names], n=3, cutoff=0.5)
            hint = f" The nearest names are: {', '.join(near)}." if near else ""
            raise UnknownModel(
                f"there is no model named {name!r}.{hint} Any other model needs 'model_properties' that describe it"
            )
        return spec

    def _known(self, name: str) -> ModelSpec | None:
        return self._specs.get(name) or self._short_names.get(name)

    def _described(self, name: str, properties: Mapping[str, Any]) -> ModelSpec:
        _check_keys(name, properties)
        base = self._known(str(properties.get("name", "")))
        dimensions = properties.get("dimensions", base.dimensions if base else None)
        if not _is_positive_int(dimensions):
            raise InvalidArgument(
                f"model_properties of model {name!r}: 'dimensions' must be an integer greater than 0, "
                f"given: {dimensions!r}"
            )
        loader = properties.get("type") or (base.loader if base else _default_type(name))
        if loader not in property_types():
            raise InvalidArgument(
                f"model_properties of model {name!r}: 'type' must be one of {', '.join(property_types())}, "
                f"given: {loader!r}"
            )
        tokens = properties.get("tokens", base.max_tokens if base else DEFAULT_TOKENS)
        if not _is_positive_int(tokens):
            raise InvalidArgument(f"model_properties of model {name!r}: 'tokens' must be an integer greater than 0")
        repository = _repository(name, loader, properties, base)
        spec = ModelSpec(name, loader, repository, dimensions, tokens)
        size = properties.get("model_size")
        if size is not None and (isinstance(size, bool) or not isinstance(size, (int, float)) or size <= 0):
            raise InvalidArgument(f"model_properties of model {name!r}: 'model_size' must be gigabytes above 0")
        return replace(
            spec,
            text_query_prefix=_prefix(name, properties, "text_query_prefix", base),
            text_chunk_prefix=_prefix(name, properties, "text_chunk_prefix", base),
            size_gigabytes=size,
        )


def _default_type(name: str) -> str:
    return NO_MODEL if name == NO_MODEL else DEFAULT_TYPE


def _check_keys(name: str, properties: Mapping[str, Any]) -> None:
    known = {"dimensions"} if name == NO_MODEL else _PROPERTY_KEYS
    for key in properties:
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else f" Known: {', '.join(sorted(known))}."
            raise InvalidArgument(f"model_properties of model {name!r}: {key!r} is not a known property.{hint}")


def _repository(name: str, loader: str, properties: Mapping[str, Any], base: ModelSpec | None) -> str:
    if loader in ("random", NO_MODEL):
        return ""
    source = properties.get("localpath") or (base.repository if base else properties.get("name"))
    if not isinstance(source, str) or not source:
        raise InvalidArgument(
            f"model_properties of model {name!r}: 'name' must be the model's name on the hub, or 'localpath' its folder"
        )
    return source


def _prefix(name: str, properties: Mapping[str, Any], key: str, base: ModelSpec | None) -> str | None:
    value = properties.get(key, getattr(base, key) if base else None)
    if value is not None and not isinstance(value, str):
        raise InvalidArgument(f"model_properties of model {name!r}: {key!r} must be a string or null")
    return value


def _is_positive_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0
