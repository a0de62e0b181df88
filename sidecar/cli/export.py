"""``sidecar export``: an index's documents, with or without their vectors, in files."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from typing import Any, TextIO

import click
import orjson
from rich.console import Console

from sidecar.api.services import EXTENSION, Services
from sidecar.cli.document_bar import DocumentBar
from sidecar.cli.local_app import command_settings, local_app
from sidecar.cli.names import names_of
from sidecar.cli.stopping import INTERRUPTED, stopped_by_signals
from sidecar.errors import SidecarError
from sidecar.ingest.exporting.export import Export, ExportStopped, ExportSummary
from sidecar.ingest.exporting.options import STANDARD_OUTPUT, ExportFormat, ExportOptions
from sidecar.ingest.progress import Progress


class _Export(click.Command):
    """A command whose options become an `ExportOptions`, so that no function has a parameter for each."""

    def invoke(self, ctx: click.Context) -> None:
        """Do the job; an error of ours is one line, and exit status 1."""
        given = dict(ctx.params)
        as_json = given.pop("as_json")
        options = ExportOptions(
            **given | {"query": _read_query(given["query"]), "fields": names_of(given["fields"]) or ()}
        )
        console = Console(stderr=True, highlight=False)
        started = time.perf_counter()
        try:
            settings = command_settings()
            options.chosen_format()
            with local_app(settings, console) as app:
                parts: Services = app.extensions[EXTENSION]
                with DocumentBar(console, "Exporting") as bar:
                    job = Export(parts.cluster, options, progress=Progress(bar.found, bar.done))
                    with stopped_by_signals(job.stop):
                        summary = job.run()
        except ExportStopped:
            click.echo(f"Stopped before the end; nothing is left of it at {options.to}.", err=True)
            ctx.exit(INTERRUPTED)
        except BrokenPipeError:
            # Whoever read has had enough; nothing more can be said there, not even by Python at its end.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            ctx.exit(1)
        except SidecarError as error:
            raise click.ClickException(error.message) from error
        _tell(summary, options, time.perf_counter() - started, as_json=as_json)


export = _Export(
    "export",
    params=[
        click.Argument(["index"], metavar="NAME"),
        click.Option(
            ["--to"],
            required=True,
            metavar="PLACE",
            help="A file (.jsonl, .jsonl.gz, .jsonl.zst, .parquet), a folder (with / at its end), a URL of either as "
            "s3://bucket/file.jsonl.zst, or - for standard output.",
        ),
        click.Option(
            ["--format"],
            type=click.Choice([one.value for one in ExportFormat]),
            callback=lambda ctx, parameter, value: None if value is None else ExportFormat(value),
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
        click.Option(["as_json", "--json"], is_flag=True, help="Tell the result as JSON."),
    ],
    short_help="Write an index's documents to files.",
    help="Write the documents of index or alias NAME to files, as they are at this moment.\n\nWhat is written appears "
    "under its name when it is whole.",
)


def _read_query(file: Any) -> Mapping[str, Any] | None:
    """A query, or the body of a search that has nothing else."""
    if file is None:
        return None
    try:
        query = orjson.loads(file.read())
    except orjson.JSONDecodeError as error:
        raise click.UsageError(f"{file.name} is not JSON: {error}") from error
    if isinstance(query, dict) and query.keys() == {"query"}:
        query = query["query"]
    if not isinstance(query, dict) or len(query) != 1:
        raise click.UsageError(f'{file.name} must hold one query of OpenSearch, as {{"term": {{"color": "red"}}}}')
    return query


def _tell(summary: ExportSummary, options: ExportOptions, seconds: float, *, as_json: bool) -> None:
    # Standard output has the documents where they go there.
    place: TextIO = sys.stderr if options.to == STANDARD_OUTPUT else sys.stdout
    if as_json:
        told = {
            "indexes": summary.indexes,
            "to": options.to,
            "documents": summary.documents,
            "files": summary.files,
            "seconds": round(seconds, 2),
            "json_columns": summary.json_columns,
            "fields_not_found": summary.unmet_fields,
        }
        click.echo(orjson.dumps(told).decode(), file=place)
        return
    where = "on standard output" if options.to == STANDARD_OUTPUT else f"in {options.to}"
    files = f", {summary.files} file{'s' if summary.files != 1 else ''}" if options.is_folder else ""
    rate = summary.documents / seconds if seconds else 0.0
    click.echo(
        f"{summary.documents:,} documents of {', '.join(summary.indexes)} are {where}{files} "
        f"({seconds:.1f} s, {rate:,.0f} docs/s)",
        file=place,
    )
    for column in summary.json_columns:
        click.echo(f"  {column}: no one type holds its values; they are written as JSON text", err=True)
    for name in summary.unmet_fields:
        click.echo(f"  {name}: no document has this field", err=True)
