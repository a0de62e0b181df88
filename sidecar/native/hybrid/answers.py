"""The answers of the searches that a hybrid search takes, as far as they must be understood."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from sidecar.native.errors import ILLEGAL_ARGUMENT, Refused
from sidecar.native.json.cursor import Cursor

Key = tuple[str, str, str]
"""What makes a document one: its index, id and routing."""
Range = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Hit:
    """A hit, which stands in ``text`` from ``start`` to ``end``."""

    key: Key
    score: float
    text: str
    start: int
    end: int


@dataclass(slots=True)
class SearchAnswer:
    """One search's answer. ``parts`` are where the values of its keys stand in ``text``, in their order; ``values`` are
    the short ones. ``total`` is the text of `hits.total`, or None."""

    text: str
    start: int
    end: int = 0
    parts: dict[str, Range] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)
    total: str | None = None
    hits: list[Hit] = field(default_factory=list)

    @property
    def is_error(self) -> bool:
        """True where the search failed."""
        return "error" in self.parts

    def part(self, key: str) -> str:
        """The text of a key's value."""
        start, end = self.parts[key]
        return self.text[start:end]


def read_answer(cursor: Cursor) -> SearchAnswer:
    """The answer that comes next. Raises: NotJson; Refused where hits have no ids."""
    cursor.skip_blanks()
    answer = SearchAnswer(cursor.text, cursor.place)
    for key in cursor.members():
        start = cursor.place
        if key == "hits":
            _read_hits(cursor, answer)
        else:
            value = cursor.value()
            if key not in {"aggregations", "profile", "suggest"}:
                answer.values[key] = value
        answer.parts[key] = (start, cursor.place)
    answer.end = cursor.place
    return answer


def read_answers(text: str) -> Iterator[SearchAnswer]:
    """The answers of a multi-search. Raises: as `read_answer`."""
    cursor = Cursor(text)
    for key in cursor.members():
        if key != "responses":
            cursor.value()
            continue
        for _ in cursor.items():
            yield read_answer(cursor)


def _read_hits(cursor: Cursor, answer: SearchAnswer) -> None:
    for key in cursor.members():
        start = cursor.place
        if key == "hits":
            answer.hits.extend(_hits(cursor))
            continue
        cursor.value()
        if key == "total":
            answer.total = cursor.text[start : cursor.place]


def _hits(cursor: Cursor) -> Iterator[Hit]:
    for _ in cursor.items():
        start = cursor.place
        hit = cursor.value()
        if "_id" not in hit:
            raise Refused(ILLEGAL_ARGUMENT, "[hybrid] query does not support [stored_fields] of [_none_]")
        key = (hit["_index"], hit["_id"], hit.get("_routing", ""))
        yield Hit(key, float(hit["_score"]), cursor.text, start, cursor.place)
