"""What can be wrong with the vectors of a field."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np

NORM_TOLERANCE = 1e-4
"""How far from 1 the length of a normalised vector may be. The rounding of a thousand float32 numbers, and what
`distinct` adds, stay within a hundredth of it."""


class Problem(str, Enum):
    """What is wrong; the value is how it is told."""

    MISSING = "missing"
    LEFT_OVER = "left over"
    DIMENSION = "wrong dimension"
    NOT_FINITE = "not finite"
    ZERO = "zero"
    NORM = "wrong norm"
    SPAN = "outside of the text"
    STALE = "stale"
    UNKNOWN_ORIGIN = "unknown origin"
    DIFFERENT = "different when embedded anew"
    UNREADABLE = "unreadable"
    UNMAPPED = "not mapped"
    MAPPED_OTHERWISE = "mapped with other dimensions"


MEANINGS = {
    Problem.MISSING: "there is content, and no vector",
    Problem.LEFT_OVER: "there are vectors, and no content",
    Problem.DIMENSION: "vectors have not the dimensions of the field's model",
    Problem.NOT_FINITE: "a vector has a number that is none, or is missing",
    Problem.ZERO: "all numbers of a vector are 0",
    Problem.NORM: "a vector's length is not 1",
    Problem.SPAN: "a chunk's place is outside of its text",
    Problem.STALE: "vectors are of another text, another model or other settings than the document and the index have",
    Problem.UNKNOWN_ORIGIN: "nothing tells of what text and model the vectors are",
    Problem.DIFFERENT: "the model gives other vectors for the content",
    Problem.UNREADABLE: "the cluster does not give the document's vectors as they are stored",
    Problem.UNMAPPED: "the field is declared, but the mapping has no place for its vectors",
    Problem.MAPPED_OTHERWISE: "the mapping has other dimensions than the declaration",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem of one field of a document. It ``is_repairable`` where embedding the field anew mends it."""

    field: str
    problem: Problem
    is_repairable: bool = False


@dataclass(frozen=True, slots=True)
class VectorRules:
    """What vectors must be like; where not ``has_unit_length``, any length is right."""

    dimensions: int
    has_unit_length: bool = False


def vector_problems(vectors: Sequence[Any], rules: VectorRules) -> set[Problem]:
    """What is wrong with any of these vectors, at least one, lists of numbers out of JSON."""
    lengths = {len(vector) if isinstance(vector, list) else -1 for vector in vectors}
    if lengths - {rules.dimensions}:
        return {Problem.DIMENSION}
    try:
        with np.errstate(over="ignore"):
            numbers = np.array(vectors, dtype=np.float32)
    except (TypeError, ValueError):
        return {Problem.NOT_FINITE}
    if not np.isfinite(numbers).all():
        return {Problem.NOT_FINITE}
    norms = np.linalg.norm(numbers.astype(np.float64), axis=-1)
    found = set()
    if (norms == 0).any():
        found.add(Problem.ZERO)
    if rules.has_unit_length and (np.abs(norms[norms > 0] - 1) > NORM_TOLERANCE).any():
        found.add(Problem.NORM)
    return found
