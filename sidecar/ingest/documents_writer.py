"""Sends documents through the native face, which computes the vectors that they lack, until each has its outcome."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from sidecar.ingest.face_client import NDJSON, FaceClient, failed, told
from sidecar.ingest.stored_documents import StoredDocument

_FIRST_WAIT_SECONDS = 0.1
_LONGEST_WAIT_SECONDS = 5.0
_FOR_NOW = frozenset({429, 502, 503, 504})
_CONFLICT = "version_conflict_engine_exception"
_SHOWN_FAILURES = 10


@dataclass
class Outcome:
    """What became of documents: numbers, and the first failures by document id."""

    embedded: int = 0
    unchanged: int = 0
    gone: int = 0
    failed: int = 0
    conflicts: int = 0
    failures: dict[str, str] = field(default_factory=dict)

    def add(self, other: Outcome) -> None:
        """Count another's documents too."""
        for name in ("embedded", "unchanged", "gone", "failed", "conflicts"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for document_id, reason in other.failures.items():
            self._show(document_id, reason)

    def fail(self, document_id: str, reason: str) -> None:
        """Count a document that could not be embedded or written."""
        self.failed += 1
        self._show(document_id, reason)

    def _show(self, document_id: str, reason: str) -> None:
        if len(self.failures) < _SHOWN_FAILURES:
            self.failures[document_id] = reason


@dataclass(frozen=True)
class DocumentsWriter:
    """Writes the documents of one index; safe to use from any thread.

    ``lines`` makes the bulk lines of an update that is refused where the document is another by then.
    ``read_again`` gives those documents as they are now that still want a vector. What is refused for now (too much to
    do, no connection) is repeated for ``patience_seconds``.
    """

    face: FaceClient
    lines: Callable[[StoredDocument], bytes]
    read_again: Callable[[Sequence[StoredDocument]], Sequence[StoredDocument]]
    patience_seconds: float

    def write(self, documents: Sequence[StoredDocument]) -> Outcome:
        """Send documents. One that was changed meanwhile is read again, and never overwritten.

        Raises: OpenSearchError where the whole request is refused for good; what was sent before stays written.
        """
        outcome = Outcome()
        pending: Sequence[StoredDocument] = documents
        wait, deadline = _FIRST_WAIT_SECONDS, time.monotonic() + self.patience_seconds
        while pending:
            overtaken, refused = self._send(pending, outcome, is_last_try=time.monotonic() >= deadline)
            outcome.conflicts += len(overtaken)
            now = {document.document_id: document for document in self.read_again(overtaken)} if overtaken else {}
            outcome.unchanged += len(overtaken) - len(now)
            pending = [*now.values(), *refused]
            if refused:
                time.sleep(random.uniform(0, wait))
                wait = min(2 * wait, _LONGEST_WAIT_SECONDS)
        return outcome

    def _send(
        self, documents: Sequence[StoredDocument], outcome: Outcome, *, is_last_try: bool
    ) -> tuple[list[StoredDocument], list[StoredDocument]]:
        """Send once; returns the documents that others changed meanwhile, and those that were refused for now."""
        body = b"".join(map(self.lines, documents))
        status, answer = self.face.request("POST", "/_bulk", body, content_type=NDJSON)
        if status == 413 and len(documents) > 1:
            half = len(documents) // 2
            first = self._send(documents[:half], outcome, is_last_try=is_last_try)
            second = self._send(documents[half:], outcome, is_last_try=is_last_try)
            return first[0] + second[0], first[1] + second[1]
        if status in _FOR_NOW and not is_last_try:
            return [], list(documents)
        if status != 200:
            raise failed("the documents were refused", status, answer)
        overtaken, refused = [], []
        for document, item in zip(documents, orjson.loads(answer)["items"], strict=True):
            result = item["update"]
            if (result.get("error") or {}).get("type") == _CONFLICT:
                overtaken.append(document)
            elif result["status"] in _FOR_NOW and not is_last_try:
                refused.append(document)
            else:
                _count(outcome, document.document_id, result)
        return overtaken, refused


def _count(outcome: Outcome, document_id: str, result: Mapping[str, Any]) -> None:
    error = result.get("error")
    if error is None and result.get("result") == "noop":
        outcome.unchanged += 1
    elif error is None:
        outcome.embedded += 1
    elif result["status"] == 404:
        outcome.gone += 1
    else:
        outcome.fail(document_id, told(error))
