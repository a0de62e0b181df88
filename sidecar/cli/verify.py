"""``sidecar verify``: whether every document has the vectors that it should."""

from __future__ import annotations

import click

from sidecar.cli.completing import complete_indexes
from sidecar.cli.deferred import Deferred
from sidecar.cli.exit_statuses import ExitStatus
from sidecar.cli.json_output import json_option
from sidecar.ingest.verification.options import DEEP_DOCUMENTS, EXAMPLES

verify = Deferred(
    "verify",
    "sidecar.cli.verify_run:verify",
    params=[
        click.Argument(["index"], metavar="NAME", shell_complete=complete_indexes),
        click.Option(
            ["fields", "--field"],
            multiple=True,
            metavar="FIELD",
            help="An embedded field, or the path of a declared vector; all of them by default. May be repeated.",
        ),
        click.Option(["--sample"], type=click.IntRange(1), help="Look at about so many documents of each index."),
        click.Option(["--deep"], is_flag=True, help="Compute the vectors of some documents anew, and compare them."),
        click.Option(
            ["--deep-documents"],
            type=click.IntRange(1),
            default=DEEP_DOCUMENTS,
            show_default=True,
            help="With --deep: how many documents, about.",
        ),
        click.Option(["--fix"], is_flag=True, help="Embed anew what is wrong, and look at it again."),
        click.Option(
            ["--examples"],
            type=click.IntRange(0),
            default=EXAMPLES,
            show_default=True,
            help="Ids of documents to tell of each problem.",
        ),
        json_option(),
    ],
    short_help="Look whether every document has the vectors that it should.",
    help="Look whether every document of index or alias NAME has the vectors that it should: of its text, by the "
    f"index's model, of the right dimensions and length.\n\nEnds with status {ExitStatus.DONE} where all is right, or "
    f"mended, {ExitStatus.PROBLEMS} where not, {ExitStatus.REFUSED} or {ExitStatus.FAILED} where it could not be told, "
    f"and {ExitStatus.STOPPED} where it was stopped.",
)
