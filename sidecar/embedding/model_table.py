"""Which models there are: the table of names, and models that a user describes by ``model_properties``."""

from __future__ import annotations

import csv
import difflib
from collections.abc import Mapping
from importlib import resources
from typing import Any, cast

from sidecar.embedding.clip_names import clip_spec
from sidecar.embedding.model_properties import read_properties
from sidecar.embedding.model_spec import ModelSpec, Precision
from sidecar.errors import UnknownModel


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

    def knows(self, name: str) -> bool:
        """True for a name that needs no properties."""
        return self._known(name) is not None

    def resolve(self, name: str, properties: Mapping[str, Any] | None = None) -> ModelSpec:
        """The model of that name; with properties, the model they describe under that name.

        sentence-transformers models are also known without the part before the first ``/``.
        Raises: UnknownModel with the nearest names; InvalidArgument for properties that break a rule.
        """
        if properties is not None:
            return read_properties(name, properties, self._known)
        spec = self._known(name)
        if spec is None:
            near = difflib.get_close_matches(name, [*self._specs, *self._short_names], n=3, cutoff=0.5)
            hint = f" The nearest names are: {', '.join(near)}." if near else ""
            raise UnknownModel(
                f"there is no model named {name!r}.{hint} Any other model needs 'model_properties' that describe it"
            )
        return spec

    def _known(self, name: str) -> ModelSpec | None:
        return self._specs.get(name) or self._short_names.get(name) or clip_spec(name)
