"""The advice names a choice, and says why with figures."""

from __future__ import annotations

import re

import pytest
from hypothesis import HealthCheck, given, settings

from sidecar.evaluation.report.advice import advice_on, advised
from sidecar.evaluation.report.cautions import cautions_on
from sidecar.evaluation.report.standing import Verdict, standings
from sidecar.evaluation.results import Choice, DataFacts, Evaluation
from tests.evaluation.report.made import DATA, evaluation, evaluations, example, noisy, outcome

GOOD = noisy(0.65, seed=1, spread=0.2)
ALIKE = noisy(0.65, seed=2, spread=0.2)
WORSE = noisy(0.45, seed=3, spread=0.2)
BEST, SECOND = sorted((GOOD, ALIKE), key=sum, reverse=True)


def test_of_one_choice_only_its_figures_are_told() -> None:
    advice = advice_on(evaluation(outcome("MiniLM", [0.5, 0.7], p50_ms=4.2, storage_bytes=2_100_000)))
    assert advice == (
        "Only MiniLM was measured: nDCG@10 0.600, 4.20 ms (p50) from an index of 2.1 MB. "
        "Measure a second choice to compare it with."
    )


def test_the_faster_of_two_equals_is_advised_with_both_latencies_and_sizes() -> None:
    best = outcome("float32", BEST, p50_ms=12, storage_bytes=9_000_000)
    fast = outcome("int8", SECOND, p50_ms=5, storage_bytes=3_000_000)
    (_, standing) = standings(evaluation(best, fast))
    p_value = f"{standing.p_value:.2f}"
    assert advice_on(evaluation(best, fast)) == (
        f"Take int8: its nDCG@10 of {standing.mean:.3f} is not significantly below the best, float32 with "
        f"{standing.mean - standing.difference:.3f} (p = {p_value}). It answers in 5.00 ms (p50) instead of 12.0, and "
        "its index takes 3 MB instead of 9 MB."
    )


def test_a_lexical_search_that_is_best_is_advised() -> None:
    lexical = outcome("BM25", BEST, p50_ms=2, choice=Choice("", "LEXICAL"))
    advice = advice_on(evaluation(outcome("MiniLM", WORSE, p50_ms=9), lexical))
    assert advice.startswith("Take BM25: its nDCG@10 of 0.6")
    assert "is significantly higher than that of every other choice (MiniLM follows with 0.4" in advice
    assert advice.endswith("p < 0.001). It answers in 2.00 ms (p50) from an index of 8 MB.")


def test_a_fast_choice_that_is_significantly_worse_is_not_advised() -> None:
    assert advice_on(evaluation(outcome("fast", WORSE, p50_ms=1), outcome("good", BEST))).startswith("Take good:")


def test_a_fast_choice_that_is_far_below_is_not_advised_because_queries_are_few() -> None:
    best, far = outcome("good", [0.5] * 20), outcome("fast", [0.0, 0.0, 0.0, *[0.5] * 17], p50_ms=1)
    (_, standing) = standings(evaluation(best, far))
    assert standing.verdict is Verdict.UNSURE
    advice = advice_on(evaluation(best, far))
    assert advice.startswith("Take good: its nDCG@10 of 0.500 is the highest (fast follows with 0.425, p = ")
    assert "significant" not in advice


def test_a_difference_of_a_fifth_does_not_decide() -> None:
    best, other = outcome("best", BEST, p50_ms=10.0), outcome("other", SECOND, p50_ms=9.0)
    advice = advice_on(evaluation(best, other))
    assert advice.startswith("Take best:")
    assert "is the highest, and other is as good (0.6" in advice


def test_of_equally_fast_ones_the_smaller_is_advised() -> None:
    best = outcome("best", BEST, storage_bytes=9_000_000)
    small = outcome("small", SECOND, p50_ms=11.0, storage_bytes=3_000_000)
    assert advised(standings(evaluation(best, small))).name == "small"


def test_several_that_are_as_good_are_counted() -> None:
    others = [outcome(f"other {at}", SECOND, p50_ms=20) for at in range(3)]
    advice = advice_on(evaluation(outcome("best", BEST), *others))
    assert re.search(r"is the highest, and 3 others are as good \(p ≥ [01]\.\d\d\), but not clearly faster", advice)


def test_a_tie_goes_to_the_faster_and_says_that_none_is_higher() -> None:
    same = [0.5, 0.6, 0.7]
    small = outcome("small", same, p50_ms=10.5, storage_bytes=1_000)
    advice = advice_on(evaluation(outcome("large", same, p50_ms=10.0), small))
    assert advice.startswith("Take small: no choice has a higher nDCG@10 (0.600, as large has).")


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(evaluations())
def test_any_evaluation_gets_advice_that_names_a_choice_not_worse_than_the_best(made: Evaluation) -> None:
    ranked = standings(made)
    taken = advised(ranked)
    assert taken.verdict in (Verdict.BEST, Verdict.AS_GOOD)
    assert taken.name in advice_on(made)
    assert taken.p50_ms <= 1.2 * ranked[0].p50_ms


def test_enough_queries_and_documents_need_no_caution() -> None:
    made = evaluation(outcome("a", BEST), outcome("b", WORSE))
    assert cautions_on(made, standings(made)) == []


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (DataFacts("adi", 5_000, 35, 170, ""), "35 queries are few"),
        (DataFacts("adi", 82, 300, 170, ""), "There are 82 documents only"),
    ],
)
def test_small_data_is_cautioned_against(data: DataFacts, told: str) -> None:
    made = evaluation(outcome("a", BEST), data=data)
    (caution,) = cautions_on(made, standings(made))
    assert caution.startswith(told)


def test_choices_that_chance_may_have_put_lower_are_named_up_to_three() -> None:
    far = [0.0, 0.0, 0.0, *[0.5] * 17]
    made = evaluation(outcome("best", [0.5] * 20), *(outcome(f"o{at}", far) for at in range(5)), data=DATA)
    (caution,) = cautions_on(made, standings(made))
    assert "worse than best: o0 (0.425, p = " in caution
    assert caution.endswith("and 2 more.")


def test_a_graph_that_misses_neighbours_is_told_of_the_advised_choice() -> None:
    choice = Choice("", "TENSOR", ef_search=10)
    made = evaluation(outcome("a", BEST, choice=choice, ann_recall={10: 0.84, 100: 0.99}))
    (caution,) = cautions_on(made, standings(made))
    assert caution == (
        "With ef_search 10, HNSW finds 84 % of the exact nearest ten of a: a higher ef_search would find more."
    )


def test_the_advice_on_the_example_is_two_sentences() -> None:
    assert advice_on(example()).count(". ") == 1
