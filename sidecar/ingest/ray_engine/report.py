"""What a worker, or a task that reads, tells the driver."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from sidecar.errors import SidecarError
from sidecar.ingest.loading.counts import LoadCounts
from sidecar.ingest.loading.dead_letters import DeadLetter
from sidecar.ingest.loading.row_ranges import RowRange

logger = logging.getLogger(__name__)

_LINE_BREAK = "\n"


@dataclass(frozen=True, slots=True)
class Report:
    """Rows that are dealt with for good, and what became of them. ``begun_at`` is when a worker took the batch, by the
    clock of its machine, as `time.time` tells it."""

    rows: Sequence[RowRange]
    counts: LoadCounts
    failed: Sequence[DeadLetter]
    begun_at: float


@dataclass(frozen=True, slots=True)
class Fault:
    """Why the load can't go on. What was being read or loaded does not count as done."""

    reason: str

    @classmethod
    def of(cls, error: Exception) -> Fault:
        """The error in a line. Where it is none of ours, the log has the rest."""
        if isinstance(error, SidecarError):
            return cls(error.message)
        logger.debug("the load can't go on", exc_info=error)
        return cls(f"{type(error).__name__}: {str(error).strip().partition(_LINE_BREAK)[0]}")
