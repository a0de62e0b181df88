"""Text of others as it may stand on a terminal."""

from __future__ import annotations

import json
from typing import TextIO

import click
from rich import markup


def printable(text: str) -> str:
    """The text with what a terminal would obey written as JSON has it: control characters, marks of direction.

    Ids, reasons and names come from documents, models and clusters: an escape sequence in one could clear the screen,
    write over what stands there, or have the terminal answer in the reader's name. Line breaks and tabs stay.
    """
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() or letter in "\n\t" else json.dumps(letter)[1:-1] for letter in text)


def echo(text: str = "", *, err: bool = False, file: TextIO | None = None) -> None:
    """Write the text and a line break to standard output, standard error, or a file, as `printable` has it."""
    click.echo(printable(text), err=err, file=file)


def escape(text: str) -> str:
    """As `printable`, and with what rich would take for its own markup as it stands."""
    return markup.escape(printable(text))
