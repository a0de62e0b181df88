"""Hits as they are handed to callers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, overload

from sidecar.client.frames import to_dataframe
from sidecar.client.notebook import hits_table, shortened

if TYPE_CHECKING:
    import pandas

_SHOWN_FIELDS = 2


@dataclass(frozen=True, slots=True, repr=False)
class Hit:
    """One document that was found.

    ``fields`` are the document's own. ``highlights`` maps a field to the chunk that scored best, to a box in pixels of
    an image, or to passages with the words that were found. ``tensor_score`` and ``lexical_score`` are those of the
    halves of a hybrid search. ``sort`` has the values that it was sorted by.
    """

    id: str
    score: float | None
    fields: Mapping[str, Any]
    highlights: Mapping[str, Any] = field(default_factory=dict)
    lexical_highlights: Mapping[str, Any] = field(default_factory=dict)
    tensor_score: float | None = None
    lexical_score: float | None = None
    sort: tuple[Any, ...] = ()
    explanation: Mapping[str, Any] | None = None

    def __repr__(self) -> str:
        shown = [f"{name}={shortened(value)!r}" for name, value in list(self.fields.items())[:_SHOWN_FIELDS]]
        more = ["…"] if len(self.fields) > _SHOWN_FIELDS else []
        score = "" if self.score is None else f"score={self.score:.4f}"
        return f"Hit({', '.join([repr(self.id), *filter(None, [score]), *shown, *more])})"

    def _repr_html_(self) -> str:
        return hits_table([self])


@dataclass(frozen=True, slots=True, repr=False)
class Hits(Sequence[Hit]):
    """The hits of one search, best first; a sequence of them.

    ``took_ms`` is the server's time. ``facets`` and ``aggregations`` are None where they were not asked for.
    """

    hits: tuple[Hit, ...]
    query: str | Mapping[str, float] | None
    limit: int
    offset: int
    took_ms: float
    request_id: str
    facets: Mapping[str, Any] | None = None
    aggregations: Mapping[str, Any] | None = None

    def to_dataframe(self) -> pandas.DataFrame:
        """A row for each hit; see `to_dataframe`. Raises: ImportError where pandas is not installed."""
        return to_dataframe(self.hits)

    def __len__(self) -> int:
        return len(self.hits)

    @overload
    def __getitem__(self, index: int) -> Hit: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[Hit, ...]: ...

    def __getitem__(self, index: int | slice) -> Hit | tuple[Hit, ...]:
        return self.hits[index]

    def __repr__(self) -> str:
        best = f", best {self.hits[0]!r}" if self.hits else ""
        return f"Hits({len(self.hits)} of {shortened(self.query)!r}{best})"

    def _repr_html_(self) -> str:
        return hits_table(self.hits)


def hits_of(answer: Mapping[str, Any], request_id: str) -> Hits:
    """The hits of an answer. Raises: KeyError where it is none."""
    return Hits(
        hits=tuple(map(hit_of, answer["hits"])),
        query=answer["query"],
        limit=answer["limit"],
        offset=answer["offset"],
        took_ms=answer["processingTimeMs"],
        request_id=request_id,
        facets=answer.get("facets"),
        aggregations=answer.get("aggregations"),
    )


def hit_of(entry: Mapping[str, Any]) -> Hit:
    """One hit of an answer."""
    own = dict(entry)
    return Hit(
        id=own.pop("_id"),
        score=own.pop("_score"),
        # Where there is none, the wire has an empty list.
        highlights=own.pop("_highlights", None) or {},
        lexical_highlights=own.pop("_lexical_highlights", None) or {},
        tensor_score=own.pop("_tensor_score", None),
        lexical_score=own.pop("_lexical_score", None),
        sort=tuple(own.pop("_sort", ())),
        explanation=own.pop("_explanation", None),
        fields=own,
    )
