"""The work of `sidecar migrate backfill`."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from sidecar.api.services import EXTENSION, Services
from sidecar.app import create_native_face
from sidecar.cli.consoles import progress_console
from sidecar.cli.document_bar import DocumentBar
from sidecar.cli.exit_statuses import ExitStatus
from sidecar.cli.json_output import echo_json
from sidecar.cli.local_app import command_settings, local_app
from sidecar.cli.printable import echo
from sidecar.cli.stopping import stopped_by_signals
from sidecar.config import Settings
from sidecar.ingest.backfill import Backfill, BackfillOptions
from sidecar.ingest.checkpoint import Checkpoint, job_name
from sidecar.ingest.declare import declare_field
from sidecar.ingest.documents_writer import Outcome
from sidecar.ingest.face_client import FaceClient
from sidecar.ingest.progress import Progress


@dataclass(frozen=True)
class Asked:
    """The options of `sidecar migrate backfill`, by their names there."""

    index: str
    field: tuple[str, ...]
    source: str | None
    model: str | None
    kind: str | None
    replace: bool
    rate: float | None
    batch: int
    checkpoint: Path | None
    as_json: bool

    def declaration(self) -> dict[str, Any] | None:
        """The declaration to make first; None where the field is declared already."""
        if self.source is None and self.model is None and self.kind is None:
            return None
        if self.source is None or self.model is None or len(self.field) != 1:
            raise click.UsageError("To declare a field first, give one --field, its --source and its --model.")
        kind = {} if self.kind is None else {"kind": self.kind}
        return {"source": self.source, "model": self.model, **kind}

    def job(self, settings: Settings) -> BackfillOptions:
        """What is to be done. Raises: InvalidArgument for a checkpoint of another job."""
        if self.checkpoint is not None and not self.replace:
            raise click.UsageError("--checkpoint goes with --replace; else the vectors themselves tell what is done.")
        checkpoint = None
        if self.replace:
            job = [self.index, *sorted(self.field)]
            file = self.checkpoint or settings.home / "backfill" / f"{job_name(job)}.json"
            checkpoint = Checkpoint.at(file, job)
        return BackfillOptions(self.index, self.field, self.batch, self.rate, checkpoint)


def backfill(given: Mapping[str, Any]) -> int:
    """Declare the field where that is asked for, and embed what lacks its vectors; a `Work`."""
    asked = Asked(**given)
    entry = asked.declaration()
    settings = command_settings()
    job = asked.job(settings)
    console = progress_console()
    with local_app(settings, console) as app:
        parts: Services = app.extensions[EXTENSION]
        face = FaceClient(create_native_face(app), authorization=parts.address.endpoint().authorization)
        if entry is not None:
            names = declare_field(parts.cluster, face, asked.index, asked.field[0], entry)
            console.print(f"{asked.field[0]} is declared in {', '.join(names)}")
        return _run(parts, face, job, as_json=asked.as_json)


def _run(parts: Services, face: FaceClient, options: BackfillOptions, *, as_json: bool) -> int:
    """Do the job under a progress bar, and tell what became of it; returns the exit status."""
    started = time.perf_counter()
    with DocumentBar(progress_console(), "Embedding") as bar:
        job = Backfill(parts.cluster, face, options, progress=Progress(bar.found, bar.done))
        with stopped_by_signals(job.stop) as stopped:
            outcome = job.run()
    tell = _tell_json if as_json else _tell
    tell(outcome, time.perf_counter() - started)
    if stopped:
        echo("Stopped before the end. Start it again with the same options to go on.", err=True)
        return ExitStatus.STOPPED
    return ExitStatus.PROBLEMS if outcome.failed else ExitStatus.DONE


def _tell(outcome: Outcome, seconds: float) -> None:
    rate = outcome.embedded / seconds if seconds else 0.0
    echo(
        f"{outcome.embedded} documents embedded in {seconds:.1f} s ({rate:.0f} docs/s), {outcome.unchanged} had "
        f"nothing to embed, {outcome.gone} were deleted meanwhile, {outcome.conflicts} were changed meanwhile and "
        f"read again, {outcome.failed} failed"
    )
    for document_id, reason in outcome.failures.items():
        echo(f"  {document_id}: {reason}", err=True)


def _tell_json(outcome: Outcome, seconds: float) -> None:
    echo_json(
        {
            "embedded": outcome.embedded,
            "unchanged": outcome.unchanged,
            "deleted_meanwhile": outcome.gone,
            "changed_meanwhile": outcome.conflicts,
            "failed": outcome.failed,
            "failures": outcome.failures,
            "seconds": round(seconds, 2),
        }
    )
