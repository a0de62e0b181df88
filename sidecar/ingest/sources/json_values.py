"""Python values as JSON has them."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import numpy as np

_PLAIN = frozenset({str, int, float, bool, type(None)})


def json_value(value: Any) -> Any:
    """The value with numbers, strings, lists and dicts only.

    Dates and times become ISO 8601 (an instant in UTC, with ``Z``), durations seconds, decimal numbers whole ones where
    they have no fraction's places and else floats, bytes base64, arrays lists. What it does not know stays as it is.
    """
    if type(value) in _PLAIN:
        return value
    if isinstance(value, dict):
        return {str(key): json_value(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [json_value(inner) for inner in value]
    if isinstance(value, np.ndarray):
        return value.tolist() if value.dtype.kind in "iufb" else [json_value(inner) for inner in value]
    if isinstance(value, np.generic):
        return json_value(_numpy_item(value))
    return _text_or_number(value)


def _numpy_item(value: np.generic) -> Any:
    """A scalar's Python value; of instants the ISO text, for Python's own end at microseconds."""
    if isinstance(value, np.datetime64):
        return None if np.isnat(value) else str(value)
    return value.item()


def _text_or_number(value: Any) -> Any:
    for kind, convert in _CONVERSIONS:
        if isinstance(value, kind):
            return convert(value)
    return value


def _instant(value: datetime) -> str:
    if value.tzinfo is None:
        return value.isoformat()
    return value.astimezone(timezone.utc).replace(tzinfo=None).isoformat() + "Z"


def _number(value: Decimal) -> int | float:
    return int(value) if value.as_tuple().exponent == 0 else float(value)


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")


_CONVERSIONS: tuple[tuple[Any, Callable[[Any], Any]], ...] = (
    (datetime, _instant),  # before date, which it is too
    ((date, time), lambda value: value.isoformat()),
    (timedelta, lambda value: value.total_seconds()),
    (Decimal, _number),
    ((bytes, bytearray, memoryview), _base64),
    (UUID, str),
)
