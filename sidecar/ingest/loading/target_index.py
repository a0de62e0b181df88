"""The index that a load goes into: made where it is not there, and fit for what is loaded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
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
_ENOUGH = 10
"""So many records at most are looked at for vectors, or so many vectors of each field."""
FirstVectors = Mapping[str, Sequence[int]]
"""Field -> the numbers of its first vectors."""

_IMAGES = "treat_urls_and_pointers_as_images"


@dataclass(frozen=True)
class IndexWish:
    """What the user says of the index: a model, or its settings in the form of the `/indexes` API."""

    model: str | None = None
    settings: Mapping[str, Any] | None = None

    def body(self) -> dict[str, Any] | None:
        """The settings in that form, a copy; None where the user said nothing."""
        if self.settings is not None:
            return deepcopy(dict(self.settings))
        return None if self.model is None else {"index_defaults": {"model": self.model}}


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
    vectors = first_vectors(plan.shape, sample)
    state = existing_index(parts, plan.index)
    if state is not None:
        check_fit(Target.there(state), plan, asked_settings(parts, wish), vectors)
        return state, False
    new = planned_index(parts, plan, wish, vectors)
    check_fit(Target.planned(new), plan, None, vectors)
    # Another process may make it meanwhile; then its settings count.
    with suppress(IndexAlreadyExists):
        make_index(plan.index, new, parts)
    return parts.states.get(plan.index, is_fresh=True), True


def dry_target(parts: LoadParts, plan: LoadPlan, wish: IndexWish, sample: Iterable[Record]) -> tuple[Target, bool]:
    """The index as the load would find or make it, and whether it is there. Raises: as `ensure_index`."""
    vectors = first_vectors(plan.shape, sample)
    state = existing_index(parts, plan.index)
    target = Target.planned(planned_index(parts, plan, wish, vectors)) if state is None else Target.there(state)
    check_fit(target, plan, None if state is None else asked_settings(parts, wish), vectors)
    return target, state is not None


def asked_settings(parts: LoadParts, wish: IndexWish) -> IndexSettings | None:
    """What the user's wish makes of an index; None where there is no wish that tells. Raises: as `plan_index`."""
    body = wish.body()
    # An index without a model is told by its dimensions, which are looked at by themselves.
    return None if body is None or wish.model == NO_MODEL else plan_index(body, parts).settings


def planned_index(parts: LoadParts, plan: LoadPlan, wish: IndexWish, vectors: FirstVectors) -> NewIndex:
    """The index as it would be made.

    Raises: InvalidArgument where the user has not said how, and the shape does not tell; as `plan_index`.
    """
    check_reserved_index_name(plan.index)
    shape = plan.shape
    body = wish.body()
    needs_no_model = wish.model == NO_MODEL or (body is None and not shape.needs_model)
    if shape.precomputed and needs_no_model:
        body = {"index_defaults": {"model": NO_MODEL, "model_properties": {"dimensions": _one_length(vectors)}}}
    if body is None:
        raise InvalidArgument(
            f"There is no index {plan.index!r}. Say how to make it: --model NAME, or --settings FILE with the settings "
            "as POST /indexes/{index} takes them"
        )
    if shape.image_fields and isinstance(body.setdefault("index_defaults", {}), dict):
        body["index_defaults"].setdefault(_IMAGES, True)
    return plan_index(body, parts)


def check_fit(target: Target, plan: LoadPlan, asked: IndexSettings | None, vectors: FirstVectors) -> None:
    """Raises: InvalidArgument where the index has another model than was asked for, or can't take the documents."""
    settings, shape = target.settings, plan.shape
    if asked is not None and _models(asked) != _models(settings):
        raise InvalidArgument(
            f"Index {plan.index!r} is there, with the model {settings.model!r}; asked for is {asked.model!r}. "
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
    for field, lengths in vectors.items():
        dimensions = target.dimensions_of(field)
        if lengths and dimensions not in lengths:
            raise InvalidArgument(
                f"The first vectors in {field!r} have {lengths[0]} numbers; in index {plan.index!r} they "
                f"have {dimensions} dimensions. Name an index of that many"
            )


def _models(settings: IndexSettings) -> tuple[object, ...]:
    return settings.model, settings.model_properties, dict(settings.field_models)


def first_vectors(shape: DocumentShape, sample: Iterable[Record]) -> FirstVectors:
    """The lengths of the first vectors of each precomputed field. Nothing is read where there is no such field."""
    lengths: dict[str, list[int]] = {field: [] for field in shape.precomputed}
    for record in islice(sample, _LOOKED_AT if lengths else 0):
        try:
            document = shape.document(record)
        except SidecarError:
            continue
        for field, found in lengths.items():
            value = document.get(field)
            if isinstance(value, dict) and value.get("vector") is not None:
                found.append(len(value["vector"]))
        if all(len(found) >= _ENOUGH for found in lengths.values()):
            break
    return lengths


def _one_length(vectors: FirstVectors) -> int:
    """What an index without a model takes over."""
    for lengths in vectors.values():
        if lengths:
            return lengths[0]
    raise InvalidArgument(
        f"None of the first {_LOOKED_AT:,} records has a vector in {', '.join(map(repr, vectors))}, so that "
        "nothing tells the dimensions of the new index. Give --settings with the model no_model and its dimensions"
    )
