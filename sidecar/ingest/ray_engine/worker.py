"""The worker that holds the model: each of Ray's actors has one."""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack

import pyarrow as pa

from sidecar.ingest.loading.batch_loader import BatchLoader
from sidecar.ingest.loading.patience import Patience
from sidecar.ingest.loading.progress import Silent
from sidecar.ingest.loading.reading import ReadBatch
from sidecar.ingest.ray_engine.blocks import block_of, values_of
from sidecar.ingest.ray_engine.crew import Crew
from sidecar.ingest.ray_engine.report import Fault, Report
from sidecar.logs import configure_logging


class LoadWorker:
    """Loads batches with parts that are opened once; safe to call from several threads, each with a block of its own.

    Whatever is raised becomes a fault that is told as it is: Ray would wrap it in errors of its own, and begin a worker
    that can't be made again and again.
    """

    def __init__(self, crew: Crew) -> None:
        settings = crew.worker_settings
        configure_logging(settings.log_level, settings.log_format)
        self._patience = Patience(crew.wish.patience_seconds, threading.Event(), Silent())
        # Never closed: Ray ends the process without a word, and all that is open with it.
        self._opened = ExitStack()
        self._loader: BatchLoader | Fault
        try:
            parts = self._opened.enter_context(crew.wish.open_parts(settings))
            loader = self._opened.enter_context(BatchLoader(parts, crew.plan))
            # A worker that takes the place of one that died may find the cluster away.
            self._patience.until_done(loader.prepare)
            self._loader = loader
        except Exception as error:  # the process's edge
            self._loader = Fault.of(error)

    def __call__(self, block: pa.Table) -> pa.Table:
        """What became of the batch in the block."""
        (read,) = values_of(block)
        return block_of(read if isinstance(read, Fault) else self._load(read))

    def _load(self, batch: ReadBatch) -> Report | Fault:
        loader = self._loader
        if isinstance(loader, Fault):
            return loader
        begun_at = time.time()
        try:
            outcome = self._patience.until_done(lambda: loader.load(batch.records))
        except Exception as error:  # the process's edge
            return Fault.of(error)
        return Report(batch.rows, outcome.counts(batch.size_bytes), outcome.failed, begun_at)
