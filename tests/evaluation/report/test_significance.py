"""Tests and intervals agree with scipy's, and with what can be counted by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import permutation_test, ttest_rel

from sidecar.evaluation.report.significance import holm, mean_interval, paired_p_values

_RANDOM = np.random.default_rng(5)


def _p(values: list[float] | np.ndarray) -> float:
    return paired_p_values(np.asarray([values], dtype=np.float64))[0]


def test_p_value_is_that_of_all_signs_counted_by_hand() -> None:
    # Of the 2⁴ = 16 ways to set the signs of four equal differences, 2 reach the found sum: 2/16.
    assert _p([0.5, 0.5, 0.5, 0.5]) == pytest.approx(2 / 16, abs=0.01)


def test_p_value_is_that_of_scipys_exact_test() -> None:
    differences = np.array([0.31, -0.1, 0.22, 0.05, 0.4, -0.02, 0.11, 0.27, 0.09, -0.16])
    exact = permutation_test((differences,), np.mean, permutation_type="samples", n_resamples=np.inf)
    assert _p(differences) == pytest.approx(exact.pvalue, abs=0.01)


@pytest.mark.parametrize("mean", [0.0, 0.02, 0.03])
def test_p_value_of_many_queries_is_near_that_of_the_paired_t_test(mean: float) -> None:
    values = _RANDOM.normal(mean, 0.2, 400)
    assert _p(values) == pytest.approx(ttest_rel(values, np.zeros(400)).pvalue, abs=0.02)


def test_equal_choices_have_p_1() -> None:
    assert _p([0.0] * 30) == 1.0


def test_one_query_proves_nothing() -> None:
    assert _p([0.9]) == 1.0


def test_p_value_is_never_0_and_is_the_same_each_time() -> None:
    assert 0 < _p([0.9] * 200) == _p([0.9] * 200) < 0.001


def test_each_comparison_has_its_own_p_value_in_the_order_given() -> None:
    rows = np.asarray([[0.0] * 20, [0.5] * 20])
    assert paired_p_values(rows) == [_p(rows[0]), _p(rows[1])]


def test_direction_of_a_difference_does_not_matter() -> None:
    values = _RANDOM.normal(0.05, 0.2, 50)
    assert _p(values) == _p(-values)


def test_nothing_to_compare_gives_no_p_value() -> None:
    assert paired_p_values(np.empty((0, 12))) == []


def test_holm_gives_the_worked_example() -> None:
    # 0.01 * 4, then 0.03 * 3 = 0.09 and 0.04 * 2 = 0.08, which may not be below the one before, then 0.5.
    assert holm([0.04, 0.01, 0.5, 0.03]) == pytest.approx([0.09, 0.04, 0.5, 0.09])


@given(st.lists(st.floats(0, 1), max_size=12))
def test_holm_never_lowers_a_p_value_and_keeps_their_order(p_values: list[float]) -> None:
    corrected = holm(p_values)
    assert all(before <= after <= 1 for before, after in zip(p_values, corrected, strict=True))
    in_order = [after for _, after in sorted(zip(p_values, corrected, strict=True))]
    assert in_order == sorted(in_order)


def test_interval_is_near_that_of_the_normal_distribution() -> None:
    values = list(_RANDOM.normal(0.5, 0.2, 500))
    interval = mean_interval(values)
    assert interval is not None
    error = float(np.std(values, ddof=1)) / 500**0.5
    mean = float(np.mean(values))
    assert (interval.low, interval.high) == pytest.approx((mean - 1.96 * error, mean + 1.96 * error), abs=0.002)
    assert interval == mean_interval(values)


def test_interval_of_equal_values_is_that_value_and_of_one_value_unknown() -> None:
    interval = mean_interval([0.25] * 8)
    assert interval is not None
    assert (interval.low, interval.high) == (0.25, 0.25)
    assert mean_interval([0.25]) is None
