"""``sidecar migrate``: moves an index to another model or other settings, and what belongs to that."""

from __future__ import annotations

import click

from sidecar.cli.migrate_backfill import backfill
from sidecar.cli.migrate_ends import abort, finish, rollback, status
from sidecar.cli.migrate_index import index


class _NamedIndex(click.Group):
    """A group in which a word that is no command is the name of an index: ``sidecar migrate NAME``."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command, and its arguments."""
        if args and args[0] not in self.commands and not args[0].startswith("-"):
            return index.name, index, args
        return super().resolve_command(ctx, args)


migrate = _NamedIndex(
    "migrate",
    help="Move an index to another model or other settings, while it is in use.\n\n"
    "`sidecar migrate NAME --model MODEL` builds a new index beside the one that NAME leads to, keeps up with what is "
    "written meanwhile, and lets NAME lead to the new one in one step. It is short for `sidecar migrate index NAME`; "
    "all options are in the help of that.",
    commands={command.name or "": command for command in (index, status, rollback, finish, abort, backfill)},
    subcommand_metavar="NAME [OPTIONS] | COMMAND [ARGS]…",
)
