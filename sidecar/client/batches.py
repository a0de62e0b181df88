"""Documents as lines of JSON, in requests of bounded size."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sidecar.client.exchange import encode
from sidecar.client.outcomes import Item

BATCH_BYTES = 4 * 1024 * 1024
BATCH_SECONDS = 2.0
"""Of a source that is slow, a batch is what has come by the first document after so long."""


@dataclass(frozen=True, slots=True)
class Unsendable:
    """A document that has no JSON, with the reason; it fails alone, as one that the server refuses."""

    id: str
    reason: str


@dataclass(slots=True)
class Batch:
    """Documents that are sent together.

    ``positions`` are those of the lines in the whole stream, from 0; ``count`` is of all documents, those in
    ``unsendable`` included.
    """

    first: int
    lines: list[bytes] = field(default_factory=list)
    positions: list[int] = field(default_factory=list)
    unsendable: list[Item] = field(default_factory=list)
    size_bytes: int = 0

    @property
    def count(self) -> int:
        """Documents in it."""
        return len(self.lines) + len(self.unsendable)


class Batcher:
    """Gathers documents into batches; memory holds one of them, however many documents there are.

    A document without ``_id`` gets a UUID here, as the server would give it one: so it can be sent again without
    becoming two.
    """

    def __init__(self, batch_documents: int) -> None:
        if batch_documents < 1:
            raise ValueError(f"batch_documents is {batch_documents}; it must be 1 or more")
        self._batch_documents = batch_documents
        self._batch = Batch(0)
        self._begun_at = time.monotonic()

    def add(self, document: Any) -> Batch | None:
        """Take a document; returns the batch that it fills."""
        batch = self._batch
        if not batch.count:
            self._begun_at = time.monotonic()
        position = batch.first + batch.count
        encoded = _line(document)
        if isinstance(encoded, Unsendable):
            batch.unsendable.append(Item(position, encoded.id, 400, error=encoded.reason, code="invalid_argument"))
        else:
            batch.lines.append(encoded)
            batch.positions.append(position)
            batch.size_bytes += len(encoded)
        is_full = batch.count >= self._batch_documents or batch.size_bytes >= BATCH_BYTES
        return self.rest() if is_full or time.monotonic() - self._begun_at >= BATCH_SECONDS else None

    def rest(self) -> Batch:
        """What is gathered; the next batch begins behind it."""
        batch = self._batch
        self._batch = Batch(batch.first + batch.count)
        return batch


def _line(document: Any) -> bytes | Unsendable:
    if isinstance(document, Unsendable):
        return document
    if isinstance(document, Mapping) and "_id" not in document:
        document = {"_id": str(uuid.uuid4()), **document}
    try:
        return encode(document) + b"\n"
    except (TypeError, ValueError, RecursionError) as error:
        return Unsendable(_id_of(document), f"the document has no JSON: {error}")


def _id_of(document: Any) -> str:
    given = document.get("_id") if isinstance(document, Mapping) else None
    return given if isinstance(given, str) else ""
