"""The examples of the README and of the pages that go on from it, run as a new user runs them: each answers what is
printed below it."""

from __future__ import annotations

import argparse
import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from click.testing import CliRunner

from sidecar.cli import main
from tests.fix_server import Sidecar

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "README.md").read_text("utf-8")
PAGES = (TEXT, *((ROOT / "docs" / name).read_text("utf-8") for name in ("search.md",)))
"""In the order in which they are read: each uses the indexes of those before it."""

PRINTED_URL = "http://localhost:8882"
PRINTED_NATIVE_URL = "http://localhost:9201"
INDEXES = ("help-desk", "my-notes")
SCORE_TOLERANCE = 0.002
"""Sums of float32 differ in their last digits from one processor to the next."""
TIMES = {"processingTimeMs", "timesMs"}

BLOCK = re.compile(r"^```sh\n(.*?)^```\n(?:```json\n(.*?)^```\n)?", re.DOTALL | re.MULTILINE)
FILTER_ROW = re.compile(r"^\| `(\S.*?)` \| ([\w, -]+) \| .+ \|$", re.MULTILINE)


@dataclass(frozen=True)
class Example:
    """A curl command, and the answer that is printed below it."""

    command: str
    printed: Any

    def __str__(self) -> str:
        return " ".join(self.command.split())[:90]

    def answer_of(self, server: Sidecar) -> Any:
        """What the server answers, by a request like curl's."""
        given = read_curl(self.command)
        headers = dict(header.split(": ", 1) for header in given.header)
        method = given.method or ("GET" if given.data is None else "POST")
        target = given.url.replace(PRINTED_URL, server.url).replace(PRINTED_NATIVE_URL, server.native_url)
        return requests.request(method, target, data=given.data, headers=headers, timeout=300).json()


def read_curl(command: str) -> argparse.Namespace:
    """The parts of a curl command; any option that the README does not use yet is refused."""
    parser = argparse.ArgumentParser(exit_on_error=False, allow_abbrev=False)
    for flag in ("-s", "-f", "--retry-connrefused"):
        parser.add_argument(flag, action="store_true")
    for ignored in ("--retry", "--retry-delay"):
        parser.add_argument(ignored)
    parser.add_argument("-X", dest="method")
    parser.add_argument("-H", dest="header", action="append", default=[])
    parser.add_argument("-d", dest="data")
    parser.add_argument("url")
    return parser.parse_args(shlex.split(command)[1:])


def examples() -> list[Example]:
    blocks = [block for page in PAGES for block in BLOCK.findall(page)]
    found = [Example(command, json.loads(printed)) for command, printed in blocks if printed]
    assert all(example.command.startswith("curl ") for example in found)
    return found


def filters() -> list[tuple[str, set[str]]]:
    rows = FILTER_ROW.findall(TEXT.partition("### Filters")[2].partition("\n## ")[0])
    return [(text, set(ids.split(", ")) - {"none"}) for text, ids in rows]


def differences(printed: Any, answer: Any, place: str = "") -> list[str]:
    """Where an answer is not as printed, save for times, the last digits of scores, and what stands behind a ``…``."""
    if isinstance(printed, dict) and isinstance(answer, dict) and printed.keys() == answer.keys():
        times = {key for key in TIMES & printed.keys() if _are_times(printed[key], answer[key])}
        return [
            line for key in printed.keys() - times for line in differences(printed[key], answer[key], f"{place}.{key}")
        ]
    if isinstance(printed, list) and isinstance(answer, list) and len(printed) == len(answer):
        pairs = enumerate(zip(printed, answer, strict=True))
        return [line for number, pair in pairs for line in differences(*pair, f"{place}[{number}]")]
    if isinstance(printed, str) and isinstance(answer, str) and printed.endswith("…"):
        is_equal = answer.startswith(printed[:-1]) and len(answer) >= len(printed)
    elif isinstance(printed, float) and isinstance(answer, float):
        is_equal = abs(printed - answer) <= SCORE_TOLERANCE
    else:
        is_equal = bool(printed == answer)
    return [] if is_equal else [f"{place or 'answer'}: printed {printed!r}, answered {answer!r}"]


def _are_times(printed: Any, answer: Any) -> bool:
    """A number of milliseconds, or the same names with one each."""
    if isinstance(printed, dict) and isinstance(answer, dict):
        return printed.keys() == answer.keys() and all(isinstance(value, (int, float)) for value in answer.values())
    return isinstance(answer, (int, float))


@pytest.fixture(scope="module")
def server(node: str, models_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sidecar]:
    """A sidecar in front of a cluster without the README's indexes."""
    home = tmp_path_factory.mktemp("home")
    models_folder.mkdir(parents=True, exist_ok=True)
    (home / "models").symlink_to(models_folder)
    with Sidecar({"OPENSEARCH_URL": node, "SIDECAR_HOME": str(home)}) as running:
        yield running
        for index in INDEXES:
            running.delete(f"/indexes/{index}")
        running.session.delete(f"{running.native_url}/letters", timeout=30)


@pytest.fixture(scope="module")
def answers(server: Sidecar) -> list[Any]:
    """The answers of all examples, run once from the README's first to its last."""
    return [example.answer_of(server) for example in examples()]


@pytest.mark.parametrize("number", range(len(examples())), ids=[str(example) for example in examples()])
def test_example_answers_what_is_printed(answers: list[Any], number: int) -> None:
    assert differences(examples()[number].printed, answers[number]) == []


@pytest.mark.parametrize(("text", "ids"), filters(), ids=[text for text, _ in filters()])
@pytest.mark.parametrize("method", ["TENSOR", "LEXICAL"])
@pytest.mark.usefixtures("answers")
def test_filter_finds_what_its_row_says(server: Sidecar, text: str, ids: set[str], method: str) -> None:
    # Words of each document's title, so that the lexical query leaves none out.
    body = {"q": "reset your account invoice money", "filter": text, "searchMethod": method}
    hits = server.post("/indexes/help-desk/search", body).json()["hits"]
    assert {hit["_id"] for hit in hits} == ids


def test_sixty_second_start_searches_in_all_three_ways() -> None:
    start = TEXT.partition("## 60-second start")[2].partition("\n## ")[0]
    bodies = [
        json.loads(read_curl(e.command).data) for e in examples() if e.command in start and "/search" in e.command
    ]
    assert [set(body) & {"filter", "searchMethod"} for body in bodies] == [set(), {"filter"}, {"searchMethod"}]


def test_filter_table_has_rows() -> None:
    section = TEXT.partition("### Filters")[2].partition("\n## ")[0]
    assert len(filters()) == section.count("\n|") - 2


@pytest.mark.parametrize(
    ("printed", "answer", "is_same"),
    [
        ({"a": 1}, {"a": 1}, True),
        ({"a": 1}, {"a": 1, "b": 2}, False),
        ({"a": 1, "b": 2}, {"a": 1}, False),
        ([1, 2], [1], False),
        ("The first…", "The first and the rest", True),
        ("The first…", "The second", False),
        ("The first…", "The first", False),
        ({"_score": 0.7312}, {"_score": 0.7318}, True),
        ({"_score": 0.7312}, {"_score": 0.7512}, False),
        ({"processingTimeMs": 5}, {"processingTimeMs": 17.5}, True),
        ({"processingTimeMs": 5}, {"processingTimeMs": None}, False),
        (True, "True", False),
    ],
)
def test_differences_are_found(printed: Any, answer: Any, is_same: bool) -> None:
    assert (differences(printed, answer) == []) is is_same


def commands(program: str) -> list[str]:
    """The README's command lines of a program, without their comments."""
    lines = [line.split("#")[0].strip() for command, _ in BLOCK.findall(TEXT) for line in command.splitlines()]
    return [line for line in lines if line.startswith(f"{program} ")]


def test_make_targets_are_there() -> None:
    rules = (ROOT / "Makefile").read_text("utf-8")
    shown = {line.split()[1] for line in commands("make")} | set(re.findall(r"`make (\w+)`", TEXT))
    assert {"demo", "serve", "test", "bench", "lint", "install"} <= shown
    assert [target for target in shown if not re.search(rf"^{target}:", rules, re.MULTILINE)] == []


def test_commands_of_the_sidecar_are_there() -> None:
    shown = [line.split()[1:] for line in commands("sidecar")]
    assert ["opensearch", "start"] in shown
    for arguments in shown:
        result = CliRunner().invoke(main, [*arguments, "--help"])
        assert result.exit_code == 0, result.output
