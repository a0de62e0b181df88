"""Commands whose work is imported when it is done, so that their help and their completion come at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any, cast

import click

Work = Callable[[Mapping[str, Any]], int]
"""Does what a command was asked for, by its options' names; returns the exit status."""


class Deferred(click.Command):
    """A command of which only the options are known until it runs. ``work`` is the place of a `Work`, as
    ``package.module:function``."""

    def __init__(
        self, name: str, work: str, *, params: Sequence[click.Parameter], help: str, short_help: str | None = None
    ) -> None:
        super().__init__(name, params=list(params), help=help, short_help=short_help)
        self.work = work

    def invoke(self, ctx: click.Context) -> None:
        """Import the work, do it, and end with its status."""
        module, _, function = self.work.partition(":")
        work = cast(Work, getattr(import_module(module), function))
        ctx.exit(work(ctx.params))
