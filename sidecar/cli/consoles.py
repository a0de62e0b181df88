"""What commands write on: results on standard output, and how far they are on standard error.

Colours stand on terminals only; ``NO_COLOR``, ``FORCE_COLOR`` and ``TERM=dumb`` are honoured, by rich.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console

from sidecar.cli.printable import escape
from sidecar.opensearch.node.progress import Progress, Report

_FILE_WIDTH = 1000
"""Characters a line where no terminal bounds it."""


def progress_console() -> Console:
    """Standard error: bars, spinners and colours on a terminal, plain lines elsewhere, also with ``FORCE_COLOR``."""
    return Console(stderr=True, highlight=False, force_terminal=None if sys.stderr.isatty() else False)


def result_console() -> Console:
    """Standard output, with lines as long as they are."""
    return Console(highlight=False, soft_wrap=True)


def table_console() -> Console:
    """Standard output; tables are as wide as they need to be where it is no terminal and ``COLUMNS`` is not set."""
    is_bound = sys.stdout.isatty() or "COLUMNS" in os.environ
    return Console(highlight=False, width=None if is_bound else _FILE_WIDTH)


@contextmanager
def node_progress(console: Console) -> Iterator[Report]:
    """How far the embedded node is: in one line of a terminal, and elsewhere each step once."""
    if not console.is_interactive:
        yield _Steps(console)
        return
    with console.status("OpenSearch") as status:

        def report(progress: Progress) -> None:
            share = "" if progress.fraction is None else f" {progress.fraction:.0%}"
            status.update(escape(progress.text) + share)

        yield report


class _Steps:
    """Prints each step when it begins."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._shown = ""

    def __call__(self, progress: Progress) -> None:
        if progress.text != self._shown:
            self._shown = progress.text
            self._console.print(progress.text, markup=False, soft_wrap=True)
