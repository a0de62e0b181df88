"""Whether command lines of the sidecar, as documents show them, are such: the command and each option are there."""

from __future__ import annotations

import re
import shlex

import click

from sidecar.cli import main

_CALL = re.compile(r"^(?:.*?(?:\| |&& |\|\| |\$\())?(?:\w+=\S* )*(?:\S*/)?sidecar (.*)$")
_ENDS = "|&;<>)"
"""What a command ends at: the next, a file, or the text that it stands in."""


def calls_in(shell: str) -> list[list[str]]:
    """The arguments of each ``sidecar …`` in a piece of shell, one line a command, lines joined at their ``\\``."""
    found = (_CALL.match(line.strip()) for line in shell.replace("\\\n", " ").splitlines())
    return [_arguments(match[1]) for match in found if match]


def _arguments(text: str) -> list[str]:
    words = shlex.shlex(text, posix=True, punctuation_chars=_ENDS)
    words.whitespace_split = True
    arguments: list[str] = []
    for word in words:
        if set(word) <= set(_ENDS):
            break
        arguments.append(word)
    return arguments


def wrong_with(arguments: list[str]) -> str | None:
    """Why the command line would be refused before it does anything; ``None`` where it would not."""
    command: click.Command = main
    context = click.Context(main, info_name="sidecar")
    rest = arguments
    try:
        while isinstance(command, click.Group):
            if not rest or rest[0].startswith("-"):
                break
            _, found, rest = command.resolve_command(context, list(rest))
            assert found is not None
            command = found
            context = click.Context(found, info_name=found.name, parent=context)
        command.make_parser(context).parse_args(list(rest))
    except click.UsageError as error:
        return f"sidecar {shlex.join(arguments)}: {error.format_message()}"
    return None
