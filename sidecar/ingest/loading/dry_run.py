"""What a load would do: its first documents, and how long it takes and how much it stores, by a sample of them."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

import orjson

from sidecar.embedding.devices import resolve_device
from sidecar.errors import SidecarError
from sidecar.indexing.custom_vectors import VectorRules
from sidecar.indexing.field_rules import FieldRules
from sidecar.indexing.files import RequestFiles
from sidecar.indexing.hashes import content_hashes
from sidecar.indexing.validation import DocumentRules, validate_document
from sidecar.indexing.windows import Window
from sidecar.ingest.loading.batch_loader import request_of
from sidecar.ingest.loading.parts import LoadParts
from sidecar.ingest.loading.plan import LoadPlan
from sidecar.ingest.loading.target_index import Target
from sidecar.ingest.sources.source import Record
from sidecar.opensearch.bulk_actions import BulkAction
from sidecar.opensearch.embedded_paths import ROOT, field_of_key

SAMPLE_DOCUMENTS = 200
SAMPLE_BYTES = 8 * 1024 * 1024
"""The sample ends with either."""


@dataclass(frozen=True)
class TriedDocument:
    """A record as it would be indexed: the document, and the number of chunks of each embedded field; or why it would
    fail. ``size_bytes`` is that of the JSON text that is stored, ``own_bytes`` without its vectors."""

    record: Record
    document: dict[str, Any] | None = None
    chunks: dict[str, int] = field(default_factory=dict)
    size_bytes: int = 0
    own_bytes: int = 0
    failure: str | None = None


@dataclass(frozen=True)
class Sample:
    """``seconds`` are those in which the documents were split and embedded, the model being loaded already.
    ``runs_model`` is False where all vectors come with the documents."""

    documents: Sequence[TriedDocument]
    seconds: float
    runs_model: bool

    @property
    def loaded(self) -> list[TriedDocument]:
        """Those that would not fail."""
        return [tried for tried in self.documents if tried.failure is None]

    @property
    def failed(self) -> int:
        """How many would fail."""
        return len(self.documents) - len(self.loaded)


def try_sample(parts: LoadParts, plan: LoadPlan, target: Target, records: Iterable[Record]) -> Sample:
    """Make documents of the first records, and embed them; nothing is written.

    Raises: ModelLoadError and its like where the model can't be loaded; what a model raises.
    """
    tried = [_as_document(record, plan) for record in _first(records)]
    trial = _Trial(parts, plan, target, [each.document for each in tried if each.document is not None])
    trial.run([each for each in tried if each.failure is None][:1])
    started = time.perf_counter()
    done = trial.run(tried)
    seconds = time.perf_counter() - started
    by_model = set(plan.shape.embedded_fields) - set(plan.shape.precomputed)
    return Sample(done, seconds, runs_model=any(not by_model.isdisjoint(each.chunks) for each in done))


def _first(records: Iterable[Record]) -> Iterator[Record]:
    size = 0
    for record in islice(records, SAMPLE_DOCUMENTS):
        yield record
        size += record.size_bytes
        if size >= SAMPLE_BYTES:
            return


def _as_document(record: Record, plan: LoadPlan) -> TriedDocument:
    try:
        return TriedDocument(record, plan.shape.document(record))
    except SidecarError as error:
        return TriedDocument(record, failure=error.message)


class _Trial:
    """The write path without its end."""

    def __init__(self, parts: LoadParts, plan: LoadPlan, target: Target, documents: Sequence[dict[str, Any]]) -> None:
        self._parts = parts
        self._target = target
        request = request_of(plan, documents, device=resolve_device(parts.settings.device or None))
        self._rules = FieldRules(target.settings, parts.table, request)
        self._rules.prepare(parts.engine.models.get)
        self._document_rules = DocumentRules(request, parts.settings.max_document_bytes, self._vectors_of)
        self._files = RequestFiles(parts.media, {}, target.settings.image_preprocessing.patch_method)

    def run(self, tried: Sequence[TriedDocument]) -> list[TriedDocument]:
        """The documents as they are once they are embedded, in order."""
        done = list(tried)
        windows = []
        window = self._new_window()
        for position, each in enumerate(tried):
            if each.document is not None:
                done[position] = self._added(window, position, each)
            if window.is_full:
                windows.append(window)
                window.submit(self._parts.engine)
                window = self._new_window()
        window.submit(self._parts.engine)
        for submitted in (*windows, window):
            for valid, outcome in zip(submitted.documents, submitted.outcomes(), strict=True):
                done[valid.position] = _outcome(done[valid.position], outcome)
        return done

    def _new_window(self) -> Window:
        is_bytes = self._target.settings.ann_parameters.stores_bytes
        return Window(self._rules.of, self._files, stores_bytes=is_bytes)

    def _added(self, window: Window, position: int, each: TriedDocument) -> TriedDocument:
        try:
            valid = validate_document(position, each.document, self._document_rules)
            window.add(valid, content_hashes(valid, self._rules.of, files_last=False).stored, {})
        except SidecarError as error:
            return replace(each, failure=error.message)
        return each

    def _vectors_of(self, field: str) -> VectorRules:
        return VectorRules(self._target.dimensions_of(field), self._target.settings.ann_parameters.space_type)


def _outcome(tried: TriedDocument, outcome: BulkAction | SidecarError) -> TriedDocument:
    if isinstance(outcome, SidecarError):
        return replace(tried, failure=outcome.message)
    assert outcome.source is not None
    stored = orjson.loads(outcome.source)
    chunks = {field_of_key(key): len(entries) for key, entries in stored.pop(ROOT, {}).items()}
    return replace(tried, chunks=chunks, size_bytes=len(outcome.source), own_bytes=len(orjson.dumps(stored)))
