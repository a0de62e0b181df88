"""Numbers of documents in their scores, computed by the cluster for every candidate, or here for hits at hand."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from sidecar.searching.filter_values import Query, is_number
from sidecar.searching.request import ScoreModifiers

LARGEST_SCORE = 3.4028234663852886e38
"""Scores are float32; the cluster refuses infinite ones."""

# Only the parameters change from search to search, so that the cluster compiles it once.
_SCRIPT = """
double score = _score;
for (int i = 0; i < params.multiply.length; i++) {
  def value = doc[params.multiply[i]];
  if (value.size() > 0) { score *= value.value * params.multiply_weights[i]; }
}
for (int i = 0; i < params.add.length; i++) {
  def value = doc[params.add[i]];
  if (value.size() > 0) { score += value.value * params.add_weights[i]; }
}
return score > 0 ? Math.min(score, params.largest) : 0;
"""


def with_modifiers(query: Query, modifiers: ScoreModifiers | None, field_types: Mapping[str, str]) -> Query:
    """The query, its scores changed by the documents' numbers; fields that hold none are passed over."""
    numbers = of_numbers(modifiers, field_types)
    if numbers is None:
        return query
    params = {
        "multiply": [name for name, _ in numbers.multiply],
        "multiply_weights": [weight for _, weight in numbers.multiply],
        "add": [name for name, _ in numbers.add],
        "add_weights": [weight for _, weight in numbers.add],
        "largest": LARGEST_SCORE,
    }
    return {"script_score": {"query": query, "script": {"source": _SCRIPT, "lang": "painless", "params": params}}}


def of_numbers(modifiers: ScoreModifiers | None, field_types: Mapping[str, str]) -> ScoreModifiers | None:
    """The modifiers of fields that are indexed as numbers; None where there are none."""
    if modifiers is None:
        return None
    multiply, add = (
        tuple((name, weight) for name, weight in entries if is_number(field_types.get(name, "")))
        for entries in (modifiers.multiply, modifiers.add)
    )
    return ScoreModifiers(multiply, add) if multiply or add else None


def modified(score: float, modifiers: ScoreModifiers | None, source: Mapping[str, Any]) -> float:
    """The score of a document with these fields, as the cluster computes it."""
    if modifiers is None:
        return score
    for name, weight in modifiers.multiply:
        if (value := _number(source.get(name))) is not None:
            score *= value * weight
    for name, weight in modifiers.add:
        if (value := _number(source.get(name))) is not None:
            score += value * weight
    return min(score, LARGEST_SCORE) if score > 0 and not math.isnan(score) else 0.0


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None
