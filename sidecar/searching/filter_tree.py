"""What a filter string says, field by field, before anything is known of the fields' types."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Everything:
    """Every document: ``*:*``."""


@dataclass(frozen=True, slots=True)
class Nothing:
    """No document: an empty filter, or a value without a field."""


@dataclass(frozen=True, slots=True)
class Present:
    """The field has a value: ``color:*``."""

    field: str


@dataclass(frozen=True, slots=True)
class Value:
    """The field has this value: ``color:red``. Words side by side, as in ``color:(dark red)``, are apart."""

    field: str
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Wildcard:
    """A value looks like ``pattern``, where ``*`` and ``?`` are wild and a backslash takes that from them.

    ``position`` is where the pattern begins in the filter, in characters from 0.
    """

    field: str
    pattern: str
    position: int


@dataclass(frozen=True, slots=True)
class Regexp:
    """A whole value matches ``pattern``, a regular expression of Lucene, whose slash is at ``position``."""

    field: str
    pattern: str
    position: int


@dataclass(frozen=True, slots=True)
class Fuzzy:
    """A value is at most ``edits`` letters from ``text``; None: as many as OpenSearch deems fit. It is written at
    ``position``."""

    field: str
    text: str
    edits: int | None
    position: int


@dataclass(frozen=True, slots=True)
class Between:
    """A value lies between the ends; an end that is None is open, but not both are."""

    field: str
    low: str | None
    high: str | None
    include_low: bool
    include_high: bool


@dataclass(frozen=True, slots=True)
class Combination:
    """All of ``every``, at least one of ``some`` if there are any, and none of ``no``."""

    every: tuple[Node, ...]
    some: tuple[Node, ...]
    no: tuple[Node, ...]


Leaf = Present | Value | Wildcard | Regexp | Fuzzy | Between
Node = Everything | Nothing | Leaf | Combination
