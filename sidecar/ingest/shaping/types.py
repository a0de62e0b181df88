"""Makes values of other types of what is text in a source."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import orjson

from sidecar.errors import InvalidArgument
from sidecar.indexing.names import shortened

_INT = re.compile(r"[+-]?\d+(?:\.0*)?", re.ASCII)
_FLOAT = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_BOOLEANS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def converted(field: str, kind: str, value: Any) -> Any:
    """The value of a field as one of ``kind``, a key of `CONVERSIONS`; one that is of it already stays.

    Raises: InvalidArgument, naming the field and the value.
    """
    try:
        return CONVERSIONS[kind](value)
    except (ValueError, TypeError) as error:
        raise InvalidArgument(f"field {field!r} is {shortened(value)}, which is no {kind}: {error}") from error


def _int(value: Any) -> int:
    if isinstance(value, int):
        return int(value)  # of a boolean too
    if isinstance(value, float) and value.is_integer():
        return int(value)
    text = _text(value)
    if not _INT.fullmatch(text):
        raise ValueError("give a whole number")
    return int(text.partition(".")[0])


def _float(value: Any) -> float:
    if isinstance(value, (int, float)):
        return float(value)
    text = _text(value)
    if not _FLOAT.fullmatch(text):
        raise ValueError("give a number as 12.5 or 1e3")
    return float(text)


def _bool(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    known = _BOOLEANS.get((str(value) if isinstance(value, int) else _text(value)).lower())
    if known is None:
        raise ValueError("give true or false, yes or no, 1 or 0")
    return known


def _json(value: Any) -> Any:
    return orjson.loads(value) if isinstance(value, str) else value


def _list(value: Any) -> list[Any]:
    """Parts between commas, or a JSON array."""
    if isinstance(value, list):
        return value
    text = _text(value)
    if text.startswith("["):
        values: list[Any] = orjson.loads(text)
        return values
    return [part for part in (part.strip() for part in text.split(",")) if part]


def _str(value: Any) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"it is {type(value).__name__}, not text")
    return value.strip()


CONVERSIONS: Mapping[str, Callable[[Any], Any]] = {
    "int": _int,
    "float": _float,
    "bool": _bool,
    "json": _json,
    "list": _list,
    "str": _str,
}
"""Name of a type -> what makes a value of it; it raises ValueError or TypeError."""
