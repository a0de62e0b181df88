"""``sidecar migrate backfill``: gives documents the vectors that their declared fields lack."""

from __future__ import annotations

from pathlib import Path

import click

from sidecar.cli.completing import complete_indexes, complete_models
from sidecar.cli.deferred import Deferred
from sidecar.cli.exit_statuses import ExitStatus
from sidecar.cli.json_output import json_option
from sidecar.ingest.defaults import BATCH_DOCUMENTS

backfill = Deferred(
    "backfill",
    "sidecar.cli.backfill_run:backfill",
    params=[
        click.Option(
            ["--index"],
            required=True,
            metavar="NAME",
            shell_complete=complete_indexes,
            help="Index, alias or data stream, or a list or pattern of these.",
        ),
        click.Option(["--field"], multiple=True, metavar="VECTOR", help="A declared vector; all of them by default."),
        click.Option(["--source"], metavar="PATH", help="Declare the field first: the path of what is embedded."),
        click.Option(
            ["--model"], metavar="NAME", shell_complete=complete_models, help="Declare the field first: the model."
        ),
        click.Option(["--kind"], type=click.Choice(["text", "image"]), help="What the source holds; text by default."),
        click.Option(["--replace"], is_flag=True, help="Compute the vectors that are there anew too."),
        click.Option(["--rate"], type=click.FloatRange(min=0, min_open=True), help="Documents a second, at most."),
        click.Option(
            ["--batch"],
            type=click.IntRange(1, 5000),
            default=BATCH_DOCUMENTS,
            show_default=True,
            help="Documents in a request.",
        ),
        click.Option(
            ["--checkpoint"], type=click.Path(path_type=Path), help="With --replace: the file by which it resumes."
        ),
        json_option(),
    ],
    short_help="Give documents the vectors that their declared fields lack.",
    help="Give documents the vectors that their declared fields lack, while the index is in use.\n\n"
    f"It can be stopped and started again at any time: what is done is not done twice. Ends with status "
    f"{ExitStatus.PROBLEMS} where a document failed, and {ExitStatus.STOPPED} where it was stopped.",
)
