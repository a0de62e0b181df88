"""What the read path is asked to do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class SearchMethod(str, Enum):
    """How hits are found, in the wire's spelling."""

    TENSOR = "TENSOR"
    LEXICAL = "LEXICAL"


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """One search.

    ``limit`` hits are returned from ``offset`` on. ``searchable_attributes`` None means all fields, and
    ``attributes_to_retrieve`` None all. ``text_query_prefix``, where not None, takes the place of the index's own.
    """

    q: str
    method: SearchMethod = SearchMethod.TENSOR
    limit: int = 10
    offset: int = 0
    searchable_attributes: tuple[str, ...] | None = None
    attributes_to_retrieve: tuple[str, ...] | None = None
    show_highlights: bool = True
    filter: str | None = None
    text_query_prefix: str | None = None
