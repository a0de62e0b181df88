"""``sidecar export``: an index's documents, with or without their vectors, in files."""

from __future__ import annotations

import click

from sidecar.cli.completing import complete_files, complete_indexes
from sidecar.cli.deferred import Deferred
from sidecar.cli.json_output import json_option
from sidecar.ingest.exporting.options import ExportFormat

export = Deferred(
    "export",
    "sidecar.cli.export_run:export",
    params=[
        click.Argument(["index"], metavar="NAME", shell_complete=complete_indexes),
        click.Option(
            ["--to"],
            required=True,
            metavar="PLACE",
            shell_complete=complete_files,
            help="A file (.jsonl, .jsonl.gz, .jsonl.zst, .parquet), a folder (with / at its end), a URL of either as "
            "s3://bucket/file.jsonl.zst, or - for standard output.",
        ),
        click.Option(
            ["--format"],
            type=click.Choice([one.value for one in ExportFormat]),
            help="What is written; by default what the file's name tells.",
        ),
        click.Option(["--with-vectors"], is_flag=True, help="Write the vectors of embedded fields too."),
        click.Option(["--fields"], metavar="A,B", help="Only these fields, by their dotted paths."),
        click.Option(["--filter"], metavar="TEXT", help="Only documents that this filter string finds."),
        click.Option(
            ["--query"], type=click.File("rb"), metavar="FILE", help="Only documents that this query finds, as JSON."
        ),
        click.Option(["--limit"], type=click.IntRange(1), help="So many documents at most."),
        click.Option(
            ["--shards-at-once"], type=click.IntRange(1), default=2, show_default=True, help="Shards read at a time."
        ),
        click.Option(["--overwrite"], is_flag=True, help="Replace what is there already."),
        json_option("Write the result as JSON to standard output; to that of errors where the documents go there."),
    ],
    short_help="Write an index's documents to files.",
    help="Write the documents of index or alias NAME to files, as they are at this moment.\n\nWhat is written appears "
    "under its name when it is whole.",
)
