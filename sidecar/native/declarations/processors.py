"""The processors of pipelines that the sidecar carries out itself, as the neural-search plugin would."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

KEY_IN_LISTS: Final = "knn"
"""Of a list of strings `text_embedding` makes a list of objects with this key."""


@dataclass(frozen=True, slots=True)
class TextEmbedding:
    """``field_map`` leads from a field, or an object of fields, to where its vector is put: dotted names, or mappings
    of them. A list of strings becomes a list of objects with the key ``knn``.

    ``skip_existing`` keeps a vector that is there already. With ``ignore_failure`` a document whose content can't be
    embedded is stored without the vector.
    """

    model: str
    field_map: Mapping[str, Any]
    skip_existing: bool = False
    ignore_failure: bool = False


@dataclass(frozen=True, slots=True)
class TextImageEmbedding:
    """One vector at ``embedding``, of a text field, an image field (base64), or both; at least one is there.

    ``skip_existing`` and ``ignore_failure`` are those of `TextEmbedding`.
    """

    model: str
    embedding: str
    text_field: str | None = None
    image_field: str | None = None
    skip_existing: bool = False
    ignore_failure: bool = False


@dataclass(frozen=True, slots=True)
class TextChunking:
    """Cuts texts into lists of chunks, put where ``field_map`` leads from a field.

    ``algorithm`` and ``parameters`` are as `read_chunking` gives them: checked, and with every default filled in.
    With ``ignore_missing`` a field that is missing or null gets no list; else it gets an empty one.
    """

    algorithm: str
    parameters: Mapping[str, Any]
    field_map: Mapping[str, Any]
    ignore_missing: bool = False
    ignore_failure: bool = False


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
    ``geometric_mean`` or ``harmonic_mean``, or ``rrf`` with ``rrf``; ``weights`` are those of the sub-queries, None
    for equal ones; they sum to 1. That they are as many as the sub-queries is for the search to check.
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
