"""Values of a filter as OpenSearch queries on typed fields, such that the cluster never refuses one.

OpenSearch answers 400 to a value that its field's type can't hold. Here such a value matches no document.
"""

from __future__ import annotations

import datetime
import math
import re
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any

Query = dict[str, Any]

MATCH_NONE: Query = {"match_none": {}}

_INTEGERS = {
    "byte": (-(2**7), 2**7 - 1),
    "short": (-(2**15), 2**15 - 1),
    "integer": (-(2**31), 2**31 - 1),
    "long": (-(2**63), 2**63 - 1),
    "unsigned_long": (0, 2**64 - 1),
}
# The least that is too large for each; what is a little less is rounded to the largest that is not.
_TOO_LARGE_DECIMALS = {
    "half_float": 65520.0,
    "float": 2.0**128 - 2.0**103,
    "double": math.inf,
    "scaled_float": math.inf,
}
# Stored decimals tell zero from minus zero, which lies below it; to a filter they are one number.
_ZERO_AS_END = {"gte": -0.0, "gt": 0.0, "lte": 0.0, "lt": -0.0}
# Exponents are held short, so that no number takes long to compute with.
_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,4})?", re.ASCII)

_DATE = re.compile(
    r"""
    (?P<year>\d{4}) (?: [-/](?P<month>\d\d) (?: [-/](?P<day>\d\d)
    (?: [T ] (?P<hour>\d\d) (?: :(?P<minute>\d\d) (?: :(?P<second>\d\d) (?:[.,]\d{1,9})? )? )?
        (?: Z | [+-](?:0\d|1[0-7])(?::?[0-5]\d)? )? )? )? )?
    """,
    re.VERBOSE | re.ASCII,
)
_DATE_MATH = re.compile(r"now(?:[+-]\d{1,4}[yMwdhHms])*(?:/[yMwdhHms])?", re.ASCII)
_EPOCH_MILLIS = re.compile(r"\d{5,14}", re.ASCII)  # four digits are a year
_DATE_FORMAT = "strict_date_optional_time||epoch_millis"


def is_scalar(field_type: str) -> bool:
    """True for the types that ``equals`` and ``between`` know: numbers, dates and booleans."""
    return is_number(field_type) or field_type in ("boolean", "date")


def is_number(field_type: str) -> bool:
    """True for the types whose values are numbers."""
    return field_type in _INTEGERS or field_type in _TOO_LARGE_DECIMALS


def equals(field: str, field_type: str, text: str) -> Query:
    """Documents with that number, boolean or date; "2020-01" is every time in that month."""
    if field_type == "boolean":
        return {"term": {field: text == "true"}} if text in ("true", "false") else MATCH_NONE
    return between(field, field_type, (text, True), (text, True))


def between(field: str, field_type: str, low: tuple[str, bool] | None, high: tuple[str, bool] | None) -> Query:
    """Documents with a number or date between the ends, each (text, included); None where open, not both."""
    if field_type in _INTEGERS:
        return _between_integers(field, _INTEGERS[field_type], low, high)
    if field_type in _TOO_LARGE_DECIMALS:
        return _between_decimals(field, _TOO_LARGE_DECIMALS[field_type], low, high)
    return _between_dates(field, low, high) if field_type == "date" else MATCH_NONE


def _between_integers(
    field: str, limits: tuple[int, int], low: tuple[str, bool] | None, high: tuple[str, bool] | None
) -> Query:
    first, last = (Decimal(limit) for limit in limits)
    if low is not None:
        number = _number(low[0])
        if number is None:
            return MATCH_NONE
        whole = number.to_integral_value(ROUND_CEILING)
        first = max(first, whole + 1 if whole == number and not low[1] else whole)
    if high is not None:
        number = _number(high[0])
        if number is None:
            return MATCH_NONE
        whole = number.to_integral_value(ROUND_FLOOR)
        last = min(last, whole - 1 if whole == number and not high[1] else whole)
    if first > last:
        return MATCH_NONE
    if first == last:
        return {"term": {field: int(first)}}
    ends = {"gte": int(first) if low else None, "lte": int(last) if high else None}
    return {"range": {field: {end: value for end, value in ends.items() if value is not None}}}


def _between_decimals(
    field: str, too_large: float, low: tuple[str, bool] | None, high: tuple[str, bool] | None
) -> Query:
    if low is not None and low == high and low[1] and (exact := _number(low[0])) != 0:
        fits = exact is not None and abs(float(exact)) < too_large
        return {"term": {field: float(exact)}} if exact is not None and fits else MATCH_NONE
    ends: dict[str, float] = {}
    for end, (closed, open_) in ((low, ("gte", "gt")), (high, ("lte", "lt"))):
        if end is None:
            continue
        number = _number(end[0])
        if number is None:
            return MATCH_NONE
        if abs(float(number)) < too_large:
            kind = closed if end[1] else open_
            ends[kind] = float(number) or _ZERO_AS_END[kind]
        elif (end is low) == (number > 0):
            return MATCH_NONE  # beyond all that the field can hold; on the other side it is no bound at all
    return {"range": {field: ends}} if ends else {"exists": {"field": field}}


def _number(text: str) -> Decimal | None:
    return Decimal(text) if _NUMBER.fullmatch(text) else None


def _between_dates(field: str, low: tuple[str, bool] | None, high: tuple[str, bool] | None) -> Query:
    ends: dict[str, str] = {}
    for end, (closed, open_) in ((low, ("gte", "gt")), (high, ("lte", "lt"))):
        if end is None:
            continue
        date = _date(end[0])
        if date is None:
            return MATCH_NONE
        ends[closed if end[1] else open_] = date
    return {"range": {field: {**ends, "format": _DATE_FORMAT}}}


def _date(text: str) -> str | None:
    """The date as ISO 8601, milliseconds since 1970 or OpenSearch's date mathematics; None for others."""
    if _EPOCH_MILLIS.fullmatch(text) or _DATE_MATH.fullmatch(text):
        return text
    found = _DATE.fullmatch(text)
    if found is None:
        return None
    year, month, day, hour, minute, second = (int(part) if part else None for part in found.groups())
    try:
        datetime.datetime(year or 0, month or 1, day or 1, hour or 0, minute or 0, second or 0)
    except ValueError:
        return None
    iso = text.replace("/", "-").replace(" ", "T")
    # A range's end is rounded up to the end of its day, but not of its month or year: that takes mathematics.
    return iso + ("||/y" if month is None else "||/M" if day is None else "")
