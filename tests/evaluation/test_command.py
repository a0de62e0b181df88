"""The command, run as users run it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import orjson
import psutil
import pytest
from click.testing import CliRunner

from sidecar.cli import main
from sidecar.cli.exit_statuses import ExitStatus
from sidecar.evaluation import searches
from sidecar.evaluation.report.files import read_evaluation
from tests.evaluation.collections import write_beir, write_lines
from tests.evaluation.running import SMALL
from tests.fix_clip import read_captions
from tests.fix_opensearch import request
from tests.fix_server import Sidecar

WAIT_SECONDS = 120.0
ENDS = ("json", "csv", "html")


class Running(subprocess.Popen[str]):
    """The command in a process of its own."""

    def wait_for_note(self, end: str) -> None:
        """Read what it tells, up to a line that ends so."""
        assert self.stderr is not None
        while not (line := self.stderr.readline()).rstrip().endswith(end):
            assert line, f"it ended before it told {end!r}"

    def finish(self, status: int = 0) -> tuple[str, str]:
        """What it has written until its end, and what it has told."""
        out, err = self.communicate(timeout=WAIT_SECONDS)
        assert self.returncode == status, err
        return out, err


class Command:
    """``sidecar evaluate`` on the run's node, with a home folder of its own."""

    def __init__(self, node: str, folder: Path) -> None:
        self.node = node
        self.folder = folder
        self.home = folder / "home"
        self._own = {"OPENSEARCH_URL": node, "SIDECAR_HOME": str(self.home), "COLUMNS": "250"}

    def begin(self, *arguments: object) -> Running:
        """Start it in a process of its own."""
        command = [sys.executable, "-m", "sidecar", "evaluate", *map(str, arguments)]
        environment = os.environ | self._own
        return Running(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)

    def here(self, *arguments: object, status: int = 0) -> str:
        """Run it in this process; what it has written and told."""
        done = CliRunner(env=self._own).invoke(main, ["evaluate", *map(str, arguments)])
        assert done.exit_code == status, done.output
        return done.output

    def indexes(self) -> set[str]:
        """The evaluations' indexes in the cluster."""
        _, text = request(self.node, "GET", "/_cat/indices/evaluation-*?h=index")
        return set(text.split())


@pytest.fixture(autouse=True)
def few_searches(monkeypatch: pytest.MonkeyPatch) -> None:
    """In this process: latencies are not what is looked at here."""
    monkeypatch.setattr(searches, "WARM_UP_SEARCHES", 3)
    monkeypatch.setattr(searches, "TIMED_SEARCHES", 20)


@pytest.fixture
def command(node: str, tmp_path: Path) -> Command:
    return Command(node, tmp_path)


def test_it_goes_on_after_it_was_killed(command: Command) -> None:
    data, out, there = write_beir(command.folder / "notes"), command.folder / "out", command.indexes()
    arguments = (data, "--model", SMALL, "--method", "lexical,tensor", "--json", "--output", out)
    process = command.begin(*arguments)
    process.wait_for_note(": small tensor")
    served = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    _, alive = psutil.wait_procs(served, WAIT_SECONDS)
    assert not alive, "the server that it had begun goes on without it"
    finished = {path: path.read_bytes() for path in (out / "finished").iterdir()}
    told, notes = command.begin(*arguments).finish()
    assert ": lexical" not in notes
    assert {path: path.read_bytes() for path in finished} == finished
    assert command.indexes() == there
    assert {path.name for path in out.iterdir() if path.is_file()} == {f"evaluation.{end}" for end in ENDS}
    assert orjson.loads(told) == orjson.loads((out / "evaluation.json").read_bytes())
    names = [one.choice.name for one in read_evaluation(out / "evaluation.json").outcomes]
    assert names == ["lexical", "small tensor"]
    assert "small tensor" in command.here("--compare", out / "evaluation.json", out / "evaluation.json")


def test_ctrl_c_ends_it_and_says_how_to_go_on(command: Command) -> None:
    data = write_beir(command.folder / "notes")
    process = command.begin(data, "--method", "lexical", "--output", command.folder / "out")
    process.wait_for_note(": lexical")
    process.send_signal(signal.SIGINT)
    _, notes = process.finish(ExitStatus.STOPPED)
    assert "The same command goes on." in notes


def test_pictures_are_found_by_their_captions(
    command: Command, emoji_folder: Path, tiny_clip: object, clip_models_folder: Path, tiny_clip_properties: object
) -> None:
    """The model was trained on these pictures; ``tiny_clip`` has converted it."""
    command.home.mkdir()
    (command.home / "models").symlink_to(clip_models_folder)
    pictures = command.folder / "pictures"
    pictures.mkdir()
    captions = read_captions(emoji_folder)[:40]
    for caption in captions:
        shutil.copy(emoji_folder / caption["file"], pictures)
    write_lines(pictures / "captions.jsonl", captions)
    properties = "tiny-emoji=" + orjson.dumps(tiny_clip_properties).decode()
    command.here(
        pictures, "--captions", "captions.jsonl", "--model", "tiny-emoji", "--properties", properties,
        "--output", command.folder / "out",
    )  # fmt: skip
    (one,) = read_evaluation(command.folder / "out" / "evaluation.json").outcomes
    assert (one.indexing.documents, one.indexing.chunks) == (40, 40)
    assert one.mean("RR") > 0.9


def test_a_table_judges_the_documents_of_an_index(command: Command, sidecar: Sidecar, index: str) -> None:
    documents = [{"_id": str(number), "title": word} for number, word in enumerate(["river", "bridge", "violin"])]
    sidecar.add(index, documents)
    pairs, out = command.folder / "pairs.csv", command.folder / "out"
    pairs.write_text("query,id\na violin,2\nthe river,0\n")
    told = command.here(pairs, "--index", index, "--method", "lexical", "--output", out)
    evaluation = read_evaluation(out / "evaluation.json")
    assert (evaluation.data.documents, evaluation.data.queries) == (3, 2)
    assert evaluation.outcomes[0].mean("RR") == 1.0
    assert "lexical" in told
    assert sidecar.get(f"/indexes/{index}/stats").json()["numberOfDocuments"] == 3


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
def test_what_is_wrong_on_the_command_line_is_told(command: Command, arguments: tuple[str, ...], told: str) -> None:
    data = write_beir(command.folder / "notes")
    given = [argument.format(data=data) for argument in arguments]
    assert told in " ".join(command.here(*given, "--output", command.folder / "out", status=ExitStatus.REFUSED).split())
