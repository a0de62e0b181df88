"""The index that a load goes into: made where it is not there, and fit for what is loaded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass
from itertools import islice
from typing import Any

from sidecar.api.index_creation import NewIndex, make_index, plan_index
from sidecar.api.schemas.names import check_reserved_index_name
from sidecar.embedding.kinds import NO_MODEL
from sidecar.errors import IndexAlreadyExists, IndexNotFound, InvalidArgument, SidecarError
from sidecar.ingest.loading.parts import LoadParts
from sidecar.ingest.loading.plan import LoadPlan
from sidecar.ingest.shaping.shape import DocumentShape
from sidecar.ingest.sources.source import Record
from sidecar.opensearch.index_settings import IndexSettings
from sidecar.opensearch.index_state import IndexState

_LOOKED_AT = 1000
"""Records in which a vector is looked for whose dimensions an index without a model takes over."""
_IMAGES = "treat_urls_and_pointers_as_images"


@dataclass(frozen=True)
class IndexWish:
    """What the user says of the index: a model, or its settings in the form of the `/indexes` API."""

    model: str | None = None
    settings: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Target:
    """What is known of the index: its settings, and the dimensions of a field's vectors."""

    settings: IndexSettings
    dimensions: int
    field_dimensions: Mapping[str, int]

    @classmethod
    def there(cls, state: IndexState) -> Target:
        """An index that is there."""
        return cls(state.settings, state.dimensions, state.field_dimensions)

    @classmethod
    def planned(cls, new: NewIndex) -> Target:
        """An index that is not there yet."""
        return cls(new.settings, new.dimensions.own, new.dimensions.of_fields)

    def dimensions_of(self, field: str) -> int:
        """Those of the field's vectors."""
        return self.field_dimensions.get(field, self.dimensions)


def existing_index(parts: LoadParts, index: str) -> IndexState | None:
    """The index as it is now; None where there is none. Raises: NotASidecarIndex."""
    try:
        return parts.states.get(index, is_fresh=True)
    except IndexNotFound:
        return None


def ensure_index(
    parts: LoadParts, plan: LoadPlan, wish: IndexWish, sample: Iterable[Record]
) -> tuple[IndexState, bool]:
    """The index, fit for the load, and whether it was made now. ``sample`` are the source's first records.

    Raises: InvalidArgument where it is there and another model was asked for, or where it can't take what is loaded;
    what the creation of an index raises. Nothing is made then.
    """
    state = existing_index(parts, plan.index)
    if state is not None:
        check_fit(Target.there(state), plan, planned_index(parts, plan, wish, sample))
        return state, False
    new = planned_index(parts, plan, wish, sample)
    if new is None:
        raise InvalidArgument(
            f"There is no index {plan.index!r}. Say how to make it: --model NAME, or --settings FILE with the settings "
            "as POST /indexes/{index} takes them"
        )
    check_fit(Target.planned(new), plan, None)
    # Another process may make it meanwhile; then its settings count.
    with suppress(IndexAlreadyExists):
        make_index(plan.index, new, parts)
    return parts.states.get(plan.index, is_fresh=True), True


def planned_index(parts: LoadParts, plan: LoadPlan, wish: IndexWish, sample: Iterable[Record]) -> NewIndex | None:
    """The index as it would be made; None where the user has not said how, and the shape does not tell.

    Raises: as `plan_index`.
    """
    check_reserved_index_name(plan.index)
    shape = plan.shape
    body: dict[str, Any]
    if wish.settings is not None:
        body = deepcopy(dict(wish.settings))
    elif wish.model is not None:
        body = {"index_defaults": {"model": wish.model}}
    elif shape.precomputed and not shape.tensor_fields and not shape.image_fields:
        dimensions = _first_dimensions(shape, sample)
        body = {"index_defaults": {"model": NO_MODEL, "model_properties": {"dimensions": dimensions}}}
    else:
        return None
    if shape.image_fields and isinstance(body.setdefault("index_defaults", {}), dict):
        body["index_defaults"].setdefault(_IMAGES, True)
    return plan_index(body, parts)


def check_fit(target: Target, plan: LoadPlan, asked: NewIndex | None) -> None:
    """Raises: InvalidArgument where the index has another model than was asked for, or can't take the documents."""
    settings, shape = target.settings, plan.shape
    if asked is not None and _models(asked.settings) != _models(settings):
        raise InvalidArgument(
            f"Index {plan.index!r} is there, with the model {settings.model!r}; asked for is {asked.settings.model!r}. "
            "Leave out --model and --settings to load into it as it is, or name another index; sidecar migrate gives "
            "an index another model"
        )
    if shape.image_fields and not settings.treat_urls_and_pointers_as_images:
        raise InvalidArgument(
            f"Index {plan.index!r} does not embed images ({_IMAGES} is false), so that the image field "
            f"{shape.image_fields[0]!r} would be embedded as a text. Make an index that does"
        )
    embedded = [name for name in (*shape.tensor_fields, *shape.image_fields) if name not in shape.precomputed]
    without = [name for name in embedded if settings.model_of(name).model == NO_MODEL]
    if without:
        raise InvalidArgument(
            f"Index {plan.index!r} has no model that embeds field {without[0]!r}. Bring its vectors (--precomputed), "
            "or name an index with a model"
        )


def _models(settings: IndexSettings) -> tuple[object, ...]:
    return settings.model, settings.model_properties, dict(settings.field_models)


def _first_dimensions(shape: DocumentShape, sample: Iterable[Record]) -> int:
    for record in islice(sample, _LOOKED_AT):
        try:
            document = shape.document(record)
        except SidecarError:
            continue
        for field in shape.precomputed:
            value = document.get(field)
            if isinstance(value, dict) and value.get("vector") is not None:
                return len(value["vector"])
    raise InvalidArgument(
        f"None of the first {_LOOKED_AT:,} records has a vector in {', '.join(map(repr, shape.precomputed))}, so that "
        "nothing tells the dimensions of the new index. Give --settings with the model no_model and its dimensions"
    )
