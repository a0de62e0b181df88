"""The body of a search."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import numpy as np
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, FailFast, Field

from sidecar.api.schemas.auth import parse_model_auth
from sidecar.api.schemas.media_headers import parse_media_headers
from sidecar.api.schemas.problems import check_shape
from sidecar.api.schemas.unsupported import refuse_given
from sidecar.errors import IllegalRequestedDocCount, InvalidArgument
from sidecar.indexing.names import check_field_name, shortened
from sidecar.searching.request import ContextVector, SearchMethod, SearchRequest

MAX_CONTEXT_VECTORS = 64


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
    auth = parse_model_auth(parsed.auth)
    _check_window(parsed.limit, parsed.offset, max_documents)
    q = _query(parsed)
    # What is no text goes into a query vector, which a search by words has not.
    context = None if parsed.method == SearchMethod.LEXICAL else parsed.context
    refuse_given({"boost": parsed.boost, "scoreModifiers": parsed.score_modifiers, "reRanker": parsed.re_ranker})
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
        context=() if context is None else _context(context),
        media_headers=parse_media_headers("image_download_headers", parsed.image_download_headers),
        auth=auth,
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


def _query(body: _SearchBody) -> str | dict[str, float] | None:
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
    if not is_lexical and isinstance(q, dict) and q:
        return {text: _weight(f"q[{shortened(text)}]", weight) for text, weight in q.items()}
    if not is_lexical and q is None and body.context is not None:
        return None
    given = "null or missing" if q is None else f"of type {type(q).__name__}" if q else f"an empty {type(q).__name__}"
    others = "" if is_lexical else ", an object of texts and their weights, or null where 'context' is given"
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
    return ContextVector(vector, _weight(f"{name}.weight", entry["weight"]))


def _weight(name: str, value: Any) -> float:
    if type(value) not in (int, float):
        raise InvalidArgument(f"{name}: the weight must be a number; given: {shortened(value)}.")
    return float(value)


def _names(names: list[str] | None) -> tuple[str, ...] | None:
    return None if names is None else tuple(check_field_name(name) for name in names)
