"""Texts that wait for one model, kept by length so that a batch needs little padding."""

from __future__ import annotations

import math
import time
from bisect import bisect_right, insort
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import Future
from contextvars import Context, copy_context
from dataclasses import dataclass, field

import numpy as np

from sidecar.embedding.loader import MAX_BATCH_TEXTS, Embeddings, Prepared, batch_length

LEAST_TOKENS = 128
"""Tokens for which a batch is worth its own run: what waits is shared out among the threads no finer than that."""
SHORT_TOKENS = 16
"""Texts up to this length, and others that differ by a quarter, share a batch: padding costs less than two runs."""


@dataclass(slots=True, eq=False)
class Job:
    """The texts of one call; its future gets float32 (n, dimensions) once none of its rows is left to embed.

    ``context`` is that of the request that it belongs to. ``queued`` and ``begun`` are readings of
    `time.perf_counter`; ``begun`` is None while all of it waits.
    """

    vectors: Embeddings
    left: int
    tokens: int
    future: Future[Embeddings] = field(default_factory=Future)
    context: Context = field(default_factory=copy_context)
    queued: float = field(default_factory=time.perf_counter)
    begun: float | None = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """One text in the queue, and where its vector goes."""

    prepared: Prepared
    job: Job
    row: int
    number: int

    @property
    def key(self) -> tuple[int, int]:
        return (self.prepared.tokens, self.number)


class BatchQueue:
    """First come, first served by job; within that, the longest text and those nearest to it in length, of any job.

    All methods must be called with the engine's lock held.
    """

    def __init__(self) -> None:
        self._by_length: list[Waiting] = []
        self._jobs: OrderedDict[int, tuple[Job, list[Waiting]]] = OrderedDict()
        self._number = 0

    def __len__(self) -> int:
        return len(self._by_length)

    def add(self, prepared: Sequence[Prepared], dimensions: int) -> Job:
        """Queue one job of at least one text."""
        vectors = np.empty((len(prepared), dimensions), dtype=np.float32)
        job = Job(vectors, len(prepared), sum(one.tokens for one in prepared))
        entries = []
        for row, text in enumerate(prepared):
            self._number += 1
            entries.append(Waiting(text, job, row, self._number))
        entries.sort(key=lambda waiting: waiting.key)
        if len(entries) > 8:
            self._by_length = sorted([*self._by_length, *entries], key=lambda waiting: waiting.key)
        else:
            for waiting in entries:
                insort(self._by_length, waiting, key=lambda other: other.key)
        self._jobs[id(job)] = (job, entries)
        return job

    def take(self, threads: int = 1) -> list[Waiting]:
        """Remove and return the next batch; empty when nothing waits.

        No batch has more than a fair share of what waits for each of the ``threads``, so that they end together: 32
        images in batches of 10, 10, 10 and 2 keep the second of two threads idle for a quarter of the time.
        """
        anchor = self._oldest()
        if anchor is None:
            return []
        position = bisect_right(self._by_length, anchor.key, key=lambda waiting: waiting.key) - 1
        longest = max(anchor.prepared.tokens * 5 // 4, SHORT_TOKENS)
        end = bisect_right(self._by_length, longest, key=lambda waiting: waiting.prepared.tokens)
        start = max(0, end - MAX_BATCH_TEXTS)
        size = batch_length([waiting.prepared.tokens for waiting in self._by_length[start:end]])
        least = math.ceil(LEAST_TOKENS / max(1, self._by_length[end - 1].prepared.tokens))
        size = min(size, max(least, math.ceil(len(self) / threads)))
        end = min(end, position + size)
        batch = self._by_length[end - size : end]
        del self._by_length[end - size : end]
        return batch

    def jobs(self) -> list[Job]:
        """The jobs of which something waits, or did of late."""
        return [job for job, _ in self._jobs.values()]

    def drop(self, job: Job) -> None:
        """Take the job's waiting texts out, for nobody waits for them any more."""
        self._jobs.pop(id(job), None)
        self._by_length = [waiting for waiting in self._by_length if waiting.job is not job]

    def _oldest(self) -> Waiting | None:
        while self._jobs:
            _, (job, entries) = next(iter(self._jobs.items()))
            while entries and not self._waits(entries[-1]):
                entries.pop()
            if entries:
                return entries[-1]
            self._jobs.pop(id(job))
        return None

    def _waits(self, waiting: Waiting) -> bool:
        end = bisect_right(self._by_length, waiting.key, key=lambda other: other.key)
        return end > 0 and self._by_length[end - 1] is waiting
