"""``sidecar ingest``: brings a source into an index."""

from __future__ import annotations

from pathlib import Path

import click

from sidecar.cli.completing import complete_files, complete_indexes, complete_models
from sidecar.cli.deferred import Deferred
from sidecar.cli.exit_statuses import ExitStatus
from sidecar.ingest.loading.patience import PATIENCE_SECONDS
from sidecar.ingest.sources.options import Format

LOCAL, RAY = "local", "ray"
SHOWN_DOCUMENTS = 3
_FILE = click.Path(path_type=Path, dir_okay=False)
_FORMATS = click.Choice([each.value for each in Format])

_WHAT = [
    click.Argument(["source"], required=False, shell_complete=complete_files),
    click.Option(
        ["--index"], metavar="NAME", shell_complete=complete_indexes, help="The index to load into, or an alias of one."
    ),
    click.Option(["--format"], type=_FORMATS, help="The source's format, where its name does not tell."),
    click.Option(["--captions"], help="CSV or JSONL file with a row for each image of a folder of images."),
    click.Option(["--encoding"], help="Encoding of text files; utf-8 by default."),
    click.Option(
        ["--storage"], multiple=True, metavar="OPTION=VALUE", help="Option of fsspec's filesystem. May be repeated."
    ),
]
_SHAPE = [
    click.Option(["--id-field"], metavar="FIELD", help="The field with the document's id."),
    click.Option(["--tensor-fields"], metavar="A,B", help="The fields whose text is embedded."),
    click.Option(["--image-fields"], metavar="A,B", help="The fields that point to images, which are embedded."),
    click.Option(["--rename"], multiple=True, metavar="OLD=NEW", help="Give a field another name. May be repeated."),
    click.Option(["--set"], multiple=True, metavar="FIELD=VALUE", help="Give every document a value. May be repeated."),
    click.Option(
        ["--types"],
        multiple=True,
        metavar="FIELD=TYPE",
        help="Make int, float, bool, json, list or str of a field. May be repeated.",
    ),
    click.Option(["--keep"], metavar="A,B", help="Take these fields only."),
    click.Option(["--drop"], metavar="A,B", help="Leave these fields out."),
    click.Option(
        ["--precomputed"],
        multiple=True,
        metavar="FIELD[=TEXT]",
        help="FIELD has vectors already, which are taken as those of the field TEXT. May be repeated.",
    ),
]
_INDEX = [
    click.Option(
        ["--model"],
        metavar="NAME",
        shell_complete=complete_models,
        help="Model of the index, where it is not there yet.",
    ),
    click.Option(
        ["--settings"],
        type=_FILE,
        help="JSON or YAML file of a new index's settings, as POST /indexes/{index} takes.",
    ),
    click.Option(["--replace"], is_flag=True, help="Load all anew; documents with the same ids are replaced."),
    click.Option(["--only-new"], is_flag=True, help="Load all anew; documents whose ids are there stay."),
]
_HOW = [
    click.Option(["--batch"], type=click.IntRange(1, 10_000), help="Documents in a batch, at most; 500 by default."),
    click.Option(["--streams"], type=click.IntRange(1, 64), help="Batches written at once, at most; 4 by default."),
    click.Option(["--job-file"], type=_FILE, help="YAML file that says all this; options here have precedence."),
    click.Option(["--job"], metavar="NAME", help="A name of your own for the job, by which it is resumed."),
    click.Option(["--dead-letters"], type=_FILE, help="Copy the documents that failed to this file, at the end."),
    click.Option(
        ["--patience"],
        type=click.FloatRange(min=0),
        default=PATIENCE_SECONDS,
        show_default=True,
        help="Seconds to wait for a cluster that is away or full.",
    ),
    click.Option(["--dry-run"], is_flag=True, help="Show the first documents, and what the load would take."),
    click.Option(
        ["--documents"],
        type=click.IntRange(1, 200),
        default=SHOWN_DOCUMENTS,
        show_default=True,
        help="How many documents a dry run shows.",
    ),
    click.Option(
        ["--engine"],
        type=click.Choice([LOCAL, RAY]),
        default=LOCAL,
        show_default=True,
        help="Load by this process, or by workers that Ray runs on this machine or a cluster of machines.",
    ),
    click.Option(
        ["--workers"],
        type=click.IntRange(1),
        help="Workers of Ray; one for each GPU or every four processors by default.",
    ),
    click.Option(["--json"], is_flag=True, help="Write the summary as JSON to standard output."),
]

ingest = Deferred(
    "ingest",
    "sidecar.cli.ingest_run:ingest",
    params=[*_WHAT, *_SHAPE, *_INDEX, *_HOW],
    short_help="Bring a source of documents into an index, exactly and once.",
    help="Bring the documents of SOURCE into an index: a file of JSONL, CSV, TSV, Parquet or Arrow, a folder "
    "or pattern of such files, a folder of images or texts, another index, a URL of s3:// or https://, or - for "
    "standard input.\n\n"
    "It can be stopped and killed at any time: the same command goes on where it was. Ends with status "
    f"{ExitStatus.DONE} where all documents are in the index, {ExitStatus.PROBLEMS} where some failed, "
    f"{ExitStatus.REFUSED} where it can't begin, {ExitStatus.FAILED} where a fault stopped it and {ExitStatus.STOPPED} "
    "where a signal did; after the last two the same command goes on.",
)
