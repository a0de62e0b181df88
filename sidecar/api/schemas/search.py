"""The body of a search."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, FailFast, Field

from sidecar.api.schemas.problems import check_shape
from sidecar.api.schemas.unsupported import refuse_given
from sidecar.errors import IllegalRequestedDocCount, InvalidArgument
from sidecar.indexing.names import check_field_name
from sidecar.searching.request import SearchMethod, SearchRequest


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
_Method = Annotated[str, AfterValidator(_method)]


class _SearchBody(BaseModel):
    model_config = ConfigDict(extra="forbid", coerce_numbers_to_str=True)

    q: Any = None
    method: _Method = Field(default=SearchMethod.TENSOR, alias="searchMethod")
    limit: _Int = 10
    offset: _Int = 0
    searchable_attributes: _Names = Field(default=None, alias="searchableAttributes")
    attributes_to_retrieve: _Names = Field(default=None, alias="attributesToRetrieve")
    show_highlights: bool = Field(default=True, alias="showHighlights")
    filter: str | None = None
    re_ranker: str | None = Field(default=None, alias="reRanker")
    text_query_prefix: str | None = Field(default=None, alias="textQueryPrefix")
    boost: dict[str, Any] | None = None
    score_modifiers: dict[str, Any] | None = Field(default=None, alias="scoreModifiers")
    context: dict[str, Any] | None = None
    image_download_headers: dict[str, Any] | None = None
    auth: dict[str, Any] | None = Field(default=None, alias="modelAuth")


def parse_search(body: Any, *, max_documents: int) -> SearchRequest:
    """A search; the rules are checked in the contract's order.

    Raises: Unprocessable for a wrong shape, IllegalRequestedDocCount, InvalidArgument, InvalidFieldName.
    """
    parsed: _SearchBody = check_shape(_SearchBody, body)
    _check_window(parsed.limit, parsed.offset, max_documents)
    q = _query_text(parsed)
    refuse_given(
        {
            "context": parsed.context,
            "boost": parsed.boost,
            "scoreModifiers": parsed.score_modifiers,
            "reRanker": parsed.re_ranker,
            "modelAuth": parsed.auth,
            "image_download_headers": parsed.image_download_headers or None,
        }
    )
    return SearchRequest(
        q=q,
        method=SearchMethod(parsed.method),
        limit=parsed.limit,
        offset=parsed.offset,
        searchable_attributes=_names(parsed.searchable_attributes),
        attributes_to_retrieve=_names(parsed.attributes_to_retrieve),
        show_highlights=parsed.show_highlights,
        filter=parsed.filter,
        text_query_prefix=parsed.text_query_prefix,
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


def _query_text(body: _SearchBody) -> str:
    q = body.q
    if isinstance(q, str):
        return q
    if isinstance(q, (int, float)) and not isinstance(q, bool):
        return str(q)
    if isinstance(q, dict) and q and body.method == SearchMethod.TENSOR:
        raise InvalidArgument("'q' with weighted queries is not supported by this version. Give one string.")
    if q is None and body.context is not None and body.method == SearchMethod.TENSOR:
        raise InvalidArgument("'context' is not supported by this version. Give a string as 'q'.")
    given = "null or missing" if q is None else f"of type {type(q).__name__}"
    raise InvalidArgument(f"'q' must be a string to search for; it is {given}.")


def _names(names: list[str] | None) -> tuple[str, ...] | None:
    return None if names is None else tuple(check_field_name(name) for name in names)
