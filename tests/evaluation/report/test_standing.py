"""Choices are ranked by their mean, and compared with the best query by query."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings

from sidecar.evaluation.report.standing import MEANINGS, Standing, Verdict, standings
from sidecar.evaluation.results import Evaluation
from tests.evaluation.report.made import evaluation, evaluations, noisy, outcome


def test_the_best_is_first_and_the_worse_is_told_with_its_p_value() -> None:
    good, bad = noisy(0.7, seed=1, spread=0.2), noisy(0.5, seed=2, spread=0.2)
    best, worse = standings(evaluation(outcome("bad", bad), outcome("good", good)))
    assert (best.name, best.rank, best.verdict, best.p_value) == ("good", 1, Verdict.BEST, None)
    assert (worse.name, worse.rank, worse.verdict) == ("bad", 2, Verdict.WORSE)
    assert worse.p_value is not None
    assert worse.p_value < 0.001
    assert worse.difference == pytest.approx(sum(bad) / 300 - sum(good) / 300)
    assert worse.difference_interval is not None
    assert worse.difference_interval.low < worse.difference < worse.difference_interval.high < 0


def test_a_difference_that_chance_explains_is_as_good_below_5_percent_and_unsure_above() -> None:
    values = [0.5] * 20
    near = [0.45, *values[1:]]
    far = [0.0, 0.0, 0.0, *values[3:]]
    _, as_good, unsure = standings(evaluation(outcome("a", values), outcome("near", near), outcome("far", far)))
    assert (as_good.name, as_good.verdict) == ("near", Verdict.AS_GOOD)
    assert (unsure.name, unsure.verdict) == ("far", Verdict.UNSURE)


def test_p_values_are_corrected_for_the_number_of_choices() -> None:
    best, other = [0.5] * 12, [*[0.4] * 6, *[0.5] * 6]
    (alone,) = standings(evaluation(outcome("a", best), outcome("b", other)))[1:]
    both = standings(evaluation(outcome("a", best), outcome("b", other), outcome("c", other)))[1:]
    assert alone.p_value is not None
    assert [one.p_value for one in both] == pytest.approx([2 * alone.p_value] * 2)


def test_queries_are_paired_by_id_and_not_by_place() -> None:
    one = outcome("a", [0.1, 0.9, 0.3, 0.7])
    turned = {query: one.per_query["nDCG@10"][query] for query in reversed(one.per_query["nDCG@10"])}
    other = outcome("b", [0.0])
    other = type(other)(other.choice, {"nDCG@10": turned}, other.latency, other.indexing, {})
    assert standings(evaluation(one, other))[1].p_value == 1.0


def test_equal_means_are_ranked_by_latency() -> None:
    ranked = standings(evaluation(outcome("slow", [0.5, 0.5], p50_ms=9), outcome("fast", [0.5, 0.5], p50_ms=3)))
    assert [one.name for one in ranked] == ["fast", "slow"]
    assert ranked[1].verdict is Verdict.AS_GOOD


def test_zero_everywhere_is_as_good() -> None:
    assert standings(evaluation(outcome("a", [0.0, 0.0]), outcome("b", [0.0, 0.0])))[1].verdict is Verdict.AS_GOOD


def test_own_recall_is_that_at_the_ef_search_of_the_choice() -> None:
    one = outcome("a", [0.5, 0.6], ann_recall={10: 0.8, 50: 0.97})
    (standing,) = standings(evaluation(one))
    assert standing.own_recall is None
    with_size = outcome(
        "a", [0.5], choice=type(one.choice)("a", "TENSOR", ef_search=50), ann_recall={10: 0.8, 50: 0.97}
    )
    (standing,) = standings(evaluation(with_size))
    assert standing.own_recall == 0.97


def test_every_verdict_has_a_meaning() -> None:
    assert set(MEANINGS) == set(Verdict)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(evaluations())
def test_any_evaluation_has_one_best_whom_nobody_exceeds(made: Evaluation) -> None:
    ranked = standings(made)
    assert [one.rank for one in ranked] == list(range(1, len(made.outcomes) + 1))
    assert [one.verdict for one in ranked].count(Verdict.BEST) == 1
    assert all(_is_sound(one, ranked[0]) for one in ranked)


def _is_sound(one: Standing, best: Standing) -> bool:
    is_within = one.interval is None or one.interval.low - 1e-9 <= one.mean <= one.interval.high + 1e-9
    return one.mean <= best.mean and one.difference <= 0 and is_within
