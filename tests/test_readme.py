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

from tests.docs.blocks import Block, Use, blocks_of
from tests.docs.command_lines import wrong_with
from tests.docs.comparing import differences
from tests.fix_server import Sidecar

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "README.md").read_text("utf-8")
PAGES = (TEXT, *((ROOT / "docs" / name).read_text("utf-8") for name in ("search.md",)))
"""In the order in which they are read: each uses the indexes of those before it."""

BODIES = [block for block in blocks_of("docs/search.md") if block.use is Use.BODY]

PRINTED_URL = "http://localhost:8882"
PRINTED_NATIVE_URL = "http://localhost:9201"
INDEXES = ("help-desk", "my-notes")

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


@pytest.mark.parametrize("block", BODIES, ids=[block.place for block in BODIES])
@pytest.mark.usefixtures("answers")
def test_body_is_taken(server: Sidecar, block: Block) -> None:
    method, path = block.target.split()
    answer = server.request(method, path, json.loads(block.text))
    assert answer.status_code == 200, answer.text


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


def commands(program: str) -> list[str]:
    """The README's command lines of a program, without their comments."""
    blocks = [block.text for block in blocks_of("README.md") if block.language in {"sh", "text"}]
    lines = [line.split("#")[0].strip() for block in blocks for line in block.splitlines()]
    return [line for line in lines if line.startswith(f"{program} ")]


def test_make_targets_are_there() -> None:
    rules = (ROOT / "Makefile").read_text("utf-8")
    shown = {line.split()[1] for line in commands("make")} | set(re.findall(r"`make (\w+)`", TEXT))
    assert {"demo", "serve", "test", "bench", "lint", "install"} <= shown
    assert [target for target in shown if not re.search(rf"^{target}:", rules, re.MULTILINE)] == []


def test_commands_of_the_sidecar_are_there() -> None:
    shown = [shlex.split(line)[1:] for line in commands("sidecar")]
    assert ["opensearch", "start"] in shown
    assert any(arguments[0] == "ingest" for arguments in shown)
    assert [wrong for arguments in shown if (wrong := wrong_with(arguments))] == []
