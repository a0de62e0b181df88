"""Python values as JSON has them."""

from __future__ import annotations

import base64
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
    match value:
        case datetime():
            is_zoned = value.tzinfo is not None
            text = (value.astimezone(timezone.utc).replace(tzinfo=None) if is_zoned else value).isoformat()
            return f"{text}Z" if is_zoned else text
        case date() | time():
            return value.isoformat()
        case timedelta():
            return value.total_seconds()
        case Decimal():
            return int(value) if value.as_tuple().exponent == 0 else float(value)
        case bytes() | bytearray() | memoryview():
            return base64.b64encode(value).decode("ascii")
        case UUID():
            return str(value)
    return value
