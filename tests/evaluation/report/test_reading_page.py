"""docs/reading-a-report.md shows what is printed, its program runs, and it tells of every column and verdict."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from rich.console import Console

from sidecar.evaluation.report.advice import HARDLY_CHEAPER, advice_on
from sidecar.evaluation.report.cautions import FEW_QUERIES, FEW_SEARCHES, LOW_RECALL
from sidecar.evaluation.report.csv_form import to_csv
from sidecar.evaluation.report.gains import SHOWN
from sidecar.evaluation.report.json_form import to_json
from sidecar.evaluation.report.significance import RESAMPLES, SIGNIFICANT
from sidecar.evaluation.report.standing import MEANINGS, NOTICEABLE, standings
from sidecar.evaluation.report.table import table_for
from tests.evaluation.report.made import example
from tests.evaluation.report.test_table import printed

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "reading-a-report.md").read_text("utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", PAGE, re.DOTALL)


def test_table_and_advice_are_those_that_are_printed() -> None:
    (shown,) = [text for language, text in BLOCKS if language == "text"]
    table = [line.rstrip() for line in printed(example(), width=120)]
    assert shown.splitlines() == [*table, advice_on(example())]


def test_program_reads_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (program,) = [text for language, text in BLOCKS if language == "python"]
    (tmp_path / "evaluation.json").write_bytes(to_json(example()))
    monkeypatch.chdir(tmp_path)
    exec(compile(program, "page", "exec"), {})
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "BM25: nDCG@10 0.581, 2.41 ms"
    assert len(lines) == 7


def test_every_column_of_the_table_is_told() -> None:
    told = re.findall(r"`([^`]+)`", " ".join(re.findall(r"^\| (`.*?) \|", PAGE, re.MULTILINE)))
    columns = table_for(Console(width=200), example()).columns
    assert [column.header for column in columns if column.header not in ("", "choice")] == told


def test_every_verdict_is_told_as_the_page_tells_it() -> None:
    for verdict, meaning in MEANINGS.items():
        assert f"| {verdict.value} | {meaning} |" in PAGE


def test_what_the_csv_adds_is_told() -> None:
    columns = to_csv(standings(example())).splitlines()[0].split(",")
    named = re.findall(r"`([^`]+)`", PAGE[PAGE.index("`evaluation.csv` adds") :])
    assert set(named) - {"evaluation.csv", "ef_search"} <= set(columns)


@pytest.mark.parametrize(
    ("number", "told"),
    [
        (FEW_QUERIES, "fewer than 50 queries"),
        (FEW_SEARCHES, "fewer than 100 searches"),
        (LOW_RECALL * 100, "finds less than 95 % of"),
        (RESAMPLES, "Of 10,000"),
        (SIGNIFICANT, "`p` is below 0.05"),
        (NOTICEABLE * 100, "less than 5 %"),
        (SHOWN, "the five that lose most"),
        (HARDLY_CHEAPER, "a fifth or less"),
    ],
)
def test_limits_are_those_of_the_code(number: float, told: str) -> None:
    words = {5: "five", 1.2: "a fifth"}
    assert " ".join(PAGE.split()).count(told) == 1 or told == "less than 5 %"
    assert f"{number:,g}" in told or words[number] in told
