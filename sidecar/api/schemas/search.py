"""The body of a search."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, FailFast, Field, WithJsonSchema

from sidecar.api.schemas.auth import ModelAuthBody, parse_model_auth
from sidecar.api.schemas.media_headers import MediaHeadersBody, parse_media_headers
from sidecar.api.schemas.problems import Problem, check_shape, told_as
from sidecar.api.schemas.scoring import BoostBody, ModifiersBody, parse_boost, parse_modifiers, parse_weight
from sidecar.api.schemas.search_options import (
    FACET_VALUES,
    HybridBody,
    SortBody,
    SourceBody,
    parse_hybrid,
    parse_sort,
)
from sidecar.api.schemas.search_rules import MAX_EF_SEARCH, check_together
from sidecar.api.schemas.search_shapes import MAX_CONTEXT_VECTORS, ContextBody, QueryBody
from sidecar.errors import IllegalRequestedDocCount, InvalidArgument, InvalidRequest, Unprocessable
from sidecar.indexing.names import check_field_name, shortened
from sidecar.searching.request import ContextVector, SearchMethod, SearchOptions, SearchRequest

MAX_WINDOW = 10_000
"""The last hit that an index gives: OpenSearch's own default, of ``index.max_result_window``."""


@dataclass(frozen=True, slots=True)
class SearchLimits:
    """The operator's limits: documents that a search may reach, and fields that a tensor search may name, None for
    any number."""

    documents: int
    tensor_attributes: int | None = None


def _whole(value: Any) -> Any:
    return int(value) if isinstance(value, float) and abs(value) < 2**63 else value


def _method(value: str) -> SearchMethod:
    try:
        return SearchMethod(value.upper())
    except ValueError:
        known = ", ".join(method.value for method in SearchMethod)
        raise ValueError(f"searchMethod must be one of {known}; given: {value!r}") from None


_Int = Annotated[int, BeforeValidator(_whole)]
_Names = Annotated[list[str] | None, FailFast()]
_Method = Annotated[
    str, AfterValidator(_method), WithJsonSchema({"type": "string", "enum": [method.value for method in SearchMethod]})
]


class SearchBody(BaseModel):
    """One search, in the wire's keys."""

    model_config = ConfigDict(extra="forbid", coerce_numbers_to_str=True)

    q: QueryBody = Field(default=None, examples=["a text", {"a text": 1, "another": -0.5}])
    method: _Method = Field(default=SearchMethod.TENSOR, alias="searchMethod")
    limit: _Int = Field(default=10, json_schema_extra={"minimum": 1, "maximum": MAX_WINDOW})
    offset: _Int = Field(default=0, json_schema_extra={"minimum": 0, "maximum": MAX_WINDOW})
    searchable_attributes: _Names = Field(default=None, alias="searchableAttributes")
    attributes_to_retrieve: _Names = Field(default=None, alias="attributesToRetrieve")
    show_highlights: bool = Field(default=True, alias="showHighlights")
    filter: Annotated[str | dict[str, Any] | None, told_as("string")] = None
    re_ranker: str | None = Field(default=None, alias="reRanker")
    text_query_prefix: str | None = Field(default=None, alias="textQueryPrefix")
    boost: BoostBody = None
    score_modifiers: ModifiersBody = Field(default=None, alias="scoreModifiers")
    context: ContextBody = None
    image_download_headers: MediaHeadersBody | None = None
    auth: ModelAuthBody = Field(default=None, alias="modelAuth")
    hybrid_parameters: HybridBody | None = Field(default=None, alias="hybridParameters")
    ef_search: int | None = Field(
        default=None, alias="efSearch", json_schema_extra={"minimum": 1, "maximum": MAX_EF_SEARCH}
    )
    exact: bool = False
    min_score: float | None = Field(default=None, alias="minScore", json_schema_extra={"exclusiveMinimum": 0})
    sort: SortBody = None
    aggregations: dict[str, Any] | None = None
    facets: Annotated[list[str] | dict[str, int] | None, told_as("list")] = None
    explain: bool = False
    lexical_highlights: Annotated[bool | dict[str, Any], told_as("bool")] = Field(
        default=False, alias="lexicalHighlights"
    )
    source: SourceBody | None = None
    routing: str | None = None
    point_in_time: str | None = Field(default=None, alias="pointInTime")
    search_after: list[Any] | None = Field(default=None, alias="searchAfter")


class BulkSearchQuery(SearchBody):
    """One search of several, with its index."""

    index: str


class BulkSearchBody(BaseModel):
    """Several searches."""

    model_config = ConfigDict(extra="forbid")

    queries: list[BulkSearchQuery]


def parse_search(body: Any, limits: SearchLimits) -> SearchRequest:
    """A search; the rules are checked in the contract's order.

    Raises: Unprocessable for a wrong shape, IllegalRequestedDocCount, InvalidArgument, InvalidFieldName.
    """
    parsed: SearchBody = check_shape(SearchBody, body)
    return read_search(parsed, limits)


def parse_bulk_search(body: Any, limits: SearchLimits) -> list[tuple[str, SearchRequest]]:
    """Several searches, each with the name of its index; as `parse_search`, with the number of the query in what is
    told of it."""
    parsed: BulkSearchBody = check_shape(BulkSearchBody, body)
    searches = []
    for number, query in enumerate(parsed.queries):
        try:
            searches.append((query.index, read_search(query, limits)))
        except Unprocessable as error:
            raise Unprocessable([_in_query(number, problem) for problem in error.problems]) from error
        except InvalidRequest as error:
            error.message = f"queries[{number}]: {error.message}"
            raise
    return searches


def _in_query(number: int, problem: Problem) -> Problem:
    body, *rest = problem["loc"]
    return problem | {"loc": [body, "queries", number, *rest]}


def read_search(parsed: SearchBody, limits: SearchLimits) -> SearchRequest:
    """As `parse_search`, of a body whose shape is right."""
    auth = parse_model_auth(parsed.auth)
    _check_window(parsed.limit, parsed.offset, limits.documents)
    q = _query(parsed)
    is_lexical = parsed.method == SearchMethod.LEXICAL
    hybrid = parse_hybrid(parsed.hybrid_parameters)
    if parsed.method == SearchMethod.TENSOR or (parsed.method == SearchMethod.HYBRID and not hybrid.is_lexical):
        own = hybrid.tensor_attributes
        _check_attribute_count(parsed.searchable_attributes if own is None else own, limits.tensor_attributes)
    # What is no text goes into a query vector, which a search by words has not.
    context = () if is_lexical or parsed.context is None else _context(parsed.context)
    boost = parse_boost(parsed.boost, method=SearchMethod(parsed.method), searchable=parsed.searchable_attributes)
    searchable = _names(parsed.searchable_attributes)
    if parsed.re_ranker is not None:
        _check_reranked(q, searchable)
    request = SearchRequest(
        q=q,
        method=SearchMethod(parsed.method),
        limit=parsed.limit,
        offset=parsed.offset,
        searchable_attributes=searchable,
        attributes_to_retrieve=_names(parsed.attributes_to_retrieve),
        show_highlights=parsed.show_highlights,
        filter=parsed.filter,
        text_query_prefix=parsed.text_query_prefix,
        context=context,
        boost=boost,
        modifiers=None if is_lexical else parse_modifiers("scoreModifiers", parsed.score_modifiers),
        reranker=parsed.re_ranker,
        hybrid=hybrid,
        options=_options(parsed),
        media_headers=parse_media_headers("image_download_headers", parsed.image_download_headers),
        auth=auth,
    )
    check_together(request, has_hybrid=parsed.hybrid_parameters is not None)
    return request


def _check_reranked(q: Any, searchable: tuple[str, ...] | None) -> None:
    if searchable is None:
        raise InvalidArgument("'reRanker' needs 'searchableAttributes': the fields that it is to read.")
    if not isinstance(q, str):
        raise InvalidArgument("'reRanker' needs a string as 'q': it reads each hit together with that text.")


def _options(body: SearchBody) -> SearchOptions:
    highlights = body.lexical_highlights
    facets = body.facets or {}
    return SearchOptions(
        ef_search=body.ef_search,
        is_exact=body.exact,
        min_score=body.min_score,
        sort=parse_sort(body.sort),
        aggregations=body.aggregations,
        facets=dict.fromkeys(facets, FACET_VALUES) if isinstance(facets, list) else facets,
        explain=body.explain,
        lexical_highlights={} if highlights is True else highlights or None,
        source_includes=() if body.source is None else tuple(body.source.includes),
        source_excludes=() if body.source is None else tuple(body.source.excludes),
        routing=body.routing,
        point_in_time=body.point_in_time,
        search_after=None if body.search_after is None else tuple(body.search_after),
    )


def _check_attribute_count(names: Sequence[str] | None, limit: int | None) -> None:
    if limit is None:
        return
    if names is None or len(names) > limit:
        given = "all fields" if names is None else f"{len(names)} fields"
        raise InvalidArgument(
            f"'searchableAttributes' stands for {given}; a tensor search may name at most {limit} "
            "(SIDECAR_MAX_SEARCHABLE_TENSOR_ATTRIBUTES)."
        )


def _check_window(limit: int, offset: int, max_documents: int) -> None:
    if limit <= 0:
        raise IllegalRequestedDocCount(f"limit is {limit}; it must be greater than 0.")
    if offset < 0:
        raise IllegalRequestedDocCount(f"offset is {offset}; it must not be negative.")
    if limit + offset > max_documents:
        raise IllegalRequestedDocCount(
            f"limit + offset is {limit + offset}; the limit is {max_documents} (SIDECAR_MAX_RETRIEVABLE_DOCUMENTS)."
        )


def _query(body: SearchBody) -> str | dict[str, float] | None:
    q, is_lexical = body.q, body.method == SearchMethod.LEXICAL
    if isinstance(q, (int, float)) and not isinstance(q, bool):
        q = str(q)
    if isinstance(q, str):
        if body.context is not None and not is_lexical:
            raise InvalidArgument(
                "'q' is a string, and 'context' is given. This is not supported as the context only works when the "
                "query is a dictionary. Give 'q' as {text: weight}, or leave one of the two out."
            )
        return q
    takes_mixture = body.method == SearchMethod.TENSOR
    if takes_mixture and isinstance(q, dict) and q:
        return {text: parse_weight(f"q[{shortened(text)}]", weight) for text, weight in q.items()}
    if takes_mixture and q is None and body.context is not None:
        return None
    given = "null or missing" if q is None else f"of type {type(q).__name__}" if q else f"an empty {type(q).__name__}"
    others = "" if not takes_mixture else ", an object of texts and their weights, or null where 'context' is given"
    raise InvalidArgument(f"'q' must be a string to search for{others}; it is {given}.")


def _context(context: Mapping[str, Any]) -> tuple[ContextVector, ...]:
    entries = context.get("tensor")
    if not isinstance(entries, list):
        raise InvalidArgument("'context' must have the key 'tensor', a list of objects with 'vector' and 'weight'.")
    if not 1 <= len(entries) <= MAX_CONTEXT_VECTORS:
        raise InvalidArgument(
            f"context.tensor has {len(entries)} entries; it must have 1 to {MAX_CONTEXT_VECTORS} of them."
        )
    return tuple(_context_vector(f"context.tensor[{number}]", entry) for number, entry in enumerate(entries))


def _context_vector(name: str, entry: Any) -> ContextVector:
    absent = [key for key in ("vector", "weight") if not isinstance(entry, dict) or key not in entry]
    if absent:
        raise InvalidArgument(f"{name} must be an object with 'vector' and 'weight'; it lacks {' and '.join(absent)}.")
    numbers = entry["vector"]
    if not isinstance(numbers, list) or not numbers or not all(type(number) in (int, float) for number in numbers):
        raise InvalidArgument(f"{name}.vector must be a list of numbers.")
    with np.errstate(over="ignore"):
        vector = np.array(numbers, dtype=np.float32)
    if not np.isfinite(vector).all():
        raise InvalidArgument(f"{name}.vector has a number beyond float32's range.")
    return ContextVector(vector, parse_weight(f"{name}.weight", entry["weight"]))


def _names(names: list[str] | None) -> tuple[str, ...] | None:
    return None if names is None else tuple(check_field_name(name) for name in names)
