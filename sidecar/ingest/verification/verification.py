"""Looks at every document of indexes, tells what is wrong with its vectors, and mends it where asked to."""

from __future__ import annotations

import random
import threading
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import Any

from sidecar.ingest.documents_writer import DocumentsWriter
from sidecar.ingest.progress import Progress
from sidecar.ingest.side_by_side import side_by_side
from sidecar.ingest.snapshot import EVERYTHING, Wanted, snapshot_of
from sidecar.ingest.stored_documents import StoredDocument, read_again
from sidecar.ingest.verification.deep import DeepCheck
from sidecar.ingest.verification.index_check import IndexCheck, read_checks
from sidecar.ingest.verification.options import VerificationOptions
from sidecar.ingest.verification.parts import VerificationParts
from sidecar.ingest.verification.problems import Finding, Problem
from sidecar.ingest.verification.report import Report, repairable_fields
from sidecar.native.writes.inputs import RequestInputs
from sidecar.opensearch.load_settings import LoadSettings

_SHARDS_AT_ONCE = 2
_PATIENCE_SECONDS = 60.0
_CRCS = 2**32

Faulty = tuple[StoredDocument, list[Finding]]


class Verification:
    """One job. ``stop`` ends it early; what was mended until then stays."""

    def __init__(
        self, parts: VerificationParts, options: VerificationOptions, *, progress: Progress | None = None
    ) -> None:
        self._parts = parts
        self._options = options
        self._progress = progress or Progress()
        self._stopped = threading.Event()
        self.report = Report(options.examples)

    def stop(self) -> None:
        """Look at nothing more. Safe to call from any thread, and from a signal's handler."""
        self._stopped.set()

    @property
    def was_stopped(self) -> bool:
        """True where it ended before it was through."""
        return self._stopped.is_set()

    def run(self) -> Report:
        """Do it.

        Raises: as `read_checks`; what the cluster raises. What was mended until then stays.
        """
        if self._options.fix:
            self.report.restored = LoadSettings(self._parts.cluster).restore_abandoned()
        checks = read_checks(self._parts, self._options)
        if self._options.fix and self._make_room(checks):
            checks = read_checks(self._parts, self._options)
        for check in checks:
            for finding in check.of_fields:
                self.report.add_mapping(check.facts.name, finding, is_mended=False)
            if check.patterns and not self.was_stopped:
                self._verify(check)
        return self.report

    def _make_room(self, checks: Sequence[IndexCheck]) -> bool:
        """Map fields that are only declared; True where there were any."""
        found = False
        for check in checks:
            wanted = [one for one in check.of_fields if one.problem is Problem.UNMAPPED and one.is_repairable]
            if wanted:
                self._parts.states.ensure_embedded_fields(check.facts.name, [one.field for one in wanted])
                for one in wanted:
                    self.report.add_mapping(check.facts.name, one, is_mended=True)
                found = True
        return found

    def _verify(self, check: IndexCheck) -> None:
        name = check.facts.name
        documents, _ = self._parts.cluster.count(name, ())
        wanted = Wanted(
            _sample_query(self._options.sample, documents),
            True if check.stores_vectors else {"includes": check.patterns},
        )
        deep = _Deep.of(self._parts, check, self._options, documents) if self._options.deep_documents else None
        with snapshot_of(self._parts.cluster, name, check.shards, wanted) as snapshot:
            self._progress.found(snapshot.count())
            streams = [partial(snapshot.pages, number) for number in range(snapshot.slices)]
            with closing(side_by_side(streams, at_once=_SHARDS_AT_ONCE)) as pages:
                for page in pages:
                    if self.was_stopped:
                        return
                    self._look_at(check, deep, page)
                    self._progress.done(len(page))

    def _look_at(self, check: IndexCheck, deep: _Deep | None, page: Sequence[StoredDocument]) -> None:
        found = {document.document_id: (document, check.findings(document)) for document in page}
        self.report.verified += len(page)
        if deep is not None:
            for document, differences in deep.findings(page, self.report):
                _, findings = found[document.document_id]
                told = {finding.field for finding in findings}
                findings += [one for one in differences if one.field not in told]
        faulty = [(document, findings) for document, findings in found.values() if findings]
        for document, findings in faulty:
            self.report.add(check.facts.name, document.document_id, findings)
        if self._options.fix:
            self._mend(check, faulty)

    def _mend(self, check: IndexCheck, faulty: Sequence[Faulty]) -> None:
        """Have the fields embedded anew, and look at the documents again."""
        name, cluster = check.facts.name, self._parts.cluster
        known = {document.document_id: findings for document, findings in faulty if repairable_fields(findings)}
        if not known:
            return

        def lines(document: StoredDocument) -> bytes:
            return check.lines(document, repairable_fields(known[document.document_id]))

        def again(documents: Sequence[StoredDocument]) -> list[StoredDocument]:
            """Those that another has changed meanwhile: what is still wrong with them?"""
            current = read_again(cluster, name, documents, check.patterns)
            for document in current:
                known[document.document_id] = check.findings(document)
            return [document for document in current if repairable_fields(known[document.document_id])]

        writer = DocumentsWriter(self._parts.face, lines, again, patience_seconds=_PATIENCE_SECONDS)
        wanting = [(document, findings) for document, findings in faulty if document.document_id in known]
        documents = [document for document, _ in wanting]
        self.report.take_failures(writer.write(documents))
        now = {one.document_id: one for one in read_again(cluster, name, documents, check.patterns)}
        for document, findings in wanting:
            current = now.get(document.document_id)
            if current is None or current.seq_no != document.seq_no:
                left = set() if current is None else set(check.findings(current))
                self.report.mend(name, [one for one in findings if one not in left])


@dataclass(frozen=True)
class _Deep:
    """Chooses documents, about so many in all, and has their vectors computed anew."""

    parts: VerificationParts
    check: DeepCheck
    share: float

    @classmethod
    def of(cls, parts: VerificationParts, check: IndexCheck, options: VerificationOptions, documents: int) -> _Deep:
        looked_at = min(options.sample or documents, documents)
        return cls(parts, DeepCheck.of(check, parts.embedder), options.deep_documents / max(1, looked_at))

    def findings(
        self, page: Sequence[StoredDocument], report: Report
    ) -> Iterator[tuple[StoredDocument, list[Finding]]]:
        chosen = [one for one in page if zlib.crc32(one.document_id.encode()) < self.share * _CRCS]
        if not chosen:
            return
        for document, found in self.check.findings(chosen, RequestInputs(self.parts.embedder.document_parts())):
            if isinstance(found, list):
                report.embedded_anew += 1
                yield document, found
            else:
                report.fail(document.document_id, str(found))


def _sample_query(sample: int | None, documents: int) -> Mapping[str, Any]:
    """Finds about so many of the documents, others each time."""
    if sample is None or sample >= documents:
        return EVERYTHING
    scored = {"random_score": {"seed": random.randrange(2**31), "field": "_seq_no"}, "boost_mode": "replace"}
    return {"function_score": scored | {"query": EVERYTHING, "min_score": 1 - sample / documents}}
