"""``sidecar verify``: whether every document has the vectors that it should."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click
import orjson
from rich.console import Console

from sidecar.api.services import EXTENSION, Services
from sidecar.app import create_native_embedder, create_native_face
from sidecar.cli.document_bar import DocumentBar
from sidecar.cli.local_app import command_settings, local_app
from sidecar.cli.stopping import INTERRUPTED, stopped_by_signals
from sidecar.errors import SidecarError
from sidecar.ingest.face_client import FaceClient
from sidecar.ingest.progress import Progress
from sidecar.ingest.verification.parts import (
    DEEP_DOCUMENTS,
    EXAMPLES,
    VerificationOptions,
    VerificationParts,
)
from sidecar.ingest.verification.report import Report
from sidecar.ingest.verification.verification import Verification

PROBLEMS = 1


class _NotVerified(click.ClickException):
    """It could not be told whether all is right."""

    exit_code = 2


class _Verify(click.Command):
    """A command whose options become a `VerificationOptions`, so that no function has a parameter for each."""

    def invoke(self, ctx: click.Context) -> None:
        """Do the job; an error of ours is one line, and exit status 2."""
        given = dict(ctx.params)
        as_json, deep, documents = given.pop("as_json"), given.pop("deep"), given.pop("deep_documents")
        options = VerificationOptions(**given, deep_documents=documents if deep else 0)
        console = Console(stderr=True, highlight=False)
        try:
            settings = command_settings()
            with local_app(settings, console) as app:
                parts: Services = app.extensions[EXTENSION]
                face = FaceClient(create_native_face(app), authorization=parts.address.endpoint().authorization)
                embedder = create_native_embedder(app)
                with DocumentBar(console, "Verifying") as bar:
                    job = Verification(
                        VerificationParts(parts.cluster, parts.states, face, embedder),
                        options,
                        progress=Progress(bar.found, bar.done),
                    )
                    with stopped_by_signals(job.stop):
                        report = job.run()
        except SidecarError as error:
            raise _NotVerified(error.message) from error
        _tell(report, options, as_json=as_json)
        if job.was_stopped:
            click.echo("Stopped before the end: the other documents were not looked at.", err=True)
            ctx.exit(INTERRUPTED)
        ctx.exit(0 if report.is_fine else PROBLEMS)


verify = _Verify(
    "verify",
    params=[
        click.Argument(["index"], metavar="NAME"),
        click.Option(
            ["fields", "--field"],
            multiple=True,
            metavar="FIELD",
            help="An embedded field, or the path of a declared vector; all of them by default.",
        ),
        click.Option(["--sample"], type=click.IntRange(1), help="Look at about so many documents of each index."),
        click.Option(["--deep"], is_flag=True, help="Compute the vectors of some documents anew, and compare them."),
        click.Option(
            ["--deep-documents"],
            type=click.IntRange(1),
            default=DEEP_DOCUMENTS,
            show_default=True,
            help="With --deep: of about so many.",
        ),
        click.Option(["--fix"], is_flag=True, help="Embed anew what is wrong, and look at it again."),
        click.Option(
            ["--examples"], type=click.IntRange(0), default=EXAMPLES, show_default=True, help="Ids to tell of each."
        ),
        click.Option(["as_json", "--json"], is_flag=True, help="Tell the result as JSON."),
    ],
    short_help="Look whether every document has the vectors that it should.",
    help="Look whether every document of index or alias NAME has the vectors that it should: of its text, by the "
    "index's model, of the right dimensions and length.\n\nEnds with status 0 where all is right, or mended, 1 where "
    "not, 2 where it could not be told, and 130 where it was stopped.",
)


def _tell(report: Report, options: VerificationOptions, *, as_json: bool) -> None:
    if as_json:
        told = {
            "documents": report.verified,
            "embedded_anew": report.embedded_anew,
            "is_fine": report.is_fine,
            "problems": report.rows(),
            "failed": report.failed,
            "failures": report.failures,
            "restored_settings": report.restored,
        }
        click.echo(orjson.dumps(told).decode())
        return
    rows = report.rows()
    if rows:
        _tell_table(rows, options)
    for index in report.restored:
        click.echo(f"The settings of {index}, which a broken-off load had left changed, are as before.")
    for document_id, reason in report.failures.items():
        click.echo(f"  {document_id}: {reason}", err=True)
    anew = f", the vectors of {report.embedded_anew:,} computed anew" if options.deep_documents else ""
    result = "All is right." if not rows else "All is mended." if report.is_fine else "Not all is right."
    click.echo(f"{report.verified:,} documents looked at{anew}. {result}")


def _tell_table(rows: Sequence[dict[str, Any]], options: VerificationOptions) -> None:
    head = ["INDEX", "FIELD", "PROBLEM", "DOCUMENTS", *(["MENDED"] if options.fix else []), "EXAMPLES"]
    table = [head, *(_cells(row, options) for row in rows)]
    widths = [max(len(line[column]) for line in table) for column in range(len(head))]
    for line in table:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
    click.echo()
    for problem, meaning in {row["problem"]: row["meaning"] for row in rows}.items():
        click.echo(f"  {problem}: {meaning}")


def _cells(row: dict[str, Any], options: VerificationOptions) -> list[str]:
    is_of_mapping = row["documents"] is None
    documents = "mapping" if is_of_mapping else f"{row['documents']:,}"
    mended = ("yes" if row["mended"] else "no") if is_of_mapping else f"{row['mended']:,}"
    examples = " ".join(row["examples"])
    return [row["index"], row["field"], row["problem"], documents, *([mended] if options.fix else []), examples]
