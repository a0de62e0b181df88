"""The order in which batches are loaded and land, and what ends a run; with a loader that can be held up."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from sidecar.errors import InvalidArgument, ModelLoadError, OpenSearchUnreachable
from sidecar.ingest.loading.batch_loader import BatchOutcome, ShapedBatch
from sidecar.ingest.loading.beginning import Met
from sidecar.ingest.loading.counts import Ending, LoadCounts, Summary
from sidecar.ingest.loading.job import Job, identity_of, open_job
from sidecar.ingest.loading.local_runner import LocalRunner
from sidecar.ingest.loading.plan import Existing, LoadPlan
from sidecar.ingest.loading.progress import Total
from sidecar.ingest.pace import Pace, PaceBounds
from sidecar.ingest.sources.options import SourceOptions
from sidecar.ingest.sources.source import Record
from tests.ingest.loading.memory_source import MemoryPart

BATCH = 10
STREAMS = 3
PLAN = LoadPlan(SourceOptions("rows.jsonl"), "books", batch_documents=BATCH, streams=STREAMS)
WAIT_SECONDS = 10.0


class Gates:
    """Holds batches up, each named by its first document's number, until it is opened."""

    def __init__(self, held: Sequence[int]) -> None:
        self._gates = {number: threading.Event() for number in held}
        self._begun: list[int] = []
        self._changed = threading.Condition()

    def pass_through(self, number: int) -> None:
        with self._changed:
            self._begun.append(number)
            self._changed.notify_all()
        if number in self._gates:
            assert self._gates[number].wait(WAIT_SECONDS)

    def open(self, number: int) -> None:
        self._gates[number].set()

    def wait_for(self, numbers: set[int]) -> None:
        """Return when these batches have begun."""
        with self._changed:
            assert self._changed.wait_for(lambda: numbers <= set(self._begun), WAIT_SECONDS), self._begun

    @property
    def begun(self) -> list[int]:
        return list(self._begun)


class HeldLoader:
    """Stands for a `BatchLoader`; ``errors`` are raised by batches of these first numbers, one after another."""

    def __init__(self, gates: Gates, errors: dict[int, list[Exception]] | None = None) -> None:
        self.pace = Pace(PaceBounds(BATCH, 100))
        self.stored: dict[str, int] = {}
        self._gates = gates
        self._errors = errors or {}

    def shape(self, records: Sequence[Record]) -> ShapedBatch:
        return ShapedBatch(records, [record.document or {} for record in records], [])

    def store(self, batch: ShapedBatch) -> BatchOutcome:
        if batch.documents:
            first = batch.documents[0]["n"]
            self._gates.pass_through(first)
            if self._errors.get(first):
                raise self._errors[first].pop(0)
        self.stored |= {document["_id"]: document["n"] for document in batch.documents}
        return BatchOutcome(len(batch.documents))


class Told:
    """What a load tells."""

    def __init__(self) -> None:
        self.waited: list[str | None] = []

    def begin(self, total: Total, done: LoadCounts) -> None:
        self.total = total

    def landed(self, counts: LoadCounts) -> None:
        pass

    def waits(self, reason: str | None) -> None:
        self.waited.append(reason)


def documents(count: int) -> list[dict[str, Any]]:
    return [{"_id": f"d{number}", "n": number} for number in range(count)]


@pytest.fixture
def job(tmp_path: Path) -> Iterator[Job]:
    with open_job(tmp_path, PLAN) as opened:
        opened.begin(Existing.RESUME, Met(identity_of(PLAN), "uuid", index_is_new=False, fingerprints={"a": "1"}))
        yield opened


class Run:
    """A run on a thread of its own."""

    def __init__(self, loader: HeldLoader, job: Job, part: MemoryPart, *, patience_seconds: float = 60.0) -> None:
        self.told = Told()
        self.runner = LocalRunner(loader, job, PLAN, self.told, patience_seconds=patience_seconds)  # type: ignore[arg-type]
        self._summaries: list[Summary] = []
        self._thread = threading.Thread(target=lambda: self._summaries.append(self.runner.run([part])), daemon=True)
        self._thread.start()

    def end(self) -> Summary:
        self._thread.join(WAIT_SECONDS)
        assert self._summaries
        return self._summaries[0]


def done_rows(job: Job) -> int:
    """The first row that is left to do."""
    return next((gap.start.row for gap in job.progress_of("a").gaps()), job.progress_of("a").total or 0)


def test_batches_are_loaded_side_by_side_and_land_in_order(job: Job) -> None:
    gates = Gates([0])
    loader = HeldLoader(gates)
    run = Run(loader, job, MemoryPart("a", documents(300)))
    gates.wait_for({0, 10, 20, 30})
    # Only so many wait behind the first, however long it takes.
    assert done_rows(job) == 0
    gates.open(0)
    summary = run.end()
    assert (summary.ending, summary.run.written, done_rows(job)) == (Ending.DONE, 300, 300)
    assert job.progress_of("a").is_done
    assert not job.is_done
    assert len(gates.begun) == 30


def test_only_so_many_batches_are_in_memory_while_one_is_held_up(job: Job) -> None:
    gates = Gates([0])
    read: list[int] = []
    enough = threading.Event()

    def note(row: int) -> None:
        read.append(row)
        if row == 119:
            enough.set()

    run = Run(HeldLoader(gates), job, MemoryPart("a", documents(1000), on_row=note))
    assert enough.wait(WAIT_SECONDS)
    # Three times three flights, two batches read ahead, one in the reader's hand, and one in the runner's.
    run.runner.stop()
    gates.open(0)
    run.end()
    assert max(read) < 150


def test_of_documents_with_one_id_in_several_batches_the_last_one_wins(job: Job) -> None:
    rows = documents(40)
    rows[3] = {"_id": "same", "n": 3}
    rows[25] = {"_id": "same", "n": 25}
    gates = Gates([0])
    loader = HeldLoader(gates)
    run = Run(loader, job, MemoryPart("a", rows))
    gates.wait_for({0, 10})
    gates.open(0)
    run.end()
    assert loader.stored["same"] == 25
    assert gates.begun.index(20) > gates.begun.index(0)


def test_a_stop_finishes_what_is_begun_and_saves_it(job: Job, tmp_path: Path) -> None:
    gates = Gates([0, 10, 20])
    run = Run(HeldLoader(gates), job, MemoryPart("a", documents(1000)))
    gates.wait_for({0})
    run.runner.stop()
    for number in (0, 10, 20):
        gates.open(number)
    summary = run.end()
    assert summary.ending is Ending.INTERRUPTED
    begun = len(gates.begun) * BATCH
    assert (done_rows(job), summary.run.written) == (begun, begun)
    assert begun < 1000


def test_a_batch_that_fails_for_good_ends_the_run_behind_those_before_it(job: Job) -> None:
    loader = HeldLoader(Gates([]), {20: [ModelLoadError("the files are gone")]})
    summary = Run(loader, job, MemoryPart("a", documents(1000))).end()
    assert (summary.ending, summary.reason, done_rows(job)) == (Ending.STOPPED, "the files are gone", 20)


def test_a_source_that_fails_ends_the_run_behind_what_could_be_read(job: Job) -> None:
    rows = [*documents(25), InvalidArgument("the share is gone")]
    summary = Run(HeldLoader(Gates([])), job, MemoryPart("a", rows)).end()
    assert (summary.ending, summary.reason, done_rows(job)) == (Ending.STOPPED, "the share is gone", 25)


def test_what_may_pass_is_waited_for_and_told(job: Job) -> None:
    loader = HeldLoader(Gates([]), {10: [OpenSearchUnreachable("it is away")]})
    run = Run(loader, job, MemoryPart("a", documents(30)))
    assert run.end().ending is Ending.DONE
    assert run.told.waited == ["it is away", None]
    assert len(loader.stored) == 30


def test_patience_ends(job: Job) -> None:
    loader = HeldLoader(Gates([]), {10: [OpenSearchUnreachable("it is away")] * 100})
    summary = Run(loader, job, MemoryPart("a", documents(30)), patience_seconds=0.8).end()
    assert (summary.ending, summary.reason, done_rows(job)) == (Ending.STOPPED, "it is away", 10)


def test_a_stop_ends_the_waiting(job: Job) -> None:
    gates = Gates([])
    loader = HeldLoader(gates, {0: [OpenSearchUnreachable("it is away")] * 1000})
    run = Run(loader, job, MemoryPart("a", documents(10)))
    gates.wait_for({0})
    run.runner.stop()
    summary = run.end()
    assert (summary.ending, done_rows(job)) == (Ending.INTERRUPTED, 0)
