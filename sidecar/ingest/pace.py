"""How much a load does at once, by what the cluster bears."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sidecar.opensearch.bulk_sender import BulkWatch, uncounted
from sidecar.opensearch.bulk_writer import BulkLimits, BulkWriter
from sidecar.opensearch.client import Cluster

MIN_BATCH_DOCUMENTS = 25
"""A body of 50 documents reaches 0.83 of the best rate (see `BulkLimits`); a cluster that refuses may want less."""
SLOW_SECONDS = 10.0
"""A body that takes longer is too large for the cluster as it is now; it gives up after 60."""
BODY_BYTES = 8 * 1024 * 1024
"""Of one bulk body at most, so that a batch is one body but for very large documents."""
_BODIES_A_ROUND = 3
"""For each stream: fewer tell too little of the rate, for bodies come in bursts."""
_GAIN = 1.05
"""A stream more must bring 5 %, else it only adds waiting."""
_ROUNDS_HELD = 8
"""After a stream too many, or a refusal: so long no further one is tried."""


@dataclass(frozen=True, slots=True)
class PaceBounds:
    """The most that a load does at once; both at least 1."""

    batch_documents: int
    streams: int


@dataclass(slots=True)
class _Round:
    """What was answered since a moment."""

    began: float
    bodies: int = 0
    documents: int = 0


class Pace:
    """The documents of a batch, and how many batches may be on their way at once; safe to use from any thread.

    Both grow step by step, and are halved where the cluster refuses (429, 503) or is slow: additive increase,
    multiplicative decrease, by which many senders come to share what there is. Streams grow only for as long as each
    brings more documents a second; where the model is the bottleneck, a few are enough.
    """

    def __init__(self, bounds: PaceBounds, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._bounds = bounds
        self._clock = clock
        self._least_documents = min(MIN_BATCH_DOCUMENTS, bounds.batch_documents)
        self._free = threading.Condition()
        self._busy = 0
        self._batch_documents = bounds.batch_documents
        self._streams = (bounds.streams + 1) // 2
        self._round = _Round(clock())
        self._rate_before: float | None = None
        """Documents a second before the newest stream was added; None where none is on trial."""
        self._held_rounds = 0
        self._was_halved = False

    @property
    def batch_documents(self) -> int:
        """How many documents the next batch is to have."""
        return self._batch_documents

    @property
    def streams(self) -> int:
        """How many batches may be on their way at once."""
        return self._streams

    @contextmanager
    def turn(self) -> Iterator[None]:
        """The block may send one batch; waits while as many as may are on their way."""
        with self._free:
            self._free.wait_for(lambda: self._busy < self._streams)
            self._busy += 1
        try:
            yield
        finally:
            with self._free:
                self._busy -= 1
                self._free.notify_all()

    def refused(self, documents: int) -> None:
        """The cluster has refused documents for now, which are sent again. Once a round, all is halved."""
        with self._free:
            self._halve_locked()

    def answered(self, documents: int, seconds: float) -> None:
        """The cluster has answered a body of so many documents after so long."""
        with self._free:
            if seconds > SLOW_SECONDS:
                self._halve_locked()
            self._round.bodies += 1
            self._round.documents += documents
            elapsed = self._clock() - self._round.began
            if self._round.bodies >= _BODIES_A_ROUND * self._streams and elapsed > 0:
                self._end_round_locked(self._round.documents / elapsed)

    def _halve_locked(self) -> None:
        # A body that is refused is refused again and again until there is room: that is one refusal.
        if self._was_halved:
            return
        self._was_halved = True
        self._batch_documents = max(self._least_documents, self._batch_documents // 2)
        self._streams = max(1, self._streams // 2)
        self._rate_before = None
        self._held_rounds = _ROUNDS_HELD

    def _end_round_locked(self, rate: float) -> None:
        self._round = _Round(self._clock())
        if self._was_halved:
            self._was_halved = False
            return
        step = max(1, self._bounds.batch_documents // 8)
        self._batch_documents = min(self._bounds.batch_documents, self._batch_documents + step)
        if self._rate_before is not None and rate < _GAIN * self._rate_before:
            self._streams -= 1
            self._held_rounds = _ROUNDS_HELD
            self._rate_before = None
        elif self._held_rounds:
            self._held_rounds -= 1
        elif self._streams < self._bounds.streams:
            self._rate_before = rate
            self._streams += 1
            self._free.notify_all()
        else:
            self._rate_before = None


def paced_writer(
    cluster: Cluster, pace: Pace, *, retry_deadline_seconds: float, on_repeat: Callable[[int], object] = uncounted
) -> BulkWriter:
    """A writer whose batches are a body each, and that tells the pace how they fare; ``on_repeat`` is told too."""

    def repeated(documents: int) -> None:
        pace.refused(documents)
        on_repeat(documents)

    return BulkWriter(
        cluster,
        retry_deadline_seconds=retry_deadline_seconds,
        limits=BulkLimits(max_bytes=BODY_BYTES, max_actions=1_000_000),
        watch=BulkWatch(repeated, pace.answered),
    )
