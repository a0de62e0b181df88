"""What a document, a model or a cluster says may not command the terminal of who reads it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.console import Console

from sidecar.cli.ending import CommandFailed
from sidecar.cli.exit_statuses import ExitStatus
from sidecar.cli.json_output import echo_json
from sidecar.cli.printable import echo, escape, printable

CLEARS = "\x1b[2J\x1b]0;mine\x07"
ALIASES = ["\x9b2J", "\x00", "\r", "\x08", "\x7f", "\u202e", "\u2066", "\u2028", "\ud800"]


@pytest.mark.parametrize("text", [CLEARS, *ALIASES])
def test_what_a_terminal_obeys_is_written_out(text: str) -> None:
    shown = printable(f"a{text}b")
    assert shown.isprintable()
    assert json.loads(f'"{shown}"') == f"a{text}b"


def test_all_that_is_read_stays_as_it_is() -> None:
    for text in ("Zürich – naïve café, 東京 и Москва, عربي 🎉", "two\nlines\tand a tab", 'quo"tes\\', ""):
        assert printable(text) == text


def test_every_way_to_say_something_is_safe(capsys: pytest.CaptureFixture[str]) -> None:
    echo(CLEARS)
    echo(CLEARS, err=True)
    echo_json({CLEARS: ["\x9b2J\u202e"]})
    CommandFailed(CLEARS, ExitStatus.FAILED).show()
    Console(force_terminal=True).print(f"[red]{escape(CLEARS + '[bold]')}[/red]", highlight=False)
    told = capsys.readouterr()
    rest = re.sub("\x1b\\[[0-9]+m", "", told.out) + told.err
    assert rest.count("[2J") == 6 - 1
    assert [letter for letter in rest if not letter.isprintable() and letter != "\n"] == []
    assert "[bold]" in rest


def test_json_says_the_same_as_before(capsys: pytest.CaptureFixture[str]) -> None:
    value = {"a\x7f": ["\x1b", "\u2028\n", "\U000e0001", "é"]}
    echo_json(value)
    assert json.loads(capsys.readouterr().out) == value


def test_runner_sees_what_a_pipe_sees() -> None:
    import click

    @click.command()
    def command() -> None:
        echo(CLEARS)

    assert "\x1b" not in CliRunner().invoke(command, color=True).output


def test_commands_say_what_others_wrote_in_no_other_way() -> None:
    # A script for the shell, and the file that an evaluation wrote, go out as they are.
    as_they_are = {"printable.py", "completion.py", "evaluate_run.py"}
    folder = Path(__file__).parent.parent.parent / "sidecar" / "cli"
    for module in folder.glob("*.py"):
        text = module.read_text("utf-8")
        assert "rich.markup import" not in text, module.name
        assert module.name in as_they_are or "click.echo(" not in text, module.name
