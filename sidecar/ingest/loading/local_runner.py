"""Loads a source in this process: reading, making documents, embedding and writing go on at the same time."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

from sidecar.errors import SidecarError
from sidecar.ingest.loading.ahead import Ahead
from sidecar.ingest.loading.batch_loader import BatchLoader, BatchOutcome, ShapedBatch
from sidecar.ingest.loading.counts import Ending, LoadCounts, Summary
from sidecar.ingest.loading.job import Job
from sidecar.ingest.loading.patience import PATIENCE_SECONDS, Patience
from sidecar.ingest.loading.plan import LoadPlan
from sidecar.ingest.loading.progress import LoadProgress, Total
from sidecar.ingest.loading.reading import read_batches
from sidecar.ingest.loading.row_ranges import RowRange
from sidecar.ingest.sources.source import Part

logger = logging.getLogger(__name__)

_READ_AHEAD = 2
_BATCHES_A_STREAM = 3
"""On their way, or at their end and waiting for an earlier one's."""
_LOOK_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class _Shaped:
    """A batch that is ready to be loaded, and the rows that are done with it."""

    batch: ShapedBatch
    ids: frozenset[str]
    rows: Sequence[RowRange]
    read_bytes: int


@dataclass(frozen=True, slots=True)
class _Flight:
    """A batch on its way."""

    ids: frozenset[str]
    rows: Sequence[RowRange]
    read_bytes: int
    outcome: Future[BatchOutcome]


class LocalRunner:
    """One run of a job. `stop` ends it early, with all written that was begun.

    Batches land in the order of their rows, whichever ends first, so that what is done of a part is its beginning: of
    rows with one id the last one then wins, also where the run is killed and another goes on.
    """

    def __init__(
        self,
        loader: BatchLoader,
        job: Job,
        plan: LoadPlan,
        progress: LoadProgress,
        *,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        self._loader = loader
        self._job = job
        self._plan = plan
        self._progress = progress
        self._is_interrupted = False
        self._halted = threading.Event()
        self._patience = Patience(patience_seconds, self._halted, progress)
        self._flights: deque[_Flight] = deque()
        self._counts = LoadCounts()
        self._failure: Exception | None = None

    def stop(self) -> None:
        """Begin nothing more. Safe to call from any thread, and from a signal's handler."""
        self._is_interrupted = True
        self._halted.set()

    def run(self, parts: Sequence[Part]) -> Summary:
        """Load what is left of the parts. What ends it early is told in the summary; the job is saved then, and
        another run goes on with it. Where the summary says that all is done, the job is not finished yet: that is for
        the caller, who may want to look whether the source is still the same."""
        started = time.monotonic()
        self._progress.begin(Total.of(parts), self._job.counts)
        with (
            ThreadPoolExecutor(self._plan.streams, thread_name_prefix="load") as pool,
            Ahead(self._shaped(parts), most=_READ_AHEAD) as reading,
        ):
            self._fly(reading, pool)
            while self._flights:
                wait([self._flights[0].outcome])
                self._land()
            is_complete = reading.has_ended and self._failure is None
        self._job.save()
        return Summary(
            Ending.DONE if is_complete else Ending.INTERRUPTED if self._is_interrupted else Ending.STOPPED,
            self._job.counts,
            self._counts,
            time.monotonic() - started,
            None if self._failure is None else _told(self._failure),
        )

    def _shaped(self, parts: Sequence[Part]) -> Iterator[_Shaped]:
        pace = self._loader.pace
        for read in read_batches(parts, self._job.progress_of, most_records=lambda: pace.batch_documents):
            batch = self._loader.shape(read.records)
            yield _Shaped(batch, batch.ids, read.rows, read.size_bytes)

    def _fly(self, reading: Ahead[_Shaped], pool: ThreadPoolExecutor) -> None:
        while not reading.has_ended and not self._halted.is_set():
            self._land()
            try:
                shaped = reading.take(_LOOK_SECONDS)
            except Exception as error:  # the reading thread's edge
                self._failure = error
                return
            if shaped is not None:
                self._make_room(shaped.ids)
                if not self._halted.is_set():
                    outcome = pool.submit(self._load, shaped.batch)
                    self._flights.append(_Flight(shaped.ids, shaped.rows, shaped.read_bytes, outcome))

    def _make_room(self, ids: frozenset[str]) -> None:
        """Return when another batch may be begun that has documents of these ids, or none may any more."""
        while not self._halted.is_set():
            self._land()
            running = [flight for flight in self._flights if not flight.outcome.done()]
            if (
                len(running) < self._plan.streams
                and len(self._flights) < _BATCHES_A_STREAM * self._plan.streams
                and all(ids.isdisjoint(flight.ids) for flight in running)
            ):
                return
            wait([flight.outcome for flight in running], timeout=_LOOK_SECONDS, return_when=FIRST_COMPLETED)

    def _load(self, batch: ShapedBatch) -> BatchOutcome:
        return self._patience.until_done(lambda: self._loader.store(batch))

    def _land(self) -> None:
        """Note the batches that have ended as done, up to the first that has not. One that failed ends the run."""
        while self._flights and self._flights[0].outcome.done():
            flight = self._flights.popleft()
            error = flight.outcome.exception()
            if error is None:
                self._commit(flight, flight.outcome.result())
                continue
            if not isinstance(error, Exception):
                raise error
            self._failure = error
            self._halted.set()
            # What is behind it may be written, but does not count as done.
            self._flights.clear()

    def _commit(self, flight: _Flight, outcome: BatchOutcome) -> None:
        counts = outcome.counts(flight.read_bytes)
        self._job.commit(flight.rows, counts, outcome.failed)
        self._counts.add(counts)
        self._progress.landed(counts)


def _told(failure: Exception) -> str:
    if isinstance(failure, SidecarError):
        return failure.message
    logger.error("a load failed", exc_info=failure)
    return f"{type(failure).__name__}: {failure}"
