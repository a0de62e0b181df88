"""The work of `sidecar verify`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sidecar.api.services import EXTENSION, Services
from sidecar.app import create_native_embedder, create_native_face
from sidecar.cli.consoles import progress_console
from sidecar.cli.document_bar import DocumentBar
from sidecar.cli.exit_statuses import ExitStatus
from sidecar.cli.json_output import JSON, echo_json
from sidecar.cli.local_app import command_settings, local_app
from sidecar.cli.printable import echo
from sidecar.cli.stopping import stopped_by_signals
from sidecar.ingest.face_client import FaceClient
from sidecar.ingest.progress import Progress
from sidecar.ingest.verification.options import VerificationOptions
from sidecar.ingest.verification.parts import VerificationParts
from sidecar.ingest.verification.report import Report
from sidecar.ingest.verification.verification import Verification


def verify(given: Mapping[str, Any]) -> int:
    """Look at the documents, and tell what is wrong; a `Work`."""
    options = _options(given)
    console = progress_console()
    with local_app(command_settings(), console) as app:
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
    _tell(report, options, as_json=given[JSON])
    if job.was_stopped:
        echo("Stopped before the end: the other documents were not looked at.", err=True)
        return ExitStatus.STOPPED
    return ExitStatus.DONE if report.is_fine else ExitStatus.PROBLEMS


def _options(given: Mapping[str, Any]) -> VerificationOptions:
    own = {name: value for name, value in given.items() if name not in (JSON, "deep", "deep_documents")}
    return VerificationOptions(**own, deep_documents=given["deep_documents"] if given["deep"] else 0)


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
        echo_json(told)
        return
    rows = report.rows()
    if rows:
        _tell_table(rows, options)
    for index in report.restored:
        echo(f"The settings of {index}, which a broken-off load had left changed, are as before.")
    for document_id, reason in report.failures.items():
        echo(f"  {document_id}: {reason}", err=True)
    anew = f", the vectors of {report.embedded_anew:,} computed anew" if options.deep_documents else ""
    result = "All is right." if not rows else "All is mended." if report.is_fine else "Not all is right."
    echo(f"{report.verified:,} documents looked at{anew}. {result}")


def _tell_table(rows: Sequence[dict[str, Any]], options: VerificationOptions) -> None:
    head = ["INDEX", "FIELD", "PROBLEM", "DOCUMENTS", *(["MENDED"] if options.fix else []), "EXAMPLES"]
    table = [head, *(_cells(row, options) for row in rows)]
    widths = [max(len(line[column]) for line in table) for column in range(len(head))]
    for line in table:
        echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
    echo()
    for problem, meaning in {row["problem"]: row["meaning"] for row in rows}.items():
        echo(f"  {problem}: {meaning}")


def _cells(row: dict[str, Any], options: VerificationOptions) -> list[str]:
    is_of_mapping = row["documents"] is None
    documents = "mapping" if is_of_mapping else f"{row['documents']:,}"
    mended = ("yes" if row["mended"] else "no") if is_of_mapping else f"{row['mended']:,}"
    examples = " ".join(row["examples"])
    return [row["index"], row["field"], row["problem"], documents, *([mended] if options.fix else []), examples]
