"""The parts of the sidecar that loads work with, in a process that has none yet."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sidecar.api.services import EXTENSION, Services
from sidecar.cli.consoles import progress_console
from sidecar.cli.local_app import local_app
from sidecar.config import Settings
from sidecar.ingest.loading.parts import LoadParts


@contextmanager
def open_load_parts(settings: Settings) -> Iterator[LoadParts]:
    """As the app of `sidecar serve` has them, on the same cluster; an `OpenParts`."""
    with local_app(settings, progress_console()) as app:
        services: Services = app.extensions[EXTENSION]
        yield LoadParts(
            settings=services.settings,
            cluster=services.cluster,
            states=services.states,
            engine=services.engine,
            media=services.media,
            table=services.table,
            metrics=services.metrics,
            switches=services.switches,
        )
