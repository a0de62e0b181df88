"""What the commands of ``sidecar migrate`` share: the parts that they work with, and a bar that tells how far it is."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from sidecar.api.services import EXTENSION, Services
from sidecar.cli.local_app import local_app
from sidecar.config import load_settings
from sidecar.embedding.devices import resolve_device
from sidecar.embedding.engine import BULK_NICENESS
from sidecar.errors import SidecarError
from sidecar.ingest.migration.parts import MigrationParts, Progress
from sidecar.logs import configure_logging
from sidecar.opensearch.bulk_writer import BulkWriter


@contextmanager
def migration_parts(console: Console) -> Iterator[MigrationParts]:
    """The parts of an app on the cluster of the settings. What goes wrong in the block is one line, and status 1."""
    try:
        settings = load_settings(log_level="error")
        configure_logging(settings.log_level, settings.log_format)
        give_way()
        with local_app(settings, console) as app:
            own: Services = app.extensions[EXTENSION]
            yield MigrationParts(
                settings=settings,
                cluster=own.cluster,
                states=own.states,
                bulk=BulkWriter(own.cluster, retry_deadline_seconds=settings.opensearch_retry_deadline),
                engine=own.engine,
                media=own.media,
                table=own.table,
                searcher=own.searcher,
                device=resolve_device(settings.device or None),
            )
    except SidecarError as error:
        raise click.ClickException(error.message) from error


def give_way() -> None:
    """Let searches on this machine have the processor first."""
    niceness = os.getpriority(os.PRIO_PROCESS, 0)
    if niceness < BULK_NICENESS:
        os.nice(BULK_NICENESS - niceness)


class ShownProgress:
    """A bar on the console while documents are copied; to be used with `with`."""

    def __init__(self, console: Console) -> None:
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]:.0f} docs/s"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
        )
        self._bar = Bar(*columns, console=console, transient=True)
        self._task = self._bar.add_task("", total=0, rate=0.0)
        self._began = time.monotonic()
        self.progress = Progress(self._stage, self._found, self._done)

    def pause(self) -> None:
        """Leave the console to others, until the next stage."""
        self._bar.stop()

    def __enter__(self) -> ShownProgress:
        self._bar.start()
        return self

    def __exit__(self, *reason: object) -> None:
        self._bar.stop()

    def _stage(self, text: str) -> None:
        self._bar.start()
        self._bar.update(self._task, description=text)

    def _found(self, documents: int) -> None:
        self._bar.update(self._task, total=documents)

    def _done(self, documents: int) -> None:
        done = self._bar.tasks[0].completed + documents
        seconds = time.monotonic() - self._began
        # Documents that change meanwhile are copied once more.
        total = max(done, self._bar.tasks[0].total or 0)
        self._bar.update(self._task, completed=done, total=total, rate=done / seconds if seconds else 0.0)
