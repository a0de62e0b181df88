"""How many documents a load has dealt with, and what its end was."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import Enum


@dataclass
class LoadCounts:
    """Documents that were stored, were there and left as they are (only-new), or failed; and the bytes that were read
    for them."""

    written: int = 0
    kept: int = 0
    failed: int = 0
    read_bytes: int = 0

    @property
    def documents(self) -> int:
        """All that were dealt with."""
        return self.written + self.kept + self.failed

    def add(self, other: LoadCounts) -> None:
        """Count another's too."""
        self.written += other.written
        self.kept += other.kept
        self.failed += other.failed
        self.read_bytes += other.read_bytes

    def to_json(self) -> dict[str, int]:
        """As it lies in the checkpoint."""
        return asdict(self)


class Ending(str, Enum):
    """How a run ended: all is dealt with, or was before it; or it was stopped, by a signal or a fault, and the next run
    goes on."""

    DONE = "done"
    ALREADY_DONE = "already done"
    INTERRUPTED = "interrupted"
    STOPPED = "stopped"


@dataclass(frozen=True)
class Summary:
    """What a run tells at its end. ``total`` counts all runs of the job, ``run`` this one. ``reason`` is the fault that
    stopped it."""

    ending: Ending
    total: LoadCounts
    run: LoadCounts
    seconds: float
    reason: str | None = None

    @property
    def documents_per_second(self) -> float:
        """Of this run."""
        return self.run.documents / self.seconds if self.seconds else 0.0
