"""How sure the means of a measure are, and the differences between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import bootstrap

SIGNIFICANT = 0.05
"""A difference is called significant where its p value, corrected for the number of comparisons, is below this."""

RESAMPLES = 10_000
"""Random signs of a test: they give a p value of 0.05 to within 0.005."""

INTERVAL_RESAMPLES = 2_000
"""As many as Efron and Tibshirani ask for the ends of an interval, and more."""

SEED = 20_240_229
"""The same figures give the same report."""

_NUMBERS_AT_ONCE = 4_000_000
_ROUNDING = 1e-9

Differences = NDArray[np.float64]
"""Values of one choice minus those of another: shape (comparisons, queries)."""


@dataclass(frozen=True)
class Interval:
    """From where to where a mean lies with 95 % confidence."""

    low: float
    high: float


def mean_interval(values: Sequence[float]) -> Interval | None:
    """The 95 % confidence interval of the mean, by the percentile bootstrap over queries.

    Method: B. Efron, R. Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13. None for fewer than two values.
    """
    if len(values) < 2:
        return None
    found = bootstrap(
        (np.asarray(values, dtype=np.float64),),
        np.mean,
        vectorized=True,
        n_resamples=INTERVAL_RESAMPLES,
        batch=_batch(len(values)),
        method="percentile",
        random_state=np.random.default_rng(SEED),
    ).confidence_interval
    return Interval(float(found.low), float(found.high))


def paired_p_values(differences: Differences) -> list[float]:
    """Two-sided p values of paired randomisation tests: could chance alone part two choices as far as this?

    If two choices were equally good, each query's difference could as well have the other sign. The p value is the part
    of random signs whose sum is as far from 0 as the one found, which counts among them, so it is never 0.
    Method: M. Smucker, J. Allan, B. Carterette, A Comparison of Statistical Significance Tests for Information
    Retrieval Evaluation, CIKM 2007; that the found one counts: B. Phipson, G. Smyth, Permutation P-values Should Never
    Be Zero, 2010. One set of signs serves all comparisons in a product of matrices: `scipy.stats.permutation_test`,
    which agrees, takes 0.4 s for each comparison of 300 queries.
    """
    comparisons, queries = differences.shape
    found = np.abs(differences.sum(axis=1)) - _ROUNDING
    as_far = np.ones(comparisons)
    generator = np.random.default_rng(SEED)
    batch = _batch(queries)
    for done in range(0, RESAMPLES, batch):
        size = (min(batch, RESAMPLES - done), queries)
        signs = generator.integers(0, 2, size, dtype=np.int8).astype(np.float64) * 2 - 1
        as_far += (np.abs(signs @ differences.T) >= found).sum(axis=0)
    return [float(count) / (RESAMPLES + 1) for count in as_far]


def _batch(queries: int) -> int:
    """Resamples that are made at a time, so that many queries take no more memory than few."""
    return max(1, min(RESAMPLES, _NUMBERS_AT_ONCE // max(1, queries)))


def holm(p_values: Sequence[float]) -> list[float]:
    """The p values, in the order given, corrected for their number, so that together they err as seldom as one.

    Method: S. Holm, A Simple Sequentially Rejective Multiple Test Procedure, 1979.
    """
    corrected = [0.0] * len(p_values)
    highest = 0.0
    ascending = sorted(range(len(p_values)), key=lambda at: p_values[at])
    for done, at in enumerate(ascending):
        highest = max(highest, min(1.0, (len(p_values) - done) * p_values[at]))
        corrected[at] = highest
    return corrected
