"""The body that asks for documents like others."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

from pydantic import BaseModel, FailFast, Field, create_model

from sidecar.api.schemas.problems import check_shape, told_as
from sidecar.api.schemas.scoring import parse_weight
from sidecar.api.schemas.search import SearchBody, SearchLimits, read_search
from sidecar.errors import IllegalRequestedDocCount, InvalidArgument
from sidecar.indexing.names import check_document_id, shortened
from sidecar.searching.recommending import RecommendRequest

MAX_DOCUMENTS = 200
"""Their vectors are in memory together, as JSON and Python's numbers."""

_OF_SEARCH = (
    "limit",
    "offset",
    "filter",
    "searchable_attributes",
    "attributes_to_retrieve",
    "show_highlights",
    "score_modifiers",
    "ef_search",
    "exact",
    "min_score",
    "source",
    "facets",
    "aggregations",
    "routing",
)
"""What is said as in a search, with the same defaults."""

_Documents = Annotated[list[str] | dict[str, Any], told_as("list")]
_Names = Annotated[list[str] | None, FailFast()]


def _as_in_search(name: str) -> Any:
    field = SearchBody.model_fields[name]
    return field.annotation, field


RecommendBody: type[BaseModel] = create_model(
    "RecommendBody",
    __config__=SearchBody.model_config,
    __doc__="Documents, and what hits like them are to be.",
    documents=(_Documents, Field()),
    tensor_fields=(_Names, Field(default=None, alias="tensorFields")),
    exclude_input_documents=(bool, Field(default=True, alias="excludeInputDocuments")),
    **{name: _as_in_search(name) for name in _OF_SEARCH},
)


def parse_recommend(body: Any, limits: SearchLimits) -> RecommendRequest:
    """A wish for documents like others.

    Raises: Unprocessable for a wrong shape, IllegalRequestedDocCount, InvalidDocumentId, InvalidArgument,
    InvalidFieldName.
    """
    parsed = check_shape(RecommendBody, body)
    search = read_search(
        SearchBody.model_construct(q="", **{name: getattr(parsed, name) for name in _OF_SEARCH}), limits
    )
    fields = parsed.tensor_fields
    if fields == []:
        raise InvalidArgument("'tensorFields' is empty; name the fields whose vectors count, or leave it out for all.")
    return RecommendRequest(
        weights=_weights(parsed.documents),
        search=replace(search, q=None),
        fields=None if fields is None else tuple(dict.fromkeys(fields)),
        excludes_input=parsed.exclude_input_documents,
    )


def _weights(documents: list[str] | dict[str, Any]) -> dict[str, float]:
    if not documents:
        raise InvalidArgument("'documents' is empty; give the ids of documents, or an object of ids and their weights.")
    weights = dict.fromkeys(documents, 1.0) if isinstance(documents, list) else documents
    if len(weights) > MAX_DOCUMENTS:
        raise IllegalRequestedDocCount(f"'documents' has {len(weights)} documents; the limit is {MAX_DOCUMENTS}.")
    return {
        check_document_id(document_id): parse_weight(f"documents[{shortened(document_id)}]", weight)
        for document_id, weight in weights.items()
    }
