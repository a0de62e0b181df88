"""docs/migrating-models.md says what the command does."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from sidecar.cli.migrate import migrate
from sidecar.cli.migrate_index import index
from sidecar.ingest.defaults import LEAST_RECALL
from sidecar.ingest.migration.neighbours import NEIGHBOURS, SAMPLE

PAGE = (Path(__file__).parents[3] / "docs" / "migrating-models.md").read_text("utf-8")
COMMANDS = [line for block in re.findall(r"^```sh\n(.*?)^```", PAGE, re.M | re.S) for line in block.splitlines()]


@pytest.mark.parametrize("line", COMMANDS)
def test_each_command_is_one(line: str) -> None:
    program, word, *arguments = shlex.split(line)
    assert (program, word) == ("sidecar", "migrate")
    context = click.Context(migrate, info_name="migrate")
    _, command, rest = migrate.resolve_command(context, arguments)
    assert command is not None
    command.make_context(command.name, rest, parent=context, resilient_parsing=False)


def test_the_table_has_every_option() -> None:
    table = PAGE.partition("## What can change")[2].partition("\n\nVectors")[0]
    told = set(re.findall(r"`(--[\w-]+)`", "".join(line.split("|")[1] for line in table.splitlines() if "|" in line)))
    assert told == {name for parameter in index.params for name in parameter.opts if name.startswith("--")}


def test_numbers_are_those_of_the_code() -> None:
    words = {10: "ten"}
    assert f"Of {SAMPLE} documents each finds itself" in PAGE
    assert f"at least {LEAST_RECALL} of the {words[NEIGHBOURS]} nearest" in PAGE
