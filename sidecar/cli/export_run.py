"""The work of `sidecar export`."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from typing import Any, TextIO

import click
import orjson

from sidecar.api.services import EXTENSION, Services
from sidecar.cli.consoles import progress_console
from sidecar.cli.document_bar import DocumentBar
from sidecar.cli.exit_statuses import ExitStatus
from sidecar.cli.json_output import JSON, echo_json
from sidecar.cli.local_app import command_settings, local_app
from sidecar.cli.names import names_of
from sidecar.cli.printable import echo
from sidecar.cli.stopping import stopped_by_signals
from sidecar.ingest.exporting.export import Export, ExportStopped, ExportSummary
from sidecar.ingest.exporting.options import STANDARD_OUTPUT, ExportFormat, ExportOptions
from sidecar.ingest.progress import Progress


def export(given: Mapping[str, Any]) -> int:
    """Write the documents, and tell what was written; a `Work`."""
    options = _options(given)
    options.chosen_format()
    console = progress_console()
    started = time.perf_counter()
    try:
        with local_app(command_settings(), console) as app:
            parts: Services = app.extensions[EXTENSION]
            with DocumentBar(console, "Exporting") as bar:
                job = Export(parts.cluster, options, progress=Progress(bar.found, bar.done))
                with stopped_by_signals(job.stop):
                    summary = job.run()
    except ExportStopped:
        echo(f"Stopped before the end; nothing is left of it at {options.to}.", err=True)
        return ExitStatus.STOPPED
    except BrokenPipeError:
        # Whoever read has had enough; nothing more can be said there, not even by Python at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitStatus.PROBLEMS
    _tell(summary, options, time.perf_counter() - started, as_json=given[JSON])
    return ExitStatus.DONE


def _options(given: Mapping[str, Any]) -> ExportOptions:
    own = {name: value for name, value in given.items() if name != JSON}
    own |= {
        "query": _read_query(given["query"]),
        "fields": names_of(given["fields"]) or (),
        "format": None if given["format"] is None else ExportFormat(given["format"]),
    }
    return ExportOptions(**own)


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
        echo_json(told, file=place)
        return
    where = "on standard output" if options.to == STANDARD_OUTPUT else f"in {options.to}"
    files = f", {summary.files} file{'s' if summary.files != 1 else ''}" if options.is_folder else ""
    rate = summary.documents / seconds if seconds else 0.0
    echo(
        f"{summary.documents:,} documents of {', '.join(summary.indexes)} are {where}{files} "
        f"({seconds:.1f} s, {rate:,.0f} docs/s)",
        file=place,
    )
    for column in summary.json_columns:
        echo(f"  {column}: no one type holds its values; they are written as JSON text", err=True)
    for name in summary.unmet_fields:
        echo(f"  {name}: no document has this field", err=True)
