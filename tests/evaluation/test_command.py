"""The command, run as users run it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import orjson
import psutil
import pytest
from sidecar.evaluation.report.files import read_evaluation

from sidecar.evaluation.results import Evaluation
from tests.evaluation.collections import write_beir
from tests.evaluation.running import SMALL
from tests.fix_opensearch import request

WAIT_SECONDS = 120.0


class Command:
    """``sidecar evaluate`` on the run's node, with a home folder of its own."""

    def __init__(self, node: str, folder: Path) -> None:
        self.node = node
        self.folder = folder
        self.home = folder / "home"
        self.environment = os.environ | {"OPENSEARCH_URL": node, "SIDECAR_HOME": str(self.home), "COLUMNS": "250"}

    def begin(self, *arguments: object) -> subprocess.Popen[str]:
        """Start it; its output is read by the caller."""
        command = [sys.executable, "-m", "sidecar", "evaluate", *map(str, arguments)]
        return subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=self.environment
        )

    def run(self, *arguments: object, status: int = 0) -> tuple[str, str]:
        """Run it to its end; its two outputs."""
        process = self.begin(*arguments)
        out, err = process.communicate(timeout=WAIT_SECONDS)
        assert process.returncode == status, err
        return out, err

    def evaluate(self, *arguments: object) -> Evaluation:
        """Run it; what it has written."""
        self.run(*arguments, "--output", self.folder / "out")
        return read_evaluation(self.folder / "out" / "evaluation.json")

    def indexes(self) -> set[str]:
        """The evaluations' indexes in the cluster."""
        _, text = request(self.node, "GET", "/_cat/indices/evaluation-*?h=index")
        return set(text.split())


@pytest.fixture
def command(node: str, tmp_path: Path) -> Command:
    return Command(node, tmp_path)


def test_it_goes_on_after_it_was_killed(command: Command) -> None:
    data, there = write_beir(command.folder / "notes"), command.indexes()
    arguments = (data, "--model", SMALL, "--method", "lexical,tensor", "--output", command.folder / "out")
    process = command.begin(*arguments)
    assert process.stderr is not None
    while not (line := process.stderr.readline()).endswith("small tensor\n"):
        assert line, "it ended before it could be killed"
    served = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    _, alive = psutil.wait_procs(served, WAIT_SECONDS)
    assert not alive, "the server that it had begun goes on without it"
    finished = {path: path.read_bytes() for path in (command.folder / "out" / "finished").iterdir()}
    out, err = command.run(*arguments)
    assert ": lexical" not in err
    assert {path: path.read_bytes() for path in finished} == finished
    assert "small tensor" in out
    assert command.indexes() == there
    names = {path.name for path in (command.folder / "out").iterdir() if path.is_file()}
    assert names == {"evaluation.json", "evaluation.csv", "evaluation.html"}


def test_ctrl_c_ends_it_and_says_how_to_go_on(command: Command) -> None:
    data = write_beir(command.folder / "notes")
    process = command.begin(data, "--method", "lexical", "--output", command.folder / "out")
    assert process.stderr is not None
    while ": lexical" not in (line := process.stderr.readline()):
        assert line, "it ended before it could be stopped"
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=WAIT_SECONDS)
    assert process.returncode == 130
    assert "The same command goes on." in err
    evaluation = command.evaluate(data, "--method", "lexical")
    assert [one.choice.name for one in evaluation.outcomes] == ["lexical"]


def test_pictures_are_found_by_their_captions(
    command: Command, emoji_folder: Path, tiny_clip: object, clip_models_folder: Path, tiny_clip_properties: object
) -> None:
    """The model was trained on these pictures; ``tiny_clip`` has converted it."""
    command.home.mkdir()
    (command.home / "models").symlink_to(clip_models_folder)
    properties = "tiny-emoji=" + orjson.dumps(tiny_clip_properties).decode()
    arguments = (emoji_folder, "--captions", "captions.jsonl", "--model", "tiny-emoji", "--properties", properties)
    evaluation = command.evaluate(*arguments)
    (one,) = evaluation.outcomes
    assert (one.indexing.documents, one.indexing.chunks) == (300, 300)
    assert one.mean("RR") > 0.9
    assert one.indexing.documents_per_second is not None
    again = command.evaluate(*arguments, "--fresh")
    assert again.began_at >= evaluation.began_at
    assert again.outcomes[0].mean("RR") == one.mean("RR")


def test_a_table_judges_the_documents_of_an_index(command: Command, sidecar: object, index: str) -> None:
    from tests.fix_server import Sidecar

    assert isinstance(sidecar, Sidecar)
    documents = [{"_id": str(number), "title": word} for number, word in enumerate(["river", "bridge", "violin"])]
    sidecar.add(index, documents)
    pairs = command.folder / "pairs.csv"
    pairs.write_text("query,id\na violin,2\nthe river,0\n")
    evaluation = command.evaluate(pairs, "--index", index, "--method", "lexical")
    assert (evaluation.data.documents, evaluation.data.queries) == (3, 2)
    assert evaluation.outcomes[0].mean("RR") == 1.0
    assert sidecar.get(f"/indexes/{index}/stats").json()["numberOfDocuments"] == 3


def test_json_goes_to_the_standard_output_alone(command: Command) -> None:
    data = write_beir(command.folder / "notes")
    began = time.time()
    out, _ = command.run(data, "--method", "lexical", "--json", "--output", command.folder / "out")
    told = orjson.loads(out)
    assert told == orjson.loads((command.folder / "out" / "evaluation.json").read_bytes())
    assert began < time.time()
    path = command.folder / "out" / "evaluation.json"
    compared, _ = command.run("--compare", path, path)
    assert "lexical" in compared


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "Name the data"),
        (("nowhere", "--method", "lexical"), "There is nothing at nowhere"),
        (("{data}",), "No model is given: name one or several with --model"),
        (("{data}", "--model", "all-MiniLM-L6-v3"), "there is no model named 'all-MiniLM-L6-v3'. The nearest names"),
        (("{data}", "--method", "magic"), "'magic' is none of tensor, lexical, hybrid"),
        (("{data}", "--model", SMALL, "--alpha", "a"), "'a' must be numbers"),
        (("{data}", "--model", SMALL, "--plan", "plan.yml"), "--plan lists the choices: leave out --model"),
        (("{data}", "--compare", "{data}", "{data}"), "leave out the data"),
        (("{data}", "--model", "x", "--properties", "x=1"), "must be NAME=JSON, an object"),
    ],
)
def test_what_is_wrong_on_the_command_line_is_told(
    tmp_path: Path, node: str, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], told: str
) -> None:
    from click.testing import CliRunner

    from sidecar.cli import main

    monkeypatch.setenv("OPENSEARCH_URL", node)
    monkeypatch.setenv("SIDECAR_HOME", str(tmp_path / "home"))
    data = write_beir(tmp_path / "notes")
    given = [argument.format(data=data) for argument in arguments]
    done = CliRunner().invoke(main, ["evaluate", *given, "--output", str(tmp_path / "out")])
    assert done.exit_code == 2
    assert told in " ".join(done.output.split())
