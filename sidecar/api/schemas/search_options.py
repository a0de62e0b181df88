"""The parts of a search that Marqo 1 has not: hybrid parameters, and options of OpenSearch's own."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, FailFast, Field, WithJsonSchema

from sidecar.api.schemas.scoring import ModifiersBody, parse_modifiers
from sidecar.errors import InvalidArgument
from sidecar.indexing.names import check_field_name
from sidecar.searching.request import HybridParameters, Ranking, Retrieval

FACET_VALUES = 10
"""Values of a facet that are told where no number is given."""
_SORT_KEYS = {"order", "missing", "mode", "unmapped_type", "format"}
_Names = Annotated[list[str] | None, FailFast()]
_DIRECTION = {"enum": ["asc", "desc"]}
_SORTED_BY: dict[str, Any] = {
    "type": "object",
    "properties": {key: _DIRECTION if key == "order" else {} for key in sorted(_SORT_KEYS)},
    "additionalProperties": False,
}
_SORT_ENTRY = {
    "anyOf": [
        {"type": "string", "minLength": 1},
        {
            "type": "object",
            "additionalProperties": {"anyOf": [_DIRECTION, _SORTED_BY]},
            "minProperties": 1,
            "maxProperties": 1,
        },
    ]
}
SortBody = Annotated[list[Any] | None, WithJsonSchema({"type": ["array", "null"], "items": _SORT_ENTRY})]
"""``sort`` as JSON, read by `parse_sort`."""


class HybridBody(BaseModel):
    """How the halves of a hybrid search become one, in the terms of Marqo 2."""

    model_config = ConfigDict(extra="forbid")

    retrieval_method: Retrieval = Field(default=Retrieval.DISJUNCTION, alias="retrievalMethod")
    ranking_method: Ranking | None = Field(default=None, alias="rankingMethod")
    alpha: float = Field(default=0.5, json_schema_extra={"minimum": 0, "maximum": 1})
    rrf_k: int = Field(default=60, alias="rrfK", json_schema_extra={"minimum": 0})
    searchable_attributes_tensor: _Names = Field(default=None, alias="searchableAttributesTensor")
    searchable_attributes_lexical: _Names = Field(default=None, alias="searchableAttributesLexical")
    score_modifiers_tensor: ModifiersBody = Field(default=None, alias="scoreModifiersTensor")
    score_modifiers_lexical: ModifiersBody = Field(default=None, alias="scoreModifiersLexical")


class SourceBody(BaseModel):
    """Patterns of the fields that hits show, and of those that they do not."""

    model_config = ConfigDict(extra="forbid")

    includes: list[str] = Field(default_factory=list)
    excludes: list[str] = Field(default_factory=list)


def parse_hybrid(body: HybridBody | None) -> HybridParameters:
    """The parameters, with defaults that go together. Raises: InvalidArgument, InvalidFieldName."""
    if body is None:
        return HybridParameters()
    if not 0 <= body.alpha <= 1:
        raise InvalidArgument(
            f"hybridParameters.alpha is {body.alpha}; it must be from 0 (all words) to 1 (all meaning)."
        )
    if body.rrf_k < 0:
        raise InvalidArgument(f"hybridParameters.rrfK is {body.rrf_k}; it must not be negative.")
    is_both = body.retrieval_method is Retrieval.DISJUNCTION
    ranking = body.ranking_method or (Ranking.RRF if is_both else Ranking(body.retrieval_method.value))
    allowed = (Ranking.RRF, Ranking.NORMALIZE_LINEAR) if is_both else (Ranking.TENSOR, Ranking.LEXICAL)
    if ranking not in allowed:
        raise InvalidArgument(
            f"hybridParameters.rankingMethod {ranking.value!r} does not go with retrievalMethod "
            f"{body.retrieval_method.value!r}; give {' or '.join(repr(method.value) for method in allowed)}."
        )
    return HybridParameters(
        retrieval=body.retrieval_method,
        ranking=ranking,
        alpha=body.alpha,
        rrf_k=body.rrf_k,
        tensor_attributes=_names(body.searchable_attributes_tensor),
        lexical_attributes=_names(body.searchable_attributes_lexical),
        tensor_modifiers=parse_modifiers("hybridParameters.scoreModifiersTensor", body.score_modifiers_tensor),
        lexical_modifiers=parse_modifiers("hybridParameters.scoreModifiersLexical", body.score_modifiers_lexical),
    )


def parse_sort(sort: list[Any] | None) -> tuple[Any, ...]:
    """Fields to sort by: ``"price"``, ``{"price": "desc"}`` or ``{"price": {"order": "desc", "missing": "_last"}}``.

    Raises: InvalidArgument.
    """
    return tuple(_sort_entry(f"sort[{number}]", entry) for number, entry in enumerate(sort or ()))


def _sort_entry(place: str, entry: Any) -> Any:
    if isinstance(entry, str) and entry:
        return entry
    if not isinstance(entry, dict) or len(entry) != 1:
        raise InvalidArgument(f'{place} must be the name of a field, or an object of one, as {{"price": "desc"}}.')
    ((name, how),) = entry.items()
    if how in ("asc", "desc"):
        return {name: {"order": how}}
    if not isinstance(how, dict) or how.keys() - _SORT_KEYS:
        raise InvalidArgument(f"{place}.{name} must be 'asc', 'desc', or an object of {', '.join(sorted(_SORT_KEYS))}.")
    return {name: how}


def _names(names: list[str] | None) -> tuple[str, ...] | None:
    return None if names is None else tuple(check_field_name(name) for name in names)
