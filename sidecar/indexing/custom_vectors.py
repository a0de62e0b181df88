"""Vectors that a document brings itself, for fields that are mapped so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from sidecar.embedding.loader import Embeddings
from sidecar.errors import InvalidArgument

_KEYS = ("content", "vector")
_NUMBERS = {int, float}


@dataclass(frozen=True, slots=True)
class CustomValue:
    """What a field with a vector of its own is: ``content`` is stored; ``vector`` is float32, shape (dimensions,)."""

    content: str
    vector: Embeddings


@dataclass(frozen=True, slots=True)
class VectorRules:
    """What the vectors of a field must be like."""

    dimensions: int
    space_type: str


def read_custom_vector(name: str, value: dict[str, Any], rules: VectorRules) -> CustomValue:
    """The content, empty where there is none, and the vector of field ``name``; the vector stays as it is.

    Raises: InvalidArgument, naming the field and the rule.
    """
    unknown = [key for key in value if key not in _KEYS]
    if unknown:
        raise InvalidArgument(f"field {name!r}, a custom_vector, has the key {unknown[0]!r}; known: {', '.join(_KEYS)}")
    content = value.get("content", "")
    if not isinstance(content, str):
        raise InvalidArgument(f"field {name!r}, a custom_vector: 'content' must be a string")
    return CustomValue(content, _vector(name, value.get("vector"), rules))


def _vector(name: str, numbers: Any, rules: VectorRules) -> Embeddings:
    if not isinstance(numbers, list):
        raise InvalidArgument(f"field {name!r}, a custom_vector: 'vector' must be a list of {rules.dimensions} numbers")
    if len(numbers) != rules.dimensions:
        raise InvalidArgument(
            f"field {name!r}, a custom_vector: 'vector' has {len(numbers)} numbers; the field's vectors have "
            f"{rules.dimensions} dimensions"
        )
    # By their types first: looking at each of 384 numbers takes ten times as long.
    if not set(map(type, numbers)) <= _NUMBERS:
        wrong = [number for number in numbers if isinstance(number, bool) or not isinstance(number, (int, float))]
        if wrong:
            raise InvalidArgument(
                f"field {name!r}, a custom_vector: 'vector' must have numbers only, not {type(wrong[0]).__name__}"
            )
    vector = _as_array(numbers)
    if not np.isfinite(vector).all():
        raise InvalidArgument(f"field {name!r}, a custom_vector: 'vector' has a number beyond float32's range")
    if rules.space_type == "cosinesimil" and not vector.any():
        raise InvalidArgument(
            f"field {name!r}, a custom_vector: all numbers of 'vector' are 0, which has no direction for cosinesimil"
        )
    return vector


def _as_array(numbers: list[float]) -> Embeddings:
    """float32; what is beyond its range is infinite."""
    with np.errstate(over="ignore"):
        try:
            return np.array(numbers, dtype=np.float32)
        except OverflowError:  # of whole numbers beyond float64's range
            return np.full(len(numbers), np.inf, dtype=np.float32)
