"""What is wrong with vectors, by their numbers alone."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.indexing.distinct import distinct
from sidecar.ingest.verification.deep import are_different
from sidecar.ingest.verification.problems import Problem, VectorRules, vector_problems

UNIT = VectorRules(3, has_unit_length=True)
ANY = VectorRules(3)
GOOD = [0.0, 1.0, 0.0]


@pytest.mark.parametrize(
    ("vector", "problem"),
    [
        ([0.0, 1.0], Problem.DIMENSION),
        ([], Problem.DIMENSION),
        (None, Problem.DIMENSION),
        ("text", Problem.DIMENSION),
        ([0.0, math.nan, 0.0], Problem.NOT_FINITE),
        ([0.0, None, 1.0], Problem.NOT_FINITE),
        ([0.0, 1e39, 0.0], Problem.NOT_FINITE),
        ([0.0, "x", 0.0], Problem.NOT_FINITE),
        ([0.0, 0.0, 0.0], Problem.ZERO),
        ([0.0, 1.01, 0.0], Problem.NORM),
    ],
)
def test_one_bad_vector_among_good_ones_is_found(vector: Any, problem: Problem) -> None:
    assert vector_problems([GOOD, GOOD], UNIT) == set()
    assert vector_problems([GOOD, vector, GOOD], UNIT) == {problem}
    if problem is Problem.NORM:
        assert vector_problems([vector], ANY) == set()


@given(st.integers(0, 2**32 - 1), st.sampled_from([1, 32, 1024]), st.text(max_size=5))
def test_vectors_as_they_are_stored_are_of_length_1_and_not_different(seed: int, dimensions: int, name: str) -> None:
    drawn = np.random.default_rng(seed).standard_normal((2, dimensions)).astype(np.float32)
    made = np.asarray(drawn / np.linalg.norm(drawn, axis=-1, keepdims=True), dtype=np.float32)
    stored = distinct(made, name).tolist()
    assert vector_problems(stored, VectorRules(dimensions, has_unit_length=True)) == set()
    assert not are_different(stored, made.tolist())
    assert are_different(stored, made[:1].tolist())
    assert are_different(stored, (-made).tolist())
