"""``sidecar models``: the table, and one model's files from nothing to converted."""

from __future__ import annotations

import csv
import re
from importlib import resources
from pathlib import Path

import orjson
import pytest
from click.testing import CliRunner, Result

from sidecar.cli import main
from sidecar.embedding.clip_weights import HUB_PREFIX
from sidecar.embedding.model_options import CLIP_KINDS
from sidecar.embedding.model_table import ModelTable
from tests.fix_models import MINILM
from tests.random_models import mean_normalized, random_bert


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def described(tmp_path: Path) -> str:
    """The properties of a small model with random weights, in a folder."""
    folder = random_bert(tmp_path / "model", mean_normalized)
    return orjson.dumps({"name": "mine", "localpath": str(folder), "dimensions": 32}).decode()


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["models", *arguments])


def test_list_has_every_name_of_the_table(home: Path) -> None:
    answer = run("list", "--home", str(home))
    assert answer.exit_code == 0, answer.output
    names = [line.split()[0] for line in answer.output.splitlines()[1:]]
    assert names == ModelTable().names()
    assert len(names) >= 170


def test_list_shows_what_is_on_this_machine(home: Path) -> None:
    lines = run("list", "--cached", "--home", str(home)).output.splitlines()[1:]
    (line,) = (line for line in lines if line.startswith(MINILM + " "))
    assert line.split()[1:5] == ["sbert", "384", "22.7", "M"]
    assert "weights 91 MB" in line
    assert "converted" not in line


def test_list_can_be_of_one_loader(home: Path) -> None:
    lines = run("list", "--loader", "clip", "--home", str(home)).output.splitlines()[1:]
    assert len(lines) == 9
    assert all(line.split()[1] == "clip" for line in lines)


def test_every_model_of_the_table_has_its_size_and_its_place_on_the_hub() -> None:
    from open_clip.pretrained import get_pretrained_cfg

    text = resources.files("sidecar.embedding").joinpath("model_weights.csv").read_text(encoding="utf-8")
    known = {row["repository"]: row for row in csv.DictReader(text.splitlines())}
    table = ModelTable()
    specs = [table.resolve(name) for name in table.names()]
    assert known.keys() == {spec.repository for spec in specs if spec.repository}
    for spec in specs:
        if spec.loader in CLIP_KINDS and not spec.repository.startswith(HUB_PREFIX):
            wanted = get_pretrained_cfg(*spec.repository.split("/"))["hf_hub"].rstrip("/")
            assert known[spec.repository]["hub_repository"] == wanted


def test_show_says_where_the_files_are(home: Path) -> None:
    answer = run("show", "all-MiniLM-L6-v2", "--home", str(home))
    assert answer.exit_code == 0, answer.output
    told = dict(line.split(":", 1) for line in answer.output.splitlines())
    assert told["dimensions"].strip() == "384"
    assert told["converted"].strip() == "not yet"
    assert "91 MB" in told["weights"]


def test_an_unknown_name_is_one_line_with_the_nearest_names(home: Path) -> None:
    answer = run("show", "all-MiniLM-L6", "--home", str(home))
    assert answer.exit_code == 2
    assert answer.output.startswith("Error: there is no model named 'all-MiniLM-L6'. The nearest names are: all-MiniLM")


def test_properties_must_be_json(home: Path) -> None:
    assert "--properties" in run("show", "mine", "--properties", "{", "--home", str(home)).output


def test_pull_names_the_folder_of_weights_that_are_there(home: Path) -> None:
    answer = run("pull", MINILM, "--home", str(home))
    assert answer.exit_code == 0, answer.output
    assert answer.output.startswith(f"The weights of {MINILM} are in ")


@pytest.mark.parametrize("name", ["hf/e5-base", "ViT-B/32"])
def test_pull_says_why_weights_can_not_be_had(name: str, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    answer = run("pull", name, "--home", str(home))
    assert answer.exit_code == 3
    assert answer.output.startswith("Error: ")
    assert "can't be had" in answer.output


def test_pull_refuses_a_model_without_weights(home: Path) -> None:
    assert "has no weights" in run("pull", "random", "--home", str(home)).output


def test_convert_leaves_the_model_ready(home: Path, described: str, converts_in_process: None) -> None:
    answer = run("convert", "mine", "--properties", described, "--home", str(home))
    assert answer.exit_code == 0, answer.output
    assert re.search(r"mine runs by (onnx|openvino): 32 dimensions", answer.output)
    shown = run("show", "mine", "--properties", described, "--home", str(home)).output
    assert f"{home / 'models'}" in shown
    told = orjson.loads(run("convert", "mine", "--properties", described, "--home", str(home), "--json").stdout)
    assert (told["dimensions"], told["backend"] in ("onnx", "openvino")) == (32, True)
    assert told["converted"][0].startswith(str(home / "models"))


def test_bench_measures_every_backend(home: Path, described: str, converts_in_process: None) -> None:
    answer = run("bench", "mine", "--properties", described, "--seconds", "0.05", "--home", str(home))
    assert answer.exit_code == 0, answer.output
    rows = [line for line in answer.output.splitlines() if "float32" in line]
    assert {"torch", "onnx"} <= {row.replace("│", " ").split()[0] for row in rows}
    options = ("--properties", described, "--seconds", "0.05", "--home", str(home), "--json")
    speeds = orjson.loads(run("bench", "mine", *options).stdout)
    assert {"torch", "onnx"} <= {speed["backend"] for speed in speeds if speed["texts_a_second"]}
