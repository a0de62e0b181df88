"""The processors of pipelines that the sidecar carries out itself, as the neural-search plugin would."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class TextEmbedding:
    """``field_map`` leads from a field, or an object of fields, to where its vector is put: dotted names, or mappings
    of them. A list of strings becomes a list of objects with the key ``knn``."""

    model: str
    field_map: Mapping[str, Any]
    skip_existing: bool = False


@dataclass(frozen=True, slots=True)
class TextImageEmbedding:
    """One vector at ``embedding``, of a text field, an image field (base64), or both."""

    model: str
    embedding: str
    text_field: str | None = None
    image_field: str | None = None
    skip_existing: bool = False


@dataclass(frozen=True, slots=True)
class TextChunking:
    """Cuts texts into lists of chunks; ``algorithm`` is ``fixed_token_length``, ``fixed_char_length`` or
    ``delimiter``, ``parameters`` its own."""

    algorithm: str
    parameters: Mapping[str, Any]
    field_map: Mapping[str, Any]


IngestProcessor = TextEmbedding | TextImageEmbedding | TextChunking


@dataclass(frozen=True, slots=True)
class Bound:
    """A score that takes the place of the least or largest of a sub-query's; ``mode`` is ``apply``, ``clip`` or
    ``ignore``."""

    score: float
    mode: str = "apply"


@dataclass(frozen=True, slots=True)
class Combination:
    """How the halves of a hybrid query become one order.

    ``normalization`` is ``min_max``, ``l2``, ``z_score`` or ``rrf``; ``technique`` ``arithmetic_mean``,
    ``geometric_mean`` or ``harmonic_mean``; ``weights`` are those of the sub-queries, None for equal ones;
    ``rank_constant`` is of ``rrf``; the bounds are of ``min_max``, one for each sub-query.
    """

    normalization: str = "min_max"
    technique: str = "arithmetic_mean"
    weights: tuple[float, ...] | None = None
    rank_constant: int = 60
    lower_bounds: tuple[Bound, ...] | None = None
    upper_bounds: tuple[Bound, ...] | None = None


@dataclass(frozen=True, slots=True)
class SearchPipeline:
    """What a search pipeline has the sidecar do: a model for queries that name none, by field or for all, and the
    combination of hybrid queries."""

    default_model: str | None = None
    model_of_field: Mapping[str, str] | None = None
    combination: Combination = Combination()
