"""Loads a source with workers that Ray runs, on this machine or on others."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing

from sidecar.errors import ConfigurationError, InvalidArgument
from sidecar.ingest.loading.counts import Ending, LoadCounts, Summary
from sidecar.ingest.loading.job import Job
from sidecar.ingest.loading.plan import LoadPlan
from sidecar.ingest.loading.progress import LoadProgress, Total
from sidecar.ingest.ray_engine.crew import Crew, CrewWish
from sidecar.ingest.ray_engine.machines import check_reach
from sidecar.ingest.ray_engine.report import Fault, Report
from sidecar.ingest.ray_engine.splits import Split, splits_of, tasks_of
from sidecar.ingest.sources.locations import STANDARD_INPUT, local_path
from sidecar.ingest.sources.source import Part


class RayRunner:
    """One run of a job. `stop` ends it early; what the workers have in their hands then is done again by the next.

    Batches count as done in the order in which they end: of rows with one id, in different batches, any may be the one
    that stays.
    """

    def __init__(self, wish: CrewWish, plan: LoadPlan, job: Job, progress: LoadProgress) -> None:
        """Raises: ConfigurationError where Ray is not installed; InvalidArgument for a source that only this process
        can read."""
        _check_installed()
        if plan.source.location == STANDARD_INPUT:
            raise InvalidArgument(
                "standard input can't be read by Ray's workers. Write it to a file first, or leave out --engine ray"
            )
        assert wish.settings.opensearch_url is not None, "each worker would start a node of its own"
        self._opensearch_url = wish.settings.opensearch_url
        self._wish = wish
        self._plan = plan
        self._job = job
        self._progress = progress
        self._is_halted = False
        self._waiting_thread: int | None = None
        self._counts = LoadCounts()
        self._total = Total()
        self._begun_at: float | None = None
        self._fault: Fault | None = None

    def stop(self) -> None:
        """Have the run end: at once where this is called from the handler of a signal that came while the run's own
        thread waits for the workers, else with their next report. Safe to call from any thread."""
        self._is_halted = True
        if self._waiting_thread == threading.get_ident():
            raise _Stopped

    def run(self, parts: Sequence[Part]) -> Summary:
        """Load what is left of the parts; returns as `LocalRunner.run` does. Its seconds are those in which the workers
        loaded: neither Ray's start nor that of the models is among them.

        Raises: ConfigurationError, WorkersFailed, HardwareUnavailable where Ray can't be used as asked for; nothing
        was done then.
        """
        self._total = Total.of(parts)
        tasks = list(tasks_of(splits_of(parts, self._job.progress_of)))
        self._progress.waits("Ray and its workers start")
        is_complete = self._load(tasks) if tasks else True
        self._job.save()
        return Summary(
            Ending.DONE if is_complete else Ending.STOPPED if self._fault else Ending.INTERRUPTED,
            self._job.counts,
            self._counts,
            0.0 if self._begun_at is None else max(0.0, time.time() - self._begun_at),
            None if self._fault is None else self._fault.reason,
        )

    def _load(self, tasks: Sequence[Sequence[Split]]) -> bool:
        """True where all became what is told in the job; else a fault or `stop` came between."""
        from sidecar.ingest.ray_engine.dataset import reports
        from sidecar.ingest.ray_engine.session import machines, ray_session

        with ray_session(self._wish.settings.ray_address):
            there = machines()
            check_reach(there, self._opensearch_url)
            crew = Crew.on(there, self._wish, self._plan)
            is_local = local_path(self._plan.source.location) is not None
            with closing(reports(tasks, crew, is_local=is_local)) as coming:
                return self._take(coming)

    def _take(self, coming: Iterator[Report | Fault]) -> bool:
        while not self._is_halted:
            try:
                report = self._next(coming)
            except Exception as error:  # Ray's edge: what it raises is of many kinds
                self._fault = Fault.of(error)
                return False
            if report is None:
                return not self._is_halted
            if isinstance(report, Fault):
                self._fault = report
                return False
            self._land(report)
        return False

    def _land(self, report: Report) -> None:
        if self._begun_at is None:
            self._begun_at = report.begun_at
            self._progress.begin(self._total, self._job.counts)
            self._progress.waits(None)
        # Who ends first need not have begun first.
        self._begun_at = min(self._begun_at, report.begun_at)
        self._job.commit(report.rows, report.counts, report.failed)
        self._counts.add(report.counts)
        self._progress.landed(report.counts)

    def _next(self, coming: Iterator[Report | Fault]) -> Report | Fault | None:
        """The next report; None at the end, or where `stop` came."""
        try:
            self._waiting_thread = threading.get_ident()
            return next(coming, None)
        except _Stopped:
            return None
        finally:
            self._waiting_thread = None


class _Stopped(BaseException):
    """Raised by a signal's handler in the thread that waits for Ray, which cleans up as for Ctrl-C."""


def _check_installed() -> None:
    try:
        import ray.data  # noqa: F401
    except ImportError as error:
        raise ConfigurationError(
            f"--engine ray needs Ray ({error}); install the extra: pip install 'vector-sidecar[ray]'"
        ) from error
