"""The parts of a search that Marqo 1 has not: hybrid parameters, and options of OpenSearch's own."""

from __future__ import annotations

import math
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, FailFast, Field, WithJsonSchema

from sidecar.api.schemas.scoring import ModifiersBody, parse_modifiers
from sidecar.errors import InvalidArgument
from sidecar.indexing.names import check_field_name, shortened
from sidecar.searching.request import HybridParameters, Ranking, Retrieval, SearchMethod, SearchRequest

FACET_VALUES = 10
"""Values of a facet that are told where no number is given."""
MAX_EF_SEARCH = 10_000
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


def check_together(request: SearchRequest, *, has_hybrid: bool) -> None:
    """Options that are given must have an effect. Raises: InvalidArgument."""
    _check_values(request)
    options = request.options
    method = request.method
    is_hybrid = method is SearchMethod.HYBRID
    fuses = is_hybrid and request.hybrid.is_fused
    is_lexical = method is SearchMethod.LEXICAL or (is_hybrid and request.hybrid.is_lexical)
    has_graph = not is_lexical and not (is_hybrid and request.hybrid.retrieval is Retrieval.LEXICAL)
    has_words = is_lexical or fuses
    orders_anew = bool(request.boost) or request.reranker is not None
    rules = (
        (has_hybrid and method is not SearchMethod.HYBRID, "'hybridParameters' needs searchMethod HYBRID"),
        (options.is_exact and is_lexical, "'exact' does not go with a search by words alone"),
        (options.ef_search and not has_graph, "'efSearch' does not go with documents that are found by words"),
        (options.ef_search and options.is_exact, "'efSearch' does not go with 'exact', which compares every vector"),
        (
            options.lexical_highlights is not None and not has_words,
            "'lexicalHighlights' needs searchMethod LEXICAL, or a HYBRID one that words have a part in the order of",
        ),
        (
            options.lexical_highlights is not None and request.reranker is not None,
            "'lexicalHighlights' does not go with 'reRanker', which has highlights of its own",
        ),
        (options.sort and (fuses or orders_anew), "'sort' does not go with what orders the hits itself"),
        (
            options.min_score is not None and fuses,
            "'minScore' does not go with a hybrid search whose order is made of two",
        ),
        (
            options.explain and (fuses or orders_anew),
            "'explain' tells of one order only: leave out hybrid, boost, reRanker",
        ),
        (
            options.point_in_time is not None and (fuses or orders_anew),
            "'pointInTime' does not go with what orders the hits itself",
        ),
        (options.search_after is not None and options.point_in_time is None, "'searchAfter' needs 'pointInTime'"),
        (options.search_after is not None and request.offset > 0, "'searchAfter' does not go with 'offset'"),
        (
            options.search_after is not None and _ends_early(request),
            "'searchAfter' needs 'exact' in a search by meaning (TENSOR): an index of neighbours finds the nearest "
            "only, so that its pages would end before the documents do",
        ),
        (
            options.routing is not None and options.point_in_time is not None,
            "'routing' does not go with 'pointInTime', which has its own",
        ),
        (
            (options.source_includes or options.source_excludes) and request.attributes_to_retrieve is not None,
            "'source' does not go with 'attributesToRetrieve'",
        ),
    )
    for is_broken, rule in rules:
        if is_broken:
            raise InvalidArgument(f"{rule}.")


def _ends_early(request: SearchRequest) -> bool:
    if request.method is SearchMethod.HYBRID:
        is_exact = request.options.is_exact and request.hybrid.ranking is Ranking.TENSOR
        return request.hybrid.retrieval is Retrieval.TENSOR and not is_exact
    return request.method is SearchMethod.TENSOR and not request.options.is_exact


def _check_values(request: SearchRequest) -> None:
    options = request.options
    if options.ef_search is not None and not 1 <= options.ef_search <= MAX_EF_SEARCH:
        raise InvalidArgument(f"efSearch is {options.ef_search}; it must be from 1 to {MAX_EF_SEARCH:,}.")
    if options.min_score is not None and not (math.isfinite(options.min_score) and options.min_score > 0):
        raise InvalidArgument(f"minScore is {options.min_score}; it must be a number greater than 0.")
    for name, size in options.facets.items():
        if not 1 <= size <= 1000:
            raise InvalidArgument(f"facets.{shortened(name)} is {size}; it must be a number of values from 1 to 1,000.")


def _names(names: list[str] | None) -> tuple[str, ...] | None:
    return None if names is None else tuple(check_field_name(name) for name in names)
