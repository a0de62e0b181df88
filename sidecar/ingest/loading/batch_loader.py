"""Brings some records into the index; what both engines, the local one and Ray's, do with their batches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Any

from sidecar.embedding.devices import resolve_device
from sidecar.errors import SidecarError
from sidecar.indexing.addition import WriterParts
from sidecar.indexing.requests import AddDocuments
from sidecar.indexing.writer import DocumentWriter
from sidecar.ingest.loading.counts import LoadCounts
from sidecar.ingest.loading.dead_letters import DeadLetter
from sidecar.ingest.loading.faults import fault_of_item
from sidecar.ingest.loading.parts import LoadParts
from sidecar.ingest.loading.plan import Existing, LoadPlan
from sidecar.ingest.pace import Pace, PaceBounds, paced_writer
from sidecar.ingest.remembered import RememberingEngine
from sidecar.ingest.shaping.shape import DocumentShape
from sidecar.ingest.sources.source import Record

RETRY_SECONDS = 10.0
"""For which a bulk body is repeated where the cluster refuses it for now: less than a server does, for whoever loads
batches repeats them for minutes, and can say so."""


@dataclass
class BatchOutcome:
    """What became of the records: each counts once. ``kept`` were there and left as they are (only-new)."""

    written: int = 0
    kept: int = 0
    failed: list[DeadLetter] = field(default_factory=list)

    def counts(self, read_bytes: int = 0) -> LoadCounts:
        """As numbers, with the bytes that were read for the records."""
        return LoadCounts(self.written, self.kept, len(self.failed), read_bytes)


@dataclass(frozen=True)
class ShapedBatch:
    """Records as the documents of the index, in order; and those that never became any."""

    records: Sequence[Record]
    documents: Sequence[dict[str, Any]]
    failed: Sequence[DeadLetter]

    @property
    def ids(self) -> frozenset[str]:
        """Those of the documents."""
        return frozenset(str(document["_id"]) for document in self.documents)


class BatchLoader:
    """Loads batches; safe to use from several threads, each with a batch of its own. To be used with ``with``: what is
    remembered of embedded texts lies in a file meanwhile.

    ``pace`` says how many records the next batch is to have, and how many batches may be loaded at once.
    """

    def __init__(self, parts: LoadParts, plan: LoadPlan) -> None:
        self._parts = parts
        self._plan = plan
        self.pace = Pace(PaceBounds(plan.batch_documents, plan.streams))
        settings = parts.settings
        bulk = paced_writer(
            parts.cluster,
            self.pace,
            retry_deadline_seconds=min(RETRY_SECONDS, settings.opensearch_retry_deadline),
            on_repeat=parts.metrics.retries.inc,
        )
        folder = settings.home / "ingest"
        folder.mkdir(parents=True, exist_ok=True)
        self._engine = RememberingEngine(parts.engine, folder)
        self._writer = DocumentWriter(
            WriterParts(
                parts.cluster,
                parts.states,
                bulk,
                self._engine,
                parts.media,
                parts.table,
                parts.metrics,
                parts.switches,
            ),
            max_document_bytes=settings.max_document_bytes,
        )
        self._device = resolve_device(settings.device or None)

    def __enter__(self) -> BatchLoader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._engine.close()

    def prepare(self) -> None:
        """Load the models, before any document: what keeps them from it is told while nothing is begun.

        Raises: IndexNotFound; ModelLoadError and its like.
        """
        settings = self._parts.states.get(self._plan.index).settings
        shape = self._plan.shape
        for name in shape.embedded_fields:
            model = settings.model_of(name)
            if name not in shape.precomputed:
                spec = self._parts.table.resolve(model.model, model.model_properties)
                self._parts.engine.models.get(replace(spec, device=self._device))

    def load(self, records: Sequence[Record]) -> BatchOutcome:
        """Bring the records into the index; when it returns, each is stored, or told in the outcome.

        Raises: what makes the whole load senseless to go on with now: the cluster stays away, its disk is full, the
        index is gone, the model can't be loaded. Part of the records may be stored then; loading them again is right.
        """
        return self.store(self.shape(records))

    def shape(self, records: Sequence[Record]) -> ShapedBatch:
        """Make documents of the records. Needs neither the cluster nor a model."""
        return shaped(records, self._plan.shape)

    def store(self, batch: ShapedBatch) -> BatchOutcome:
        """The rest of `load`, which see; waits while as many as may are loaded."""
        outcome = BatchOutcome(failed=list(batch.failed))
        with self.pace.turn():
            items = self._items(batch.documents)
        for record, document, item in zip(batch.records, batch.documents, items, strict=True):
            if "error" not in item:
                outcome.kept += item["result"] == "kept"
                outcome.written += item["result"] != "kept"
                continue
            fault = fault_of_item(item, self._plan.index)
            if fault is not None:
                raise fault
            outcome.failed.append(_letter(record, document, item))
        return outcome

    def _items(self, documents: Sequence[dict[str, Any]]) -> Sequence[dict[str, Any]]:
        return self._writer.add(self._plan.index, self._request(documents)) if documents else []

    def _request(self, documents: Sequence[dict[str, Any]]) -> AddDocuments:
        return request_of(self._plan, documents, device=self._device)


def request_of(plan: LoadPlan, documents: Sequence[dict[str, Any]], *, device: str) -> AddDocuments:
    """What the write path is asked for documents of the plan's shape."""
    shape = plan.shape
    return AddDocuments(
        documents=documents,
        tensor_fields=shape.embedded_fields,
        non_tensor_fields=None,
        mappings=shape.mappings(),
        device=device,
        is_patient=True,
        is_only_new=plan.existing is Existing.ONLY_NEW,
    )


def shaped(records: Sequence[Record], shape: DocumentShape) -> ShapedBatch:
    """Make documents of records; what can't become one is among those that failed."""
    kept, documents, failed = [], [], []
    for record in records:
        try:
            documents.append(shape.document(record))
            kept.append(record)
        except SidecarError as error:
            raw = record.raw if record.document is None else None
            failed.append(
                DeadLetter.of(record, code=error.code, reason=error.message, document=record.document, raw=raw)
            )
    return ShapedBatch(kept, documents, failed)


def _letter(record: Record, document: dict[str, Any], item: Mapping[str, Any]) -> DeadLetter:
    error = item["error"]
    if isinstance(error, str):
        return DeadLetter.of(record, code=str(item.get("code", "")), reason=error, document=document)
    return DeadLetter.of(
        record, code=str(error.get("type", "")), reason=str(error.get("reason", "")), document=document
    )
