"""Two evaluations are compared as far as they compare, and it is said where they do not."""

from __future__ import annotations

from dataclasses import asdict, replace

import orjson
import pytest

from sidecar.evaluation.report.comparison import Comparison, compare, comparison_table
from sidecar.evaluation.report.figures import Difference
from sidecar.evaluation.results import Choice
from tests.evaluation.report.made import DATA, MACHINE, evaluation, example, noisy, outcome
from tests.evaluation.report.test_table import printed

LOW, HIGH = noisy(0.4, seed=1, spread=0.1), noisy(0.6, seed=2, spread=0.1)


def _of(comparison: Comparison, name: str, figure: str) -> Difference:
    return next(one for one in comparison.choices[name] if one.figure == figure)


def test_an_evaluation_does_not_differ_from_itself() -> None:
    comparison = compare(example(), example())
    assert list(comparison.choices) == [outcome.choice.name for outcome in example().outcomes]
    for differences in comparison.choices.values():
        for one in differences:
            assert (one.first, one.is_better, one.is_comparable) == (one.second, None, True)
            assert one.p_value in (1.0, None)
    assert (comparison.remarks, comparison.only_in_first, comparison.only_in_second) == ((), (), ())


def test_what_is_surely_better_is_told_with_its_p_value() -> None:
    first, second = outcome("a", LOW, p50_ms=10), outcome("a", HIGH, p50_ms=5)
    comparison = compare(evaluation(first), evaluation(second))
    relevance, latency = _of(comparison, "a", "nDCG@10"), _of(comparison, "a", "p50 ms")
    assert relevance.is_better is True
    assert relevance.p_value is not None
    assert relevance.p_value < 0.001
    assert (latency.first, latency.second, latency.is_better, latency.p_value) == (10, 5, True, None)
    back = compare(evaluation(second), evaluation(first))
    assert (_of(back, "a", "nDCG@10").is_better, _of(back, "a", "p50 ms").is_better) == (False, False)


def test_p_values_are_corrected_over_choices() -> None:
    before, after = [0.4] * 12, [*[0.5] * 6, *[0.4] * 6]
    alone = compare(evaluation(outcome("a", before)), evaluation(outcome("a", after)))
    both = compare(
        evaluation(outcome("a", before), outcome("b", before)), evaluation(outcome("a", after), outcome("b", after))
    )
    p_value = _of(alone, "a", "RR").p_value
    assert p_value is not None
    assert _of(both, "a", "RR").p_value == pytest.approx(2 * p_value)


def test_a_cost_that_changes_by_less_than_a_tenth_is_neither_better_nor_worse() -> None:
    comparison = compare(evaluation(outcome("a", LOW, p50_ms=10.0)), evaluation(outcome("a", LOW, p50_ms=9.2)))
    assert _of(comparison, "a", "p50 ms").is_better is None


def test_choices_of_one_side_only_are_named() -> None:
    comparison = compare(
        evaluation(outcome("a", LOW), outcome("old", LOW)), evaluation(outcome("new", LOW), outcome("a", LOW))
    )
    assert (comparison.only_in_first, comparison.only_in_second) == (("old",), ("new",))
    lines = printed(comparison_table(comparison))
    assert any("Only in A: old." in line for line in lines)
    assert any("Only in B: new." in line for line in lines)


def test_nothing_in_common_is_said() -> None:
    lines = printed(comparison_table(compare(evaluation(outcome("a", LOW)), evaluation(outcome("b", LOW)))))
    assert "No choice has the same name in both." in " ".join(" ".join(lines).split())


def test_other_data_is_said_and_nothing_is_tested_or_judged() -> None:
    other = evaluation(outcome("a", HIGH, p50_ms=2), data=replace(DATA, fingerprint="sha256:0000"))
    comparison = compare(evaluation(outcome("a", LOW)), other)
    assert comparison.remarks[0].startswith(
        "Relevance can't be compared: the data differs (fingerprint sha256:4f1c in A, sha256:0000 in B)."
    )
    assert all(
        (one.p_value, one.is_better, one.is_comparable) == (None, None, False) for one in comparison.choices["a"]
    )
    row = next(line for line in printed(comparison_table(comparison)) if "nDCG@10" in line)
    assert row.split() == ["a", "nDCG@10", f"{sum(LOW) / 300:.4f}", f"{sum(HIGH) / 300:.4f}", "–"]


def test_another_machine_is_said_and_only_what_does_not_depend_on_it_is_judged() -> None:
    other = replace(MACHINE, processor="Xeon", processors=8)
    comparison = compare(
        evaluation(outcome("a", LOW, p50_ms=10, storage_bytes=8_000)),
        evaluation(outcome("a", HIGH, p50_ms=2, storage_bytes=4_000), machine=other),
    )
    assert comparison.remarks == (
        "Latencies, speeds and memory can't be compared: the machines differ (processor AMD EPYC in A, Xeon in B, "
        "processors 2 in A, 8 in B).",
    )
    judged = {one.figure for one in comparison.choices["a"] if one.is_better is not None}
    assert judged == {"nDCG@10", "R@10", "R@100", "RR", "index"}


def test_other_queries_of_data_with_one_fingerprint_are_not_tested() -> None:
    comparison = compare(evaluation(outcome("a", [0.5, 0.6, 0.7])), evaluation(outcome("a", [0.5, 0.6])))
    assert comparison.remarks == ("Relevance can't be tested: A and B have other queries or measures.",)
    assert _of(comparison, "a", "nDCG@10").p_value is None


def test_other_versions_and_another_choice_of_the_same_name_are_said() -> None:
    choice = Choice("", "TENSOR", ef_search=10)
    comparison = compare(
        evaluation(outcome("a", LOW, choice=choice)),
        evaluation(
            outcome("a", LOW, choice=replace(choice, ef_search=100, precision="int8")),
            machine=replace(MACHINE, sidecar="0.10.0"),
        ),
    )
    assert comparison.remarks == (
        "The version of sidecar differs: 0.9.0 in A, 0.10.0 in B.",
        "a is not the same choice in both: precision None in A, int8 in B; ef_search 10 in A, 100 in B.",
    )


def test_speed_that_was_not_measured_has_no_change() -> None:
    first = outcome("a", LOW)
    cached = replace(first, indexing=replace(first.indexing, documents_per_second=None))
    comparison = compare(evaluation(first), evaluation(cached))
    row = next(line for line in printed(comparison_table(comparison)) if "docs/s" in line)
    assert row.split() == ["docs/s", "85", "–", "–"]


def test_table_shows_both_figures_the_change_and_the_verdict() -> None:
    comparison = compare(
        evaluation(outcome("[b]a", LOW, p50_ms=10)), evaluation(outcome("[b]a", HIGH, p50_ms=5, storage_bytes=1))
    )
    lines = printed(comparison_table(comparison))
    latency = next(line for line in lines if "p50 ms" in line)
    assert latency.split() == ["p50", "ms", "10.0", "5.00", "−50.0", "%", "better"]
    relevance = next(line for line in lines if "nDCG@10" in line)
    assert relevance.split()[0] == "[b]a"
    assert relevance.split()[-3:] == ["<", "0.001", "better"]


def test_a_comparison_is_data_that_json_can_hold() -> None:
    assert (
        orjson.loads(orjson.dumps(asdict(compare(example(), example()))))["choices"]["BM25"][0]["figure"] == "nDCG@10"
    )
