"""``sidecar migrate``: moves an index to another model or other settings, and what belongs to that."""

from __future__ import annotations

import difflib
from typing import Any

import click
from click.shell_completion import CompletionItem

from sidecar.cli.completing import index_names
from sidecar.cli.migrate_backfill import backfill
from sidecar.cli.migrate_ends import abort, finish, rollback, status
from sidecar.cli.migrate_index import index
from sidecar.errors import IndexNotFound

_WORD = "sidecar.cli.migrate.word"
"""Where a call keeps the word that it takes for an index's name."""


class _NamedIndex(click.Group):
    """A group in which a word that is no command is the name of an index: ``sidecar migrate NAME``."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command, and its arguments."""
        if args and args[0] not in self.commands and not args[0].startswith("-"):
            ctx.meta[_WORD] = args[0]
            return index.name, index, args
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command. Raises: IndexNotFound, with the command that may have been meant."""
        try:
            return super().invoke(ctx)
        except IndexNotFound as error:
            near = difflib.get_close_matches(ctx.meta.get(_WORD, ""), self.commands, n=1)
            if not near:
                raise
            raise IndexNotFound(f"{error.message} Did you mean the command '{near[0]}'?") from error

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem[str]]:
        """The commands, and the indexes, which may stand in their place."""
        found = super().shell_complete(ctx, incomplete)
        if incomplete.startswith("-"):
            return found
        return [*found, *(CompletionItem(name) for name in sorted(index_names()) if name.startswith(incomplete))]


migrate = _NamedIndex(
    "migrate",
    help="Move an index to another model or other settings, while it is in use.\n\n"
    "`sidecar migrate NAME --model MODEL` builds a new index beside the one that NAME leads to, keeps up with what is "
    "written meanwhile, and lets NAME lead to the new one in one step. It is short for `sidecar migrate index NAME`; "
    "all options are in the help of that.",
    commands={command.name or "": command for command in (index, status, rollback, finish, abort, backfill)},
    subcommand_metavar="NAME [OPTIONS] | COMMAND [ARGS]…",
)
