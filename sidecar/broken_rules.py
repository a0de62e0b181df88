"""The rule that a given value breaks, in the sidecar's own words: those of settings, of indexes' settings, of plans."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_KINDS: Mapping[str, str] = {
    "int": "must be a whole number",
    "float": "must be a number",
    "finite": "must be a finite number",
    "bool": "must be true or false",
    "string": "must be a text",
    "path": "must be a path",
    "list": "must be a list",
    "tuple": "must be a list",
    "dict": "must be an object",
    "model": "must be an object",
    "missing": "must be given",
}
"""By the first word of pydantic's types of errors, as ``int`` of ``int_parsing``."""

_BOUNDS: Mapping[str, str] = {
    "greater_than": "must be greater than {gt:g}",
    "greater_than_equal": "must be at least {ge:g}",
    "less_than": "must be less than {lt:g}",
    "less_than_equal": "must be at most {le:g}",
    "string_too_long": "must have at most {max_length} characters",
    "too_short": "must have at least {min_length} entries",
    "literal_error": "must be {expected}",
    "enum": "must be {expected}",
}
"""Types of errors whose context has the rule."""


def broken_rule(details: Mapping[str, Any]) -> str:
    """The rule, as ``must be at most 65535``, by what pydantic tells of the value that breaks it."""
    kind = details["type"]
    if kind in _BOUNDS:
        return _BOUNDS[kind].format(**details["ctx"])
    if kind == "value_error":
        return str(details["msg"]).removeprefix("Value error, ")
    # `int_from_float`, `bool_parsing`, `path_type` and their like.
    return _KINDS.get(kind.partition("_")[0]) or f"can't be used: {details['msg']}"
