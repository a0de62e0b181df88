"""The comparison with other ways to search by meaning: its harness measures, and its page says what was recorded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.comparison.entries import ENTRIES, Entry
from benchmarks.comparison.measuring import Measuring, Plan
from benchmarks.comparison.page import PAGE, RECORD, rewritten
from benchmarks.comparison.results import Comparison, Outcome, read
from benchmarks.comparison.user_code import count_lines, lines_of
from sidecar.embedding.loader import Loader

SMALL = Plan(sample=8, batches=(4,), rounds=1, searches=5, clients=2, seconds=0.3, warm_up=4)
SIDECAR, BY_HAND = ENTRIES[:2]
BROKEN = Entry("broken", "Broken", "__init__", (), takes_batches=False)

DOCUMENTS = [
    {
        "_id": f"{thing}-{place}",
        "title": thing,
        "text": f"How to {doing} {thing}, part {place}",
        "module": "m",
        "kind": "k",
    }
    for thing in ("a text file", "a compressed archive", "an e-mail", "a socket", "an xml tree", "a queue")
    for place, doing in enumerate(("read", "write to", "close", "find a bug in"))
]

Run = tuple[dict[str, Outcome], dict[str, str]]


@pytest.fixture(scope="module")
def run(node: str, minilm: Loader, models_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """The outcomes of a run with few documents, by name, and what did not run."""
    home = tmp_path_factory.mktemp("home")
    (home / "models").symlink_to(models_folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SIDECAR_HOME", str(home))
        patch.setenv("OMP_NUM_THREADS", "1")  # torch's threads stand still where other tests keep a processor
        measuring = Measuring(node, DOCUMENTS, SMALL, print)
        outcomes = measuring.run([SIDECAR, BROKEN, BY_HAND], minilm.encode_text)
    yield {outcome.name: outcome for outcome in outcomes}, measuring.not_run


@pytest.mark.parametrize("name", ["sidecar", "by-hand"])
def test_contestant_finds_what_exact_search_finds(run: Run, name: str) -> None:
    outcome = run[0][name]
    assert outcome.overlap_at_10 > 0.99
    assert outcome.least_cosine is not None
    assert outcome.least_cosine > 0.9999


@pytest.mark.parametrize("name", ["sidecar", "by-hand"])
def test_every_figure_is_measured(run: Run, name: str) -> None:
    outcome = run[0][name]
    assert len(outcome.documents_per_second) == len(outcome.searches_per_second) == 1
    assert min(*outcome.documents_per_second, *outcome.searches_per_second) > 0
    assert 0 < outcome.p50_ms <= outcome.p95_ms
    assert outcome.resident_bytes[0] > 50_000_000
    assert outcome.failed_searches == 0
    assert "Python" in outcome.versions


def test_batches_have_the_size_of_the_plan_where_the_user_chooses_it(run: Run) -> None:
    outcomes, _ = run
    assert (outcomes["sidecar"].batch, outcomes["by-hand"].batch) == (None, 4)


def test_what_does_not_start_is_told_and_the_others_go_on(run: Run) -> None:
    outcomes, not_run = run
    assert list(outcomes) == ["sidecar", "by-hand"]
    assert list(not_run) == ["Broken"]
    assert "ended with 1" in not_run["Broken"]


def test_a_record_is_read_as_it_was_written(run: Run, tmp_path: Path) -> None:
    outcomes, not_run = run
    found = Comparison("make it", "2026-01-31", {"processors": "2"}, 24, 1, 5, 2, 0.3, list(outcomes.values()), not_run)
    found.write(tmp_path / "record.json")
    assert read(tmp_path / "record.json") == found


def test_page_says_what_was_recorded() -> None:
    page = PAGE.read_text("utf-8")
    assert rewritten(page, read(RECORD)) == page


def test_page_changes_with_the_record() -> None:
    page, recorded = PAGE.read_text("utf-8"), read(RECORD)
    first, *others = recorded.outcomes
    changed = replace(recorded, outcomes=[replace(first, p50_ms=first.p50_ms + 1000), *others])
    assert rewritten(page, changed) != page


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_every_contestant_was_recorded_with_the_lines_that_it_has(entry: Entry) -> None:
    recorded = {outcome.name: outcome.lines for outcome in read(RECORD).outcomes}
    if entry.title not in read(RECORD).not_run:
        assert recorded[entry.name] == lines_of(entry)


SOURCE = """\
'What it is.'

import os  # why


def f():
    '''Do it.

    And more.
    '''
    # how
    return (
        1
    )
"""


def test_lines_with_code_are_counted_and_no_others() -> None:
    assert count_lines(SOURCE) == 5


def test_lines_of_a_text_over_several_are_counted() -> None:
    assert count_lines("x = '''\n\na'''\n") == 3


def test_shared_code_counts_for_each_who_imports_it() -> None:
    assert lines_of(BY_HAND) > lines_of(replace(BY_HAND, shared=()))
