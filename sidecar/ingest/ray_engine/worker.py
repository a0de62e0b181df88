"""The worker that holds the model: each of Ray's actors has one."""

from __future__ import annotations

from contextlib import ExitStack

import pyarrow as pa

from sidecar.config import Settings
from sidecar.errors import SidecarError
from sidecar.ingest.loading.batch_loader import BatchLoader
from sidecar.ingest.loading.parts import OpenParts
from sidecar.ingest.loading.plan import LoadPlan
from sidecar.ingest.ray_engine.batches import Batch, Report
from sidecar.ingest.ray_engine.blocks import block_of, values_of
from sidecar.logs import configure_logging


class LoadWorker:
    """Loads batches with parts that are opened once; safe to call from several threads, each with blocks of its own.

    An error of ours becomes a report, so that the user is told it as it is: Ray would wrap one that is raised in those
    of its own, and take a worker that can't be made for one to be made again.
    """

    def __init__(self, settings: Settings, plan: LoadPlan, open_parts: OpenParts) -> None:
        configure_logging(settings.log_level, settings.log_format)
        # Ray ends the process without asking; what the parts keep open ends with it.
        self._opened = ExitStack()
        self._loader: BatchLoader | SidecarError
        try:
            self._loader = BatchLoader(self._opened.enter_context(open_parts(settings)), plan)
        except SidecarError as error:
            self._loader = error

    def __call__(self, block: pa.Table) -> pa.Table:
        """The report on the batch in the block."""
        (batch,) = values_of(block)
        return block_of(self._report(batch))

    def _report(self, batch: Batch) -> Report:
        if isinstance(self._loader, SidecarError) or batch.error is not None:
            return Report(error=batch.error or self._loader)
        try:
            return Report(batch.ranges, self._loader.load(batch.records))
        except SidecarError as error:
            return Report(error=error)
