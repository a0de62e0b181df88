"""What the options of ``sidecar migrate NAME`` mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from sidecar.errors import InvalidArgument, reason_of
from sidecar.ingest.migration.changed_settings import Changes

_SETTINGS = {
    "model": ("index_defaults", "model"),
    "space_type": ("index_defaults", "ann_parameters", "space_type"),
    "ef_construction": ("index_defaults", "ann_parameters", "parameters", "ef_construction"),
    "m": ("index_defaults", "ann_parameters", "parameters", "m"),
    "split_length": ("index_defaults", "text_preprocessing", "split_length"),
    "split_overlap": ("index_defaults", "text_preprocessing", "split_overlap"),
    "split_method": ("index_defaults", "text_preprocessing", "split_method"),
    "shards": ("number_of_shards",),
    "replicas": ("number_of_replicas",),
}
"""The place of an option's value among the settings of an index."""


@dataclass(frozen=True)
class Asked:
    """The options of `sidecar migrate NAME`, by their names there."""

    name: str
    model: str | None
    model_properties: str | None
    precision: str | None
    settings: Path | None
    shards: int | None
    replicas: int | None
    ef_construction: int | None
    m: int | None
    space_type: str | None
    split_length: int | None
    split_overlap: int | None
    split_method: str | None
    add_tensor_field: tuple[str, ...]
    weights: str | None
    keep_unembeddable: bool
    rate: float | None
    sample_queries: Path | None
    query: tuple[str, ...]
    min_overlap: float | None
    min_recall: float
    yes: bool
    no_switch: bool
    resume: bool
    json: bool

    def changes(self) -> Changes:
        """What is to be otherwise. Raises: InvalidArgument for a file or JSON text that can't be read."""
        settings = {} if self.settings is None else read_object("--settings", str(self.settings))
        for option, path in _SETTINGS.items():
            value = getattr(self, option)
            if value is not None:
                _put(settings, path, value)
        if self.model_properties is not None:
            value = read_object("--model-properties", self.model_properties)
            _put(settings, ("index_defaults", "model_properties"), value)
        weights = {} if self.weights is None else read_object("--weights", self.weights)
        return Changes(settings, self.precision, self.add_tensor_field, _weights(weights), self.keep_unembeddable)

    def queries(self) -> list[str]:
        """The queries to compare. Raises: InvalidArgument for a file that can't be read."""
        lines: list[str] = []
        if self.sample_queries is not None:
            try:
                lines = self.sample_queries.read_text("utf-8").splitlines()
            except (OSError, UnicodeDecodeError) as error:
                raise InvalidArgument(
                    f"--sample-queries {self.sample_queries} can't be read: {reason_of(error)}."
                ) from error
        return [line.strip() for line in (*self.query, *lines) if line.strip()]


def read_object(option: str, given: str) -> dict[str, Any]:
    """The JSON object that an option names: its own text, or that of a file. Raises: InvalidArgument."""
    try:
        text = given if given.lstrip().startswith("{") else Path(given).read_text("utf-8")
        value = orjson.loads(text)
    except (OSError, ValueError) as error:
        raise InvalidArgument(f"{option} is neither a JSON object nor a file with one: {reason_of(error)}.") from error
    if not isinstance(value, dict):
        raise InvalidArgument(f"{option} must be a JSON object.")
    return value


def _put(settings: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    for key in path[:-1]:
        inner = settings.setdefault(key, {})
        if not isinstance(inner, dict):
            raise InvalidArgument(f"--settings: {key} must be an object.")
        settings = inner
    settings[path[-1]] = value


def _weights(given: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    for field, weights in given.items():
        numbers = weights.values() if isinstance(weights, dict) else [None]
        if not all(isinstance(number, (int, float)) and not isinstance(number, bool) for number in numbers):
            raise InvalidArgument(f"--weights: field {field!r} must have an object with a number for each sub-field.")
    return {field: {sub: float(number) for sub, number in weights.items()} for field, weights in given.items()}
