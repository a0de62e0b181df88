"""The models that the settings of a new index name: whether there are such, and the dimensions of their vectors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sidecar.embedding.known_dimensions import known_dimensions
from sidecar.embedding.load import check_dimensions
from sidecar.embedding.model_table import ModelTable
from sidecar.errors import InvalidArgument, UnknownModel
from sidecar.opensearch.index_settings import FieldModel, IndexSettings


@dataclass(frozen=True, slots=True)
class IndexDimensions:
    """The dimensions of the index's own model, and of the fields that have another."""

    own: int
    of_fields: Mapping[str, int]


def check_models(settings: IndexSettings, table: ModelTable) -> IndexDimensions:
    """The dimensions of the index's vectors; no model is loaded.

    Raises: UnknownModel, InvalidArgument, naming the setting. Wrong `dimensions` are told where small files on this
    machine show the right ones; else the model's first use tells them.
    """
    own = _dimensions("model", FieldModel(settings.model, settings.model_properties), table)
    search_model = FieldModel(settings.search_model, settings.search_model_properties)
    of_queries = _dimensions("search_model", search_model, table)
    if own != of_queries:
        raise InvalidArgument(
            f"index_defaults.search_model {settings.search_model!r} has {of_queries} dimensions, but model "
            f"{settings.model!r} has {own}; they must be equal."
        )
    of_fields = {
        field: _dimensions(f"field_models.{field}", model, table) for field, model in settings.field_models.items()
    }
    return IndexDimensions(own, of_fields)


def _dimensions(setting: str, model: FieldModel, table: ModelTable) -> int:
    try:
        spec = table.resolve(model.model, model.model_properties)
        known = known_dimensions(spec)
        if known is not None:
            check_dimensions(spec, known)
    except UnknownModel as error:
        raise UnknownModel(f"index_defaults.{setting}: {error.message}") from error
    except InvalidArgument as error:
        raise InvalidArgument(f"index_defaults.{setting}: {error.message}") from error
    return spec.dimensions
