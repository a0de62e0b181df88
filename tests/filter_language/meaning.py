"""What a filter asks, as a tree that knows nothing of its spelling, and which documents that is true of.

Written from the contract and from what Lucene documents, apart from the product: it looks at each document in turn.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import Enum
from typing import Any, Literal

import numpy as np

from tests.filter_language.corpus import Document, values


class Wild(Enum):
    """What stands for other characters, as it is written: for any number of them, or for one."""

    ANY = "*"
    ONE = "?"


@dataclass(frozen=True)
class Everything:
    """Every document."""

    def holds(self, document: Document) -> bool:
        return True


@dataclass(frozen=True)
class Nothing:
    """No document, for ``text`` has no field."""

    text: str

    def holds(self, document: Document) -> bool:
        return False


@dataclass(frozen=True)
class Present:
    """The field has a value."""

    field: str

    def holds(self, document: Document) -> bool:
        return bool(values(document, self.field))


@dataclass(frozen=True)
class Equal:
    """A value of the field is what ``text`` says."""

    field: str
    text: str

    def holds(self, document: Document) -> bool:
        return any(_is_equal(value, self.text) for value in values(document, self.field))


@dataclass(frozen=True)
class Like:
    """A whole value of the field is these pieces one after another."""

    field: str
    pieces: tuple[str | Wild, ...]

    def holds(self, document: Document) -> bool:
        signs = {Wild.ANY: ".*", Wild.ONE: "."}
        pattern = "".join(signs[piece] if isinstance(piece, Wild) else re.escape(piece) for piece in self.pieces)
        return _any_text(document, self.field, lambda text: bool(re.fullmatch(pattern, text, re.DOTALL)))


@dataclass(frozen=True)
class Matching:
    """A whole value of the field matches a pattern, of those that mean the same to Lucene and to Python."""

    field: str
    pattern: str

    def holds(self, document: Document) -> bool:
        return _any_text(document, self.field, lambda text: bool(re.fullmatch(self.pattern, text, re.DOTALL)))


@dataclass(frozen=True)
class Near:
    """A value of the field is at most ``edits`` letters from ``text``; None: OpenSearch's AUTO."""

    field: str
    text: str
    edits: int | None

    def holds(self, document: Document) -> bool:
        length = len(self.text)
        edits = (0 if length < 3 else 1 if length < 6 else 2) if self.edits is None else self.edits
        return _any_text(document, self.field, lambda text: distance(text, self.text) <= edits)


@dataclass(frozen=True)
class Between:
    """A value of the field lies between the ends; None is open."""

    field: str
    low: str | None
    high: str | None
    include_low: bool
    include_high: bool

    def holds(self, document: Document) -> bool:
        return any(self._has(value) for value in values(document, self.field))

    def _has(self, value: Any) -> bool:
        if isinstance(value, bool | dict):
            return False
        ends = [None if end is None else _as_kind(value, end) for end in (self.low, self.high)]
        if any(end is None and told is not None for end, told in zip(ends, (self.low, self.high), strict=True)):
            return False
        own = _as_kind(value, value)
        low, high = ends
        above = low is None or own > low or (self.include_low and own == low)
        return above and (high is None or own < high or (self.include_high and own == high))


@dataclass(frozen=True)
class Operand:
    """One part of a chain: what joins it to the part before ("" where nothing does), and its sign."""

    joint: Literal["", "AND", "OR"]
    sign: Literal["", "+", "-"]
    node: Node


@dataclass(frozen=True)
class Chain:
    """Parts joined as Lucene joins them: AND makes both its neighbours required, in the order of writing."""

    operands: tuple[Operand, ...]

    def holds(self, document: Document) -> bool:
        roles: list[str] = []
        for number, operand in enumerate(self.operands):
            if number and operand.joint == "AND" and roles[-1] == "optional":
                roles[-1] = "required"
            is_required = operand.sign == "+" or (number > 0 and operand.joint == "AND")
            roles.append("prohibited" if operand.sign == "-" else "required" if is_required else "optional")
        found: dict[str, list[bool]] = {"required": [], "optional": [], "prohibited": []}
        for role, operand in zip(roles, self.operands, strict=True):
            found[role].append(operand.node.holds(document))
        if any(found["prohibited"]) or not all(found["required"]):
            return False
        return bool(found["required"]) or not found["optional"] or any(found["optional"])


Leaf = Everything | Nothing | Present | Equal | Like | Matching | Near | Between
Node = Leaf | Chain


def distance(first: str, second: str) -> int:
    """Letters to insert, delete, replace or swap with their neighbour; no letter is changed twice."""
    rows = [list(range(len(second) + 1))]
    for i, letter in enumerate(first, start=1):
        row = [i]
        for j, other in enumerate(second, start=1):
            best = min(rows[-1][j] + 1, row[-1] + 1, rows[-1][j - 1] + (letter != other))
            if i > 1 and j > 1 and letter == second[j - 2] and first[i - 2] == other:
                best = min(best, rows[-2][j - 2] + 1)
            row.append(best)
        rows.append(row)
    return rows[-1][-1]


def _any_text(document: Document, field: str, test: Callable[[str], bool]) -> bool:
    return any(isinstance(value, str) and test(value) for value in values(document, field))


def _is_equal(value: Any, text: str) -> bool:
    if isinstance(value, bool):
        return text == str(value).lower()
    return not isinstance(value, dict) and _as_kind(value, value) == _as_kind(value, text)


def _as_kind(value: Any, end: Any) -> Any:
    """``end`` as what ``value`` can be compared with, None where it can't be; decimals are stored in 32 bits."""
    if isinstance(value, str):
        return end
    try:
        number = Decimal(str(end))
    except InvalidOperation:
        return None
    if not number.is_finite():
        return None
    with np.errstate(over="ignore"):
        return np.float32(float(number)) if isinstance(value, float) else number
