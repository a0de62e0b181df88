"""The files of an evaluation are whole, and read back as what was written."""

from __future__ import annotations

import csv
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from sidecar.errors import InvalidArgument
from sidecar.evaluation.report.files import read_evaluation, write_evaluation
from sidecar.evaluation.report.json_form import from_json, to_json
from sidecar.evaluation.results import Evaluation, Outcome
from tests.evaluation.report.made import evaluation, evaluations, example, outcome


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of the example."""
    where = tmp_path_factory.mktemp("evaluation") / "new" / "folder"
    written = write_evaluation(example(), where)
    assert written == [where / f"evaluation.{end}" for end in ("json", "csv", "html")]
    return where


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(evaluations())
def test_json_gives_the_same_evaluation_again(made: Evaluation) -> None:
    again = from_json(to_json(made), origin="it")
    assert again == made
    assert [outcome.choice for outcome in again.outcomes] == [outcome.choice for outcome in made.outcomes]


def test_written_file_is_read_back(folder: Path) -> None:
    assert read_evaluation(folder / "evaluation.json") == example()


def test_nothing_else_is_left_in_the_folder(folder: Path) -> None:
    assert len(list(folder.iterdir())) == 3


def test_a_new_evaluation_replaces_the_older(tmp_path: Path) -> None:
    for mean in (0.2, 0.4):
        write_evaluation(evaluation(outcome("a", [mean, mean])), tmp_path)
    assert read_evaluation(tmp_path / "evaluation.json").outcomes[0].mean("nDCG@10") == 0.4
    assert len(list(tmp_path.iterdir())) == 3


def test_csv_has_a_row_for_each_choice_with_units_in_the_names(folder: Path) -> None:
    with (folder / "evaluation.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    by_name = {row["name"]: row for row in rows}
    made = {outcome.choice.name: outcome for outcome in example().outcomes}
    assert by_name.keys() == made.keys()
    assert [int(row["rank"]) for row in rows] == list(range(1, 8))
    assert sum(int(row["advised"]) for row in rows) == 1
    for name, row in by_name.items():
        assert float(row["nDCG@10"]) == made[name].mean("nDCG@10")
        assert float(row["p50_ms"]) == made[name].latency.p50_ms
        assert int(row["index_storage_bytes"]) == made[name].indexing.storage_bytes
    assert (by_name["BM25"]["ef_search"], by_name["BM25"]["ann_recall_ef_100"]) == ("", "")
    assert float(by_name["MiniLM"]["ann_recall_ef_100"]) == 0.984


def _changed(change: dict[str, Any]) -> bytes:
    return json.dumps(json.loads(to_json(example())) | change).encode()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (b"{", "is not JSON: "),
        (b"[]", 'is not an evaluation: it lacks "format": "sidecar-evaluation"'),
        (b'{"version": 1}', 'is not an evaluation: it lacks "format": "sidecar-evaluation"'),
        (_changed({"version": 2}), "has version 2 of the format; this sidecar reads version 1: "),
        (_changed({"data": {"name": "x"}}), "is not a whole evaluation: data.documents: must be given"),
        (_changed({"outcomes": []}), "can't be compared: it has no outcome"),
    ],
)
def test_a_file_that_is_no_evaluation_is_named_with_what_is_wrong(text: bytes, told: str, tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(text)
    with pytest.raises(InvalidArgument) as refused:
        read_evaluation(path)
    assert refused.value.message.startswith(f"{path} {told}")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgument, match=r"b\.json can't be read: No such file or directory"):
        read_evaluation(tmp_path / "b.json")


def _without(one: Outcome, *queries: str) -> Outcome:
    kept = {query: value for query, value in one.per_query["nDCG@10"].items() if query not in queries}
    return replace(one, per_query=dict.fromkeys(one.per_query, kept))


@pytest.mark.parametrize(
    ("outcomes", "told"),
    [
        ((outcome("a", [0.5]), outcome("a", [0.5])), "two choices have the name a"),
        ((outcome("a", [0.5, 0.6]), _without(outcome("b", [0.5, 0.6]), "q1")), "b has values of nDCG@10 for other"),
        ((outcome("a", []),), "it has no judged query"),
        ((replace(outcome("a", [0.5]), per_query={"RR": {"q0": 1.0}}),), "a has no values of nDCG@10"),
        (
            (outcome("a", [0.5]), replace(outcome("b", [0.5]), per_query={"nDCG@10": {"q0": 1.0}})),
            "b has other measures",
        ),
        ((outcome("a", [float("nan")]),), "a has a value of nDCG@10 that is not a number"),
    ],
)
def test_choices_that_do_not_compare_are_refused_before_anything_is_written(
    outcomes: tuple[Outcome, ...], told: str, tmp_path: Path
) -> None:
    with pytest.raises(InvalidArgument, match=told):
        write_evaluation(evaluation(*outcomes), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_without_matplotlib_the_error_names_the_extra_and_the_figures_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = "sidecar.evaluation.report"
    for name in [name for name in sys.modules if name.startswith((f"{room}.page", f"{room}.plots"))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    made = evaluation(outcome("a", [0.5, 0.7]))
    with pytest.raises(InvalidArgument) as refused:
        write_evaluation(made, tmp_path)
    assert refused.value.message == (
        "the page of an evaluation needs matplotlib; install the extra: pip install 'vector-sidecar[evaluate]'"
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["evaluation.csv", "evaluation.json"]


def test_a_full_disk_leaves_the_older_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "evaluation.json"
    path.write_text("older")

    def fail(self: Path, content: bytes) -> int:
        with self.open("wb") as file:
            file.write(content[:10])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", fail)
    with pytest.raises(OSError, match="No space left"):
        write_evaluation(evaluation(outcome("a", [0.5])), tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["evaluation.json"]
    assert path.read_text() == "older"
