"""``sidecar migrate backfill``: gives documents the vectors that their declared fields lack."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from sidecar.api.services import EXTENSION, Services
from sidecar.app import create_native_face
from sidecar.cli.document_bar import DocumentBar
from sidecar.cli.local_app import command_settings, local_app
from sidecar.cli.stopping import INTERRUPTED, stopped_by_signals
from sidecar.config import Settings
from sidecar.errors import SidecarError
from sidecar.ingest.backfill import BATCH_DOCUMENTS, Backfill, BackfillOptions
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


class _Backfill(click.Command):
    """A command whose options become an `Asked`, so that no function has a parameter for each."""

    def invoke(self, ctx: click.Context) -> None:
        """Do the job; an error of ours is one line, and exit status 1."""
        asked = Asked(**ctx.params)
        entry = asked.declaration()
        console = Console(stderr=True, highlight=False)
        try:
            settings = command_settings()
            job = asked.job(settings)
            with local_app(settings, console) as app:
                parts: Services = app.extensions[EXTENSION]
                face = FaceClient(create_native_face(app), authorization=parts.address.endpoint().authorization)
                if entry is not None:
                    names = declare_field(parts.cluster, face, asked.index, asked.field[0], entry)
                    console.print(f"{asked.field[0]} is declared in {', '.join(names)}")
                status = _run(parts, face, job, console)
        except SidecarError as error:
            raise click.ClickException(error.message) from error
        ctx.exit(status)


backfill = _Backfill(
    "backfill",
    params=[
        click.Option(["--index"], required=True, help="Index, alias or data stream, or a list or pattern of these."),
        click.Option(["--field"], multiple=True, metavar="VECTOR", help="A declared vector; all of them by default."),
        click.Option(["--source"], help="Declare the field first: the path of what is embedded."),
        click.Option(["--model"], help="Declare the field first: the model."),
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
    ],
    short_help="Give documents the vectors that their declared fields lack.",
    help="Give documents the vectors that their declared fields lack, while the index is in use.\n\n"
    "It can be stopped and started again at any time: what is done is not done twice. Ends with status 1 where a "
    "document failed, and 130 where it was stopped.",
)


def _run(parts: Services, face: FaceClient, options: BackfillOptions, console: Console) -> int:
    """Do the job under a progress bar, and tell what became of it; returns the exit status."""
    started = time.perf_counter()
    with DocumentBar(console, "Embedding") as bar:
        job = Backfill(parts.cluster, face, options, progress=Progress(bar.found, bar.done))
        with stopped_by_signals(job.stop) as stopped:
            outcome = job.run()
    _tell(outcome, time.perf_counter() - started)
    if stopped:
        click.echo("Stopped before the end. Start it again with the same options to go on.", err=True)
        return INTERRUPTED
    return 1 if outcome.failed else 0


def _tell(outcome: Outcome, seconds: float) -> None:
    rate = outcome.embedded / seconds if seconds else 0.0
    click.echo(
        f"{outcome.embedded} documents embedded in {seconds:.1f} s ({rate:.0f} docs/s), {outcome.unchanged} had "
        f"nothing to embed, {outcome.gone} were deleted meanwhile, {outcome.conflicts} were changed meanwhile and "
        f"read again, {outcome.failed} failed"
    )
    for document_id, reason in outcome.failures.items():
        click.echo(f"  {document_id}: {reason}", err=True)
