"""What the commands of ``sidecar migrate`` share: the parts that they work with, and a bar that tells how far it is."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console

from sidecar.api.services import EXTENSION, Services
from sidecar.cli.document_bar import DocumentBar
from sidecar.cli.local_app import command_settings, local_app
from sidecar.embedding.devices import resolve_device
from sidecar.embedding.engine import BULK_NICENESS
from sidecar.ingest.migration.parts import MigrationParts, StagedProgress
from sidecar.opensearch.bulk_writer import BulkWriter


@contextmanager
def migration_parts(console: Console) -> Iterator[MigrationParts]:
    """The parts of an app on the cluster of the settings."""
    settings = command_settings()
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


def give_way() -> None:
    """Let searches on this machine have the processor first."""
    niceness = os.getpriority(os.PRIO_PROCESS, 0)
    if niceness < BULK_NICENESS:
        os.nice(BULK_NICENESS - niceness)


def copying_bar(console: Console) -> DocumentBar:
    """A bar while documents are copied, which is gone when it ends."""
    return DocumentBar(console, transient=True)


def progress_on(bar: DocumentBar) -> StagedProgress:
    """What a migration is told to tell, shown on the bar. Documents that change meanwhile are copied once more."""
    return StagedProgress(bar.found, bar.done, bar.stage)
