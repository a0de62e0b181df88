"""The table of a terminal has what a person compares."""

from __future__ import annotations

import io

from rich.console import Console
from rich.table import Table

from sidecar.evaluation.report.table import table_for
from sidecar.evaluation.results import Choice, Evaluation
from tests.evaluation.report.made import evaluation, example, outcome


def printed(shown: Evaluation | Table, width: int = 140) -> list[str]:
    """The lines of a table, or that of an evaluation, on a terminal without colours."""
    text = io.StringIO()
    console = Console(file=text, width=width, color_system=None)
    console.print(table_for(console, shown) if isinstance(shown, Evaluation) else shown)
    return text.getvalue().splitlines()


def test_rows_are_ranked_and_the_advised_one_and_the_front_are_marked() -> None:
    slow = outcome("slow", [0.8, 0.9] * 30, p50_ms=12.3, storage_bytes=2_000_000)
    fast = outcome("fast", [0.1, 0.2] * 30, p50_ms=1.5)
    bad = outcome("bad", [0.1, 0.1] * 30, p50_ms=30)
    lines = printed(evaluation(bad, fast, slow))
    rows = [line.split() for line in lines if line.split()[:1] in (["→•"], ["•"], ["bad"])]
    assert rows[0][:4] == ["→•", "slow", "0.8500", "best"]
    assert rows[1][:5] == ["•", "fast", "0.1500", "<", "0.001"]
    assert rows[2][:3] == ["bad", "0.1000", "<"]
    assert rows[0][-8:] == ["12.3", "25.8", "85", "2", "MB", "910", "MB", "–"]


def test_title_tells_the_data() -> None:
    assert "scifact: 5,183 documents, 300 queries" in printed(example())[0]


def test_headers_are_the_measures_and_the_costs() -> None:
    header = printed(example())[1]
    for word in (
        "choice",
        "nDCG@10",
        "p",
        "R@10",
        "R@100",
        "RR",
        "p50 ms",
        "p99 ms",
        "docs/s",
        "index",
        "memory",
        "HNSW",
    ):
        assert f" {word}" in header


def test_names_are_no_markup() -> None:
    lines = printed(evaluation(outcome("[red]a[/red] :smile: [/]", [0.5])))
    assert any("[red]a[/red] :smile: [/]" in line for line in lines)


def test_a_long_name_folds_and_is_shown_whole() -> None:
    lines = printed(evaluation(outcome("n" * 300, [0.5])))
    assert sum(line.count("n" * 5) for line in lines) * 5 >= 290


def test_recall_is_that_of_the_choices_ef_search() -> None:
    choice = Choice("", "TENSOR", ef_search=50)
    lines = printed(evaluation(outcome("a", [0.5, 0.4], choice=choice, ann_recall={50: 0.9712})))
    assert any(line.rstrip().endswith("0.971") for line in lines)


def test_a_narrow_terminal_has_fewer_columns_and_each_whole() -> None:
    lines = printed(example(), width=80)
    assert max(map(len, lines)) <= 80
    header = lines[1].split()
    assert header[:3] == ["choice", "nDCG@10", "p"]
    assert "p99" not in header
    assert "p50" in header
    assert any("have more: p99 ms, RR" in line for line in lines)
    names = {choice.name for choice in (one.choice for one in example().outcomes)}
    assert all(any(name in line for line in lines) for name in names)


def test_a_wide_terminal_has_all_columns() -> None:
    console = Console(file=io.StringIO(), width=200, color_system=None)
    # The mark, the choice, nDCG@10 and its p, three more measures, six costs.
    assert len(table_for(console, example()).columns) == 13
