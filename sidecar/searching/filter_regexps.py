"""Regular expressions of filters, looked through before the cluster compiles them.

The syntax is that of Lucene's RegExp with all its operators.
"""

from __future__ import annotations

from dataclasses import dataclass

from sidecar.errors import InvalidArgument
from sidecar.searching.filter_errors import filter_error

MAX_LENGTH = 1_000
"""Characters in a regular expression; OpenSearch's own limit (``index.max_regex_length``)."""
MAX_DEPTH = 50
"""Parentheses within one another."""

_DIGITS = "0123456789"
_CLASSES = "dDsSwW"
_ENOUGH = 10**9  # no sum needs to be told from this


def regexp_work(pattern: str, position: int) -> int:
    """How many states and transitions Lucene writes out for the pattern, about; at most ``10**9``.

    Repeats are written out. What may be empty can be passed over, so that in a row of n such parts each leads to each
    of those behind it: n² transitions. ``position`` is the place of the pattern in the filter, for errors.
    Raises: InvalidArgument for a pattern that Lucene can't read, and for one beyond the limits.
    """
    if len(pattern) > MAX_LENGTH:
        raise filter_error(
            position, f"the regular expression has {len(pattern):,} characters; the limit is {MAX_LENGTH:,}"
        )
    # The pattern stands between slashes.
    return _Regexp(pattern, position + 1).work()


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of a pattern: its characters with all repeats written out, the work, and whether it may match nothing."""

    size: int
    work: int
    may_be_empty: bool = False


_CHARACTER = _Part(1, 1)
_NOTHING = _Part(0, 0, may_be_empty=True)


def _in_a_row(parts: list[_Part]) -> _Part:
    size = work = row = 0
    for part in parts:
        size += part.size
        row = row + part.size if part.may_be_empty else 0
        work += part.work + part.size * row
    return _Part(min(size, _ENOUGH), min(work, _ENOUGH), all(part.may_be_empty for part in parts))


def _repeated(part: _Part, times: int, *, may_be_empty: bool) -> _Part:
    size = min(part.size * times, _ENOUGH)
    work = size * size if part.may_be_empty and times > 1 else part.work * times
    return _Part(size, min(work, _ENOUGH), may_be_empty or part.may_be_empty)


class _Regexp:
    """Reads one pattern from left to right. Each method reads one part of it."""

    def __init__(self, pattern: str, position: int) -> None:
        self._pattern = pattern
        self._start = position
        self._place = 0

    def work(self) -> int:
        if not self._pattern:
            return 0
        part = self._choices(0)
        if self._place < len(self._pattern):
            raise self._error("this parenthesis was not opened")
        return part.work

    def _choices(self, depth: int) -> _Part:
        parts = [self._intersections(depth)]
        while self._take("|"):
            parts.append(self._intersections(depth))
        size, work = sum(part.size for part in parts), sum(part.work for part in parts)
        return _Part(min(size, _ENOUGH), min(work, _ENOUGH), any(part.may_be_empty for part in parts))

    def _intersections(self, depth: int) -> _Part:
        part = self._sequence(depth)
        while self._take("&"):
            other = self._sequence(depth)
            size = min(part.size * other.size, _ENOUGH)
            work = min(size + part.work + other.work, _ENOUGH)
            part = _Part(size, work, part.may_be_empty and other.may_be_empty)
        return part

    def _sequence(self, depth: int) -> _Part:
        parts = [self._with_repeats(depth)]
        while self._place < len(self._pattern) and self._next not in ")|&":
            parts.append(self._with_repeats(depth))
        return _in_a_row(parts)

    def _with_repeats(self, depth: int) -> _Part:
        part = self._one(depth)
        while self._next and self._next in "?*+{":
            if self._take("+"):
                part = _repeated(part, 2, may_be_empty=False)
            elif self._take("{"):
                least, times = self._times()
                part = _repeated(part, times, may_be_empty=not least)
            else:
                self._place += 1
                part = _repeated(part, 1, may_be_empty=True)
        return part

    def _times(self) -> tuple[int, int]:
        """What stands in braces: the least number of times, and how often the part is written out."""
        start = self._place - 1
        least = self._number()
        most = least
        if self._take(","):
            most = self._number() if self._next and self._next in _DIGITS else None
        if least is None or not self._take("}"):
            raise self._error("a count in braces is one number or two, as in {2} or {2,5}", start)
        if most is not None and most < least:
            raise self._error(f"the counts {least} and {most} are the wrong way round", start)
        return least, max(1, least + 1 if most is None else most)

    def _number(self) -> int | None:
        start = self._place
        while self._next and self._next in _DIGITS:
            self._place += 1
        digits = self._pattern[start : self._place]
        return int(digits) if digits else None

    def _one(self, depth: int) -> _Part:
        while self._take("~"):
            if not self._next or self._next in ")|&":
                return _CHARACTER  # to OpenSearch 3 it is one
        start = self._place
        if self._take("["):
            return self._character_class(start)
        if self._take('"'):
            length = len(self._until('"', start, "this quote is not closed"))
            return _Part(length, length, may_be_empty=not length)
        if self._take("<"):
            return self._interval(start)
        if self._take("("):
            return self._group(depth + 1, start)
        is_any_text = self._take("@")
        if not is_any_text:
            self._character()
        return _Part(1, 1, may_be_empty=is_any_text)

    def _group(self, depth: int, start: int) -> _Part:
        if depth > MAX_DEPTH:
            raise self._error(f"more than {MAX_DEPTH} parentheses within one another", start)
        if self._take(")"):
            return _NOTHING
        part = self._choices(depth)
        if not self._take(")"):
            raise self._error("this parenthesis is not closed", start)
        return part

    def _character_class(self, start: int) -> _Part:
        self._take("^")
        is_first = True
        while is_first or not self._take("]"):
            if not self._next:
                raise self._error("this bracket is not closed", start)
            is_first = False
            place = self._place
            low = self._character()
            if low is not None and self._take("-"):
                high = self._character()
                if high is not None and low > high:
                    raise self._error(f"the range from {low!r} to {high!r} is the wrong way round", place)
        return _CHARACTER

    def _character(self) -> str | None:
        """One character; None for a class of them, as ``\\d``."""
        start = self._place
        if not self._next:
            raise self._error("the regular expression ends too early")
        if not self._take("\\"):
            self._place += 1
            return self._pattern[start]
        escaped = self._next
        if not escaped:
            raise self._error("no character follows this backslash", start)
        self._place += 1
        if escaped in _CLASSES:
            return None
        if escaped.isascii() and escaped.isalpha():
            raise self._error(f"there is no class \\{escaped}; the classes are \\d \\D \\s \\S \\w \\W", start)
        return escaped

    def _interval(self, start: int) -> _Part:
        ends = self._until(">", start, "this < is not closed; put a backslash before it if it is meant").split("-")
        if len(ends) != 2 or not all(end.isascii() and end.isdigit() and len(end) < 10 for end in ends):
            raise self._error(
                "between < and > stand two whole numbers, as in <1-20>; put a backslash before < if it is meant", start
            )
        size = 10 * max(len(end) for end in ends)
        return _Part(size, size)

    def _until(self, sign: str, start: int, trouble: str) -> str:
        end = self._pattern.find(sign, self._place)
        if end < 0:
            raise self._error(trouble, start)
        inner = self._pattern[self._place : end]
        self._place = end + 1
        return inner

    @property
    def _next(self) -> str:
        """The character to read next; empty at the end."""
        return self._pattern[self._place : self._place + 1]

    def _take(self, sign: str) -> bool:
        if self._next != sign:
            return False
        self._place += 1
        return True

    def _error(self, trouble: str, place: int | None = None) -> InvalidArgument:
        return filter_error(self._start + (self._place if place is None else place), trouble)
