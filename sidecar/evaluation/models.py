"""The models of an evaluation: those of the table, and those that the user describes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sidecar.embedding.model_spec import ModelSpec
from sidecar.embedding.model_table import ModelTable
from sidecar.evaluation.results import Choice

Properties = Mapping[str, Any]


class Models:
    """Finds the model of a choice; ``properties`` describe models that are not in the table, by their names."""

    def __init__(self, table: ModelTable, properties: Mapping[str, Properties]) -> None:
        self._table = table
        self._properties = properties

    def spec(self, choice: Choice) -> ModelSpec:
        """The model as it is run. Raises: UnknownModel with the nearest names; InvalidArgument."""
        assert choice.model is not None
        return self._table.resolve(choice.model, self._properties_of(choice))

    def settings(self, choice: Choice) -> dict[str, Any]:
        """The part of an index's settings that names the model."""
        properties = self._properties_of(choice)
        return (
            {"model": choice.model} if properties is None else {"model": choice.model, "model_properties": properties}
        )

    def _properties_of(self, choice: Choice) -> dict[str, Any] | None:
        """What differs from the model by its name alone; None for nothing."""
        assert choice.model is not None
        own = self._properties.get(choice.model)
        plain = self._table.resolve(choice.model, own)
        changed: dict[str, Any] = {}
        if choice.precision not in (None, plain.precision):
            changed["precision"] = choice.precision
        if choice.max_tokens not in (None, plain.max_tokens):
            changed["tokens"] = choice.max_tokens
        if own is None and not changed:
            return None
        return {**({"name": choice.model} if own is None else own), **changed}
