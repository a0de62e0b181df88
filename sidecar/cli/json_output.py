"""``--json``: a command's result as one JSON value on standard output, and nothing else there."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TextIO

import click
import orjson

from sidecar.cli.printable import echo

JSON = "as_json"
"""The option's name among a command's parameters."""


_HELP = "Write the result as JSON to standard output."


def json_option(help: str = _HELP) -> click.Option:
    """The option, the same for every command that has it."""
    return click.Option(["--json", JSON], is_flag=True, help=help)


def echo_json(value: Any, *, file: TextIO | None = None) -> None:
    """Write a JSON value, indented, to standard output or another file. Paths are text; numbers that JSON can't say
    are null."""
    text = orjson.dumps(value, default=_plain, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS)
    echo(text.decode(), file=file)


def _plain(value: object) -> object:
    if isinstance(value, Path):
        return str(value)
    return repr(value)
