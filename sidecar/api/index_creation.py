"""Makes an index from the settings that a client sends: for the route, and for jobs that need an index first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from sidecar.api.index_models import IndexDimensions, check_models
from sidecar.api.schemas.names import check_index_name
from sidecar.api.schemas.settings import SettingsLimits, parse_index_settings
from sidecar.config import Settings
from sidecar.embedding.model_table import ModelTable
from sidecar.opensearch.client import Cluster
from sidecar.opensearch.index_settings import IndexSettings
from sidecar.opensearch.index_states import IndexStates
from sidecar.opensearch.mapping_builder import build_index_body


class CreationParts(Protocol):
    """The parts of a sidecar that make indexes."""

    @property
    def settings(self) -> Settings:
        """The operator's bounds."""

    @property
    def cluster(self) -> Cluster:
        """Where indexes are made."""

    @property
    def states(self) -> IndexStates:
        """What is told that there is a new one."""

    @property
    def table(self) -> ModelTable:
        """The models that there are."""


@dataclass(frozen=True, slots=True)
class NewIndex:
    """What an index that is not there yet will be: its settings, complete, and the dimensions of its vectors."""

    settings: IndexSettings
    dimensions: IndexDimensions


def plan_index(body: dict[str, Any] | None, parts: CreationParts) -> NewIndex:
    """The index that the wire's settings describe, over the defaults; nothing is made.

    Raises: InvalidArgument, InvalidFieldName and UnknownModel, naming the key and the rule.
    """
    limits = SettingsLimits(parts.settings.max_replicas, parts.settings.max_ef_construction)
    settings = parse_index_settings(body, limits=limits, facts=parts.cluster.facts())
    return NewIndex(settings, check_models(settings, parts.table))


def make_index(index: str, new: NewIndex, parts: CreationParts) -> None:
    """Make it. Raises: InvalidIndexName; IndexAlreadyExists."""
    check_index_name(index)
    body = build_index_body(
        new.settings,
        new.dimensions.own,
        field_dimensions=new.dimensions.of_fields,
        version=parts.cluster.facts().version,
        max_fields=parts.settings.max_index_fields,
    )
    parts.cluster.create_index(index, body)
    parts.states.invalidate(index)
