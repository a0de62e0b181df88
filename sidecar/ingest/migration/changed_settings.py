"""The settings of the new index: those of the old one, with what is to be otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sidecar.api.schemas.settings import SettingsLimits, parse_index_settings
from sidecar.config import Settings
from sidecar.opensearch.client import ClusterFacts
from sidecar.opensearch.index_settings import IndexSettings

_WHOLE = frozenset({"model_properties", "search_model_properties", "encoder"})
"""Objects that are taken as they are given; what the old index has in their place is nothing to them."""
_SEARCH_KEYS = ("search_model", "search_model_properties")


@dataclass(frozen=True)
class Changes:
    """What is to be otherwise in the new index.

    ``settings`` are in the wire's form, with what changes only; null brings a setting to its default. ``precision`` is
    that of the model. ``added`` fields are embedded from now on. ``weights`` has, for each field that is a
    multimodal_combination, the weight of each of its sub-fields, which the index does not keep. Where it
    ``keeps_unembeddable``, documents whose content can't be embedded come without those vectors.
    """

    settings: Mapping[str, Any] = field(default_factory=dict)
    precision: str | None = None
    added: tuple[str, ...] = ()
    weights: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    keeps_unembeddable: bool = False


def changed_settings(old: IndexSettings, changes: Changes, operator: Settings, facts: ClusterFacts) -> IndexSettings:
    """The settings of the new index, complete.

    Another model embeds queries too, unless ``changes`` name a search model.
    Raises: InvalidArgument as for the settings of any new index.
    """
    wire = old.to_wire()
    merged = _merged(wire, changes.settings)
    defaults = merged["index_defaults"]
    given = changes.settings.get("index_defaults") or {}
    if defaults.get("model") != old.model and "model_properties" not in given:
        defaults.pop("model_properties", None)
    if changes.precision is not None:
        defaults["model_properties"] = {**(defaults.get("model_properties") or {}), "precision": changes.precision}
    if not any(key in given for key in _SEARCH_KEYS) and _follows(old, defaults):
        for key in _SEARCH_KEYS:
            defaults.pop(key, None)
    return parse_index_settings(merged, limits=_limits(old, operator), facts=facts)


def _follows(old: IndexSettings, defaults: Mapping[str, Any]) -> bool:
    """True where the new model is to embed queries, whatever embedded them before."""
    is_one = (old.search_model, old.search_model_properties) == (old.model, old.model_properties)
    return is_one or defaults.get("model") != old.model


def _limits(old: IndexSettings, operator: Settings) -> SettingsLimits:
    """The operator's bounds, which what is there already may be beyond."""
    return SettingsLimits(
        max(operator.max_replicas, old.number_of_replicas),
        max(operator.max_ef_construction, old.ann_parameters.ef_construction),
    )


def _merged(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(old)
    for key, value in new.items():
        before = merged.get(key)
        if key == "field_models" and isinstance(value, dict):
            merged[key] = {**(before or {}), **value}
        elif isinstance(value, dict) and isinstance(before, dict) and key not in _WHOLE:
            merged[key] = _merged(before, value)
        else:
            merged[key] = value
    return merged
