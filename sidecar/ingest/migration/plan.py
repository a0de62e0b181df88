"""What a migration is to do: which index becomes what, and whether that can be done at all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from sidecar.api.index_models import IndexDimensions, check_models
from sidecar.embedding.kinds import NO_MODEL
from sidecar.embedding.loader import Modality
from sidecar.errors import InvalidArgument, NotASidecarIndex
from sidecar.indexing.names import check_field_name
from sidecar.ingest.migration.changed_settings import Changes, changed_settings
from sidecar.ingest.migration.field_choices import FieldChoices
from sidecar.ingest.migration.parts import MigrationParts
from sidecar.opensearch.concrete_index import ConcreteIndex, find_index
from sidecar.opensearch.index_settings import IndexSettings
from sidecar.opensearch.index_state import IndexState
from sidecar.opensearch.mapping_builder import COMBINATION, CUSTOM_VECTOR

_TEXT_TYPES = frozenset({"text", "keyword", "match_only_text", "wildcard", "constant_keyword"})


@dataclass(frozen=True)
class Plan:
    """``name`` is the user's, an index or an alias of one; ``old`` is that index, ``state`` what the sidecar knows of
    it. ``settings`` and ``dimensions`` are those of the new one. ``remade`` are the fields of the old index whose
    vectors a model must make anew."""

    name: str
    old: ConcreteIndex
    state: IndexState
    settings: IndexSettings
    dimensions: IndexDimensions
    changes: Changes
    remade: tuple[str, ...]

    def dimensions_of(self, field: str) -> int:
        """The dimensions of the field's vectors in the new index."""
        return self.dimensions.of_fields.get(field, self.dimensions.own)


def make_plan(parts: MigrationParts, name: str, changes: Changes) -> Plan:
    """The plan for an index as it is now; nothing is changed, but the models that it needs are loaded.

    Raises: IndexNotFound; InvalidArgument where it can't be done, or nothing would change; what loading a model raises.
    """
    old = find_index(parts.cluster, name)
    try:
        state = parts.states.get(old.name, is_fresh=True)
    except NotASidecarIndex as error:
        raise InvalidArgument(
            f"Index {old.name!r} was not made by the /indexes API, so that it has no settings that could change. For "
            f"another model declare a new vector beside the old one: sidecar migrate backfill --index {name} --field "
            "NEW_VECTOR --source FIELD --model MODEL, and search by that."
        ) from error
    state = replace(state, settings=_actual(state.settings, old))
    settings = changed_settings(state.settings, changes, parts.settings, parts.cluster.facts())
    dimensions = check_models(settings, parts.table)
    choices = FieldChoices(state.settings, settings, parts.table)
    remade = tuple(
        field for field in state.embedded_fields if state.kind_of(field) != CUSTOM_VECTOR and not choices.is_kept(field)
    )
    plan = Plan(name, old, state, settings, dimensions, changes, remade)
    _check_index(plan)
    _check_added(plan)
    _check_fields(plan)
    _check_models(plan, parts)
    return plan


def _actual(settings: IndexSettings, old: ConcreteIndex) -> IndexSettings:
    """The settings with the numbers of shards and replicas that the index has by now."""
    return replace(
        settings,
        number_of_shards=int(old.settings["index.number_of_shards"]),
        number_of_replicas=int(old.settings.get("index.number_of_replicas", settings.number_of_replicas)),
    )


def _check_index(plan: Plan) -> None:
    changes = plan.changes
    if plan.settings == plan.state.settings and not changes.added and plan.state.stores_vectors:
        raise InvalidArgument(f"Nothing would change in {plan.name!r}. Give --model, --shards, or what is to change.")
    if plan.old.is_write_blocked:
        raise InvalidArgument(
            f"Index {plan.old.name!r} takes no writes (index.blocks.write). Lift that block first: a migration blocks "
            "writes itself where it has to."
        )
    source = plan.old.mapping.get("_source", {})
    if source.get("enabled") is False or source.get("includes") or source.get("excludes"):
        raise InvalidArgument(
            f"Index {plan.old.name!r} does not keep the whole of its documents (_source in its mapping), so that they "
            "can't be read from it. Load them into a new index from where they came."
        )
    if plan.remade and (narrowing := plan.old.narrowing_aliases):
        raise InvalidArgument(
            f"The alias {narrowing[0]!r} of index {plan.old.name!r} has a filter or a routing. Requests by it go by "
            "its name to the cluster, so that for a moment after the switch they could bring vectors of the old model "
            "to the new index. Remove that alias, migrate, and make it again for the new index."
        )


def _check_added(plan: Plan) -> None:
    for field in plan.changes.added:
        if check_field_name(field) == "_id":
            raise InvalidArgument("'_id' can't be embedded.")
        if plan.state.field_types.get(field) not in _TEXT_TYPES:
            raise InvalidArgument(f"No document of index {plan.old.name!r} has a text in a field {field!r}.")
        if field in plan.state.embedded_fields and plan.state.kind_of(field) in (CUSTOM_VECTOR, COMBINATION):
            raise InvalidArgument(f"Field {field!r} is embedded already, as a {plan.state.kind_of(field)}.")


def _check_fields(plan: Plan) -> None:
    for field in plan.remade:
        if plan.state.kind_of(field) == COMBINATION and field not in plan.changes.weights:
            raise InvalidArgument(
                f"Field {field!r} is a multimodal_combination, whose weights the index does not keep. Give them: "
                f'--weights \'{{"{field}": {{"SUB_FIELD": 0.5, …}}}}\'.'
            )
    for field in plan.state.embedded_fields:
        had, gets = plan.state.dimensions_of(field), plan.dimensions_of(field)
        if plan.state.kind_of(field) == CUSTOM_VECTOR and had != gets:
            raise InvalidArgument(
                f"Field {field!r} has vectors that clients brought, of {had} dimensions; those of the new index have "
                f"{gets}. Keep theirs by a model of its own for that field, in --settings: "
                f'{{"index_defaults": {{"field_models": {{"{field}": {{"model": "no_model", "model_properties": '
                f'{{"type": "no_model", "dimensions": {had}}}}}}}}}}}.'
            )


def _check_models(plan: Plan, parts: MigrationParts) -> None:
    """Load what the documents need, so that what is wrong with a model is told now."""
    for field, is_text in _embedded_anew(plan):
        model = plan.settings.model_of(field)
        spec = replace(parts.table.resolve(model.model, model.model_properties), device=parts.device)
        if spec.loader == NO_MODEL:
            raise InvalidArgument(
                f"Field {field!r} is embedded, which the model {NO_MODEL!r} of the new index can't do."
            )
        loader = parts.engine.models.get(spec)
        if is_text and Modality.TEXT not in loader.modalities:
            raise InvalidArgument(f"Field {field!r} is text, which the model {spec.name!r} does not embed.")


def _embedded_anew(plan: Plan) -> Iterator[tuple[str, bool]]:
    """Each field that the new model embeds, and whether all of it is text."""
    for field in dict.fromkeys((*plan.remade, *plan.changes.added)):
        is_image_index = plan.settings.treat_urls_and_pointers_as_images
        yield field, not is_image_index and plan.state.kind_of(field) != COMBINATION
