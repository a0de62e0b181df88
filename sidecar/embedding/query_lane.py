"""Queries of one model: run at once by the thread that asks, and together when several ask at the same time."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextvars import copy_context
from dataclasses import dataclass
from functools import partial

import numpy as np

from sidecar.embedding.loader import MAX_BATCH_TOKENS, Embeddings, Prepared, RunBatch
from sidecar.errors import EndpointUnavailable

SHARE = 8
"""Queries that are worth a run of their own while others are free."""


@dataclass(frozen=True, slots=True)
class LaneTimes:
    """When queries that were asked together were queued, and embedded: readings of `time.perf_counter`."""

    queued: float
    begun: float
    ended: float


class LaneWatch:
    """Is told what a lane does. This one makes nothing of it."""

    def begin_run(self, give_up: Callable[[Exception], None]) -> object:
        """A run of the model begins. ``give_up`` fails all that wait for the lane with an error; it may be called by
        any thread until the run has ended. Returns: what `end_run` is given."""

    def end_run(self, run: object, batch: Sequence[Prepared]) -> None:
        """A run has come back, of these queries."""

    def tell(self, times: LaneTimes, prepared: Sequence[Prepared]) -> None:
        """Called in the asking thread when all that it asked for is there."""


class _Query:
    __slots__ = ("begun", "context", "error", "prepared", "vector")

    def __init__(self, prepared: Prepared) -> None:
        self.prepared = prepared
        self.context = copy_context()
        self.begun = 0.0
        self.vector: Embeddings | None = None
        self.error: BaseException | None = None

    @property
    def is_done(self) -> bool:
        return self.vector is not None or self.error is not None


class QueryLane:
    """Lets at most ``runs`` threads run the model; whoever gets a run takes along all queries that wait.

    An idle lane adds no hand-over between threads. A busy one forms batches by itself, and a batch of short queries
    takes little longer than one: 8 texts of 8 tokens take 3 times as long as 1.
    """

    def __init__(self, runs: int, watch: LaneWatch | None = None) -> None:
        self._runs = runs
        self._watch = watch or LaneWatch()
        self._free_runs = runs
        self._waiting: deque[_Query] = deque()
        self._changed = threading.Condition()

    def embed(self, run: RunBatch, prepared: Sequence[Prepared]) -> list[Embeddings]:
        """Embed one or several queries by ``run``, the same for all queries of a lane. Raises what it raises for the
        first of them that fails.

        Many are shared out among the free runs, by threads that end with them.
        Returns: float32, shape (dimensions,), for each, in order.
        """
        queued = time.perf_counter()
        own = [_Query(one) for one in prepared]
        with self._changed:
            # Of like length side by side, for little padding.
            self._waiting.extend(sorted(own, key=lambda query: query.prepared.tokens))
            self._changed.notify_all()
        helpers = [
            threading.Thread(target=self._run_until_done, args=(run, own), name="query-lane", daemon=True)
            for _ in range(min(self._runs, len(own) // SHARE) - 1)
        ]
        for helper in helpers:
            helper.start()
        self._run_until_done(run, own)
        vectors = [_vector(query) for query in own]
        for helper in helpers:
            helper.join()
        begun = min((query.begun for query in own), default=queued)
        self._watch.tell(LaneTimes(queued, begun, time.perf_counter()), prepared)
        return vectors

    def _run_until_done(self, run: RunBatch, own: Sequence[_Query]) -> None:
        while True:
            with self._changed:
                while not (is_done := all(query.is_done for query in own)) and not (self._free_runs and self._waiting):
                    self._changed.wait()
                if is_done:
                    return
                batch = self._take_locked()
                self._free_runs -= 1
            self._run_batch(run, batch)

    def _take_locked(self) -> list[_Query]:
        batch: list[_Query] = []
        longest = 0
        most = max(SHARE, math.ceil(len(self._waiting) / self._free_runs))
        while self._waiting and len(batch) < most:
            longest = max(longest, self._waiting[0].prepared.tokens)
            if batch and longest * (len(batch) + 1) > MAX_BATCH_TOKENS:
                break
            batch.append(self._waiting.popleft())
        return batch

    def _run_batch(self, run: RunBatch, batch: list[_Query]) -> None:
        begun = time.perf_counter()
        for query in batch:
            query.begun = begun
        watched = self._watch.begin_run(partial(self._give_up, batch))
        try:
            # What it asks of other servers belongs to the first of the requests that meet here.
            batch[0].context.copy().run(_embed_queries, run, batch)
        finally:
            self._watch.end_run(watched, [query.prepared for query in batch])
            with self._changed:
                self._free_runs += 1
                self._changed.notify_all()

    def _give_up(self, batch: Sequence[_Query], error: Exception) -> None:
        with self._changed:
            for query in [*batch, *self._waiting]:
                query.error = error
            self._waiting.clear()
            self._changed.notify_all()


def _vector(query: _Query) -> Embeddings:
    if query.error is not None:
        raise query.error
    assert query.vector is not None
    return query.vector


def _embed_queries(run: RunBatch, batch: list[_Query]) -> None:
    try:
        vectors = run([query.prepared for query in batch])
        for query, vector in zip(batch, vectors, strict=True):
            # A copy, for a row that is kept would keep the whole batch's array in memory.
            query.vector = np.array(vector)
    except Exception as error:
        if len(batch) == 1 or isinstance(error, EndpointUnavailable):
            for query in batch:
                query.error = error
            return
        # It may be for one text that the model fails: the others' callers must not suffer for it.
        for query in batch:
            _embed_queries(run, [query])
