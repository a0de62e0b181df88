"""What can be asked of an index, in the words of the wire."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal

from sidecar.client.images import Image, image_text, is_image

SearchMethod = Literal["TENSOR", "LEXICAL", "HYBRID"]
Query = str | Mapping[str, float] | Image
"""A text or the address of an image, several of them with weights, or a picture of this machine."""
Filter = str | Mapping[str, Any]
"""Lucene's query syntax, or a query in OpenSearch's own words."""
Modifiers = Mapping[str, Sequence[Mapping[str, Any]]]
"""``{"multiply_score_by": [{"field_name": …, "weight": …}], "add_to_score": […]}``."""

_SPELT_ALIKE = "image_download_headers"
"""The one key of a search that is no camelCase."""


@dataclass(frozen=True, slots=True)
class HybridParameters:
    """How a hybrid search makes one order of words and meaning; what is None is the server's choice.

    ``alpha`` is the share of meaning, from 0 to 1.
    """

    alpha: float | None = None
    ranking_method: Literal["rrf", "normalize_linear", "tensor", "lexical"] | None = None
    retrieval_method: Literal["disjunction", "tensor", "lexical"] | None = None
    rrf_k: int | None = None
    searchable_attributes_tensor: Sequence[str] | None = None
    searchable_attributes_lexical: Sequence[str] | None = None
    score_modifiers_tensor: Modifiers | None = None
    score_modifiers_lexical: Modifiers | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _HitOptions:
    """What a search and a recommendation have in common."""

    limit: int = 10
    offset: int = 0
    filter: Filter | None = None
    searchable_attributes: Sequence[str] | None = None
    attributes_to_retrieve: Sequence[str] | None = None
    show_highlights: bool = True
    score_modifiers: Modifiers | None = None
    ef_search: int | None = None
    exact: bool = False
    min_score: float | None = None
    source: Mapping[str, Sequence[str]] | None = None
    facets: Sequence[str] | Mapping[str, int] | None = None
    aggregations: Mapping[str, Any] | None = None
    routing: str | None = None


@dataclass(frozen=True, slots=True)
class Search(_HitOptions):
    """One search. Every option has the meaning and the default of the key of its name in the API's body.

    ``q`` may be a picture of this machine too; it is None only where ``context`` is all.
    """

    q: Query | None
    search_method: SearchMethod = "TENSOR"
    hybrid_parameters: HybridParameters | None = None
    context: Mapping[str, Any] | None = None
    boost: Mapping[str, Sequence[float]] | None = None
    sort: Sequence[str | Mapping[str, Any]] | None = None
    explain: bool = False
    lexical_highlights: bool | Mapping[str, Any] = False
    re_ranker: str | None = None
    text_query_prefix: str | None = None
    image_download_headers: Mapping[str, str] | None = None
    model_auth: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Recommend(_HitOptions):
    """A wish for documents like others: their ids, or ids with weights, of which negative ones lead away."""

    documents: Sequence[str] | Mapping[str, float]
    tensor_fields: Sequence[str] | None = None
    exclude_input_documents: bool = True


def body_of(question: Search | Recommend | HybridParameters) -> dict[str, Any]:
    """The question as the API's JSON object; what is None is left out."""
    given = {field.name: getattr(question, field.name) for field in fields(question)}
    return {
        name if name == _SPELT_ALIKE else wire_name(name): _wire_value(value)
        for name, value in given.items()
        if value is not None
    }


def wire_name(name: str) -> str:
    """The name in camelCase, as the API's keys are."""
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def _wire_value(value: Any) -> Any:
    if isinstance(value, HybridParameters):
        return body_of(value)
    return image_text(value) if is_image(value) else value
