"""A load by Ray of a file of rows into an index of the model random/small; also as a process that kills itself."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import orjson

from sidecar.cli.load_parts import open_load_parts
from sidecar.config import Settings
from sidecar.given_settings import load_settings
from sidecar.ingest.loading.batch_loader import BatchLoader
from sidecar.ingest.loading.counts import LoadCounts, Summary
from sidecar.ingest.loading.job import Job, open_job
from sidecar.ingest.loading.local_runner import LocalRunner
from sidecar.ingest.loading.parts import LoadParts, OpenParts
from sidecar.ingest.loading.plan import Existing, LoadPlan
from sidecar.ingest.loading.progress import Silent
from sidecar.ingest.loading.run import begin, run
from sidecar.ingest.loading.target_index import IndexWish
from sidecar.ingest.ray_engine.crew import CrewWish
from sidecar.ingest.ray_engine.runner import RayRunner
from sidecar.ingest.shaping.shape import DocumentShape
from sidecar.ingest.sources.options import SourceOptions
from sidecar.ingest.sources.registry import open_source

WORKERS = 2
BATCH = 50


def nothing(runner: RayRunner) -> None:
    """What a load does that nobody disturbs."""


@dataclass(frozen=True)
class Load:
    """``folder`` has the source, ``rows``, and the job's own files."""

    folder: Path
    index: str
    opensearch_url: str
    existing: Existing = Existing.RESUME

    @property
    def plan(self) -> LoadPlan:
        return LoadPlan(
            SourceOptions(str(self.folder / "rows")),
            self.index,
            DocumentShape(id_field="id", tensor_fields=("title",)),
            self.existing,
            batch_documents=BATCH,
        )

    @property
    def settings(self) -> Settings:
        return load_settings(opensearch_url=self.opensearch_url, home=self.folder / "home", log_level="error")

    @property
    def job_folder(self) -> Path:
        (folder,) = (self.folder / "home" / "ingest").iterdir()
        return folder

    def run(
        self, disturb: Callable[[RayRunner], object] = nothing, *, worker_parts: OpenParts = open_load_parts
    ) -> Summary:
        """Run the job once. ``disturb`` is called whenever something is done."""

        def engine(parts: LoadParts, job: Job) -> RayRunner:
            progress = _Disturbed(lambda: disturb(runner))
            runner = RayRunner(CrewWish(parts.settings, worker_parts, WORKERS), self.plan, job, progress)
            return runner

        return self._run(engine)

    def run_locally(self) -> Summary:
        """Run the job once, without Ray."""
        return self._run(lambda parts, job: LocalRunner(BatchLoader(parts, self.plan), job, self.plan, Silent()))

    def _run(self, engine: Callable[[LoadParts, Job], RayRunner | LocalRunner]) -> Summary:
        with open_load_parts(self.settings) as parts, open_job(self.settings.home, self.plan) as job:
            beginning = begin(parts, self.plan, IndexWish("random/small"), open_source(self.plan.source), job)
            return run(parts, self.plan, job, beginning, lambda read: engine(parts, job).run(read))


class _Disturbed(Silent):
    def __init__(self, disturb: Callable[[], object]) -> None:
        self._disturb = disturb

    def landed(self, counts: LoadCounts) -> None:
        self._disturb()


def saved_counts(load: Load) -> LoadCounts:
    """What a run that was killed now would have done, as the next one sees it."""
    kept = orjson.loads((load.job_folder / "checkpoint.json").read_bytes())
    return LoadCounts(**kept["counts"])


def die_once_something_is_saved(load: Load) -> None:
    """Go on with the load until its checkpoint tells of more, then end this process as `kill -9` does."""

    before = saved_counts(load).written

    def disturb(runner: RayRunner) -> None:
        if saved_counts(load).written > before:
            os.kill(os.getpid(), signal.SIGKILL)

    load.run(disturb)


if __name__ == "__main__":
    die_once_something_is_saved(Load(Path(sys.argv[1]), *sys.argv[2:]))
