"""Brings some records into the index; what both engines, the local one and Ray's, do with their batches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sidecar.ingest.loading.parts import LoadParts
from sidecar.ingest.loading.plan import LoadPlan
from sidecar.ingest.sources.source import Record


@dataclass(frozen=True)
class DeadLetter:
    """A record that did not get into the index.

    ``document`` is it as it was to be stored, or None where it never became a document: then ``raw`` has what can be
    shown of it. ``code`` is that of our error, or the cluster's type.
    """

    part: str
    row: int
    document_id: str
    code: str
    reason: str
    document: dict[str, Any] | None = None
    raw: str | None = None


@dataclass
class BatchOutcome:
    """What became of the records: each counts once. ``kept`` were there and left as they are (only-new)."""

    written: int = 0
    kept: int = 0
    failed: list[DeadLetter] = field(default_factory=list)


class BatchLoader:
    """Loads batches; safe to use from several threads, each with a batch of its own."""

    def __init__(self, parts: LoadParts, plan: LoadPlan) -> None:
        self._parts = parts
        self._plan = plan

    def load(self, records: Sequence[Record]) -> BatchOutcome:
        """Bring the records into the index; when it returns, each is stored, or told in the outcome.

        Raises: what makes the whole load senseless to go on with now: the cluster stays away, its disk is full, the
        index is gone, the model can't be loaded. Part of the records may be stored then; loading them again is right.
        """
        raise NotImplementedError
