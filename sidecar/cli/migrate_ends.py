"""The commands by which a migration is looked at, rolled back, finished or given up."""

from __future__ import annotations

import click

from sidecar.cli.completing import complete_indexes
from sidecar.cli.deferred import Deferred
from sidecar.cli.json_output import json_option

_NAME = click.Argument(["name"], shell_complete=complete_indexes)

status = Deferred(
    "status",
    "sidecar.cli.migrate_ends_run:status",
    params=[click.Argument(["name"], required=False, shell_complete=complete_indexes), json_option()],
    short_help="Show how far migrations are.",
    help="Show how far migrations are, that of one NAME or all.",
)

rollback = Deferred(
    "rollback",
    "sidecar.cli.migrate_ends_run:rollback",
    params=[
        _NAME,
        click.Option(["--rate"], type=click.FloatRange(min=0, min_open=True), help="Documents a second, at most."),
        json_option(),
    ],
    short_help="Let a name lead to the old index again, with all that was written since.",
    help="Let NAME lead to the old index again.\n\n"
    "What was written since the switch is brought back first, embedded by the old model. It can be stopped and started "
    "again.",
)

finish = Deferred(
    "finish",
    "sidecar.cli.migrate_ends_run:finish",
    params=[_NAME, click.Option(["--yes"], is_flag=True, help="Don't ask."), json_option()],
    short_help="Delete the index that a switch, or a way back, has left.",
    help="Delete the index that the migration of NAME has left. There is no way back then.",
)

abort = Deferred(
    "abort",
    "sidecar.cli.migrate_ends_run:abort",
    params=[_NAME, json_option()],
    short_help="Give a migration up that is under way.",
    help="Give the migration of NAME up: its unfinished index is deleted.\n\n"
    "One that is being rolled back stays switched.",
)
