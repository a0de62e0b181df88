"""What a load tells while it runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from sidecar.ingest.loading.counts import LoadCounts
from sidecar.ingest.sources.formats import COMPRESSIONS
from sidecar.ingest.sources.source import Part


@dataclass(frozen=True, slots=True)
class Total:
    """How much there is in the source: documents or bytes; both are None where nobody knows before the end."""

    documents: int | None = None
    read_bytes: int | None = None

    @classmethod
    def of(cls, parts: Sequence[Part]) -> Total:
        """The documents where every part knows its own, else the bytes where every part does: the size of a file that
        is compressed says nothing of what is read from it."""
        counts = [part.count() for part in parts]
        if None not in counts:
            return cls(documents=sum(count or 0 for count in counts))
        sizes = [None if part.name.lower().endswith(COMPRESSIONS) else part.size_bytes for part in parts]
        return cls() if None in sizes else cls(read_bytes=sum(size or 0 for size in sizes))


class LoadProgress(Protocol):
    """Is told how far a load is; may be called from any thread."""

    def begin(self, total: Total, done: LoadCounts) -> None:
        """The load begins; ``done`` is what earlier runs did."""

    def landed(self, counts: LoadCounts) -> None:
        """So much more is dealt with for good."""

    def waits(self, reason: str | None) -> None:
        """The load waits for the cluster, or a model's endpoint; None when it goes on."""


class Silent:
    """A `LoadProgress` that tells nobody."""

    def begin(self, total: Total, done: LoadCounts) -> None:
        """Not told."""

    def landed(self, counts: LoadCounts) -> None:
        """Not told."""

    def waits(self, reason: str | None) -> None:
        """Not told."""
