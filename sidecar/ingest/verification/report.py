"""What a verification has found."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

from sidecar.ingest.documents_writer import Outcome
from sidecar.ingest.verification.problems import MEANINGS, Finding, Problem

_SHOWN_FAILURES = 10


@dataclass
class Count:
    """Documents with one problem of one field, and how many of them are mended; some of their ids. A problem of the
    mapping is one of no document."""

    documents: int = 0
    mended: int = 0
    examples: list[str] = field(default_factory=list)


@dataclass
class Report:
    """Counts by index, field and problem. ``verified`` documents were looked at, ``embedded_anew`` of them compared.
    ``failures`` are documents that could not be compared or mended, by their ids, the first ones. ``restored`` are
    indexes whose settings a dead load had left changed."""

    examples: int
    verified: int = 0
    embedded_anew: int = 0
    counts: dict[tuple[str, str, Problem], Count] = field(default_factory=dict)
    mapping: dict[tuple[str, str, Problem], bool] = field(default_factory=dict)
    failed: int = 0
    failures: dict[str, str] = field(default_factory=dict)
    restored: list[str] = field(default_factory=list)

    def add(self, index: str, document_id: str, findings: Iterable[Finding]) -> None:
        """Count what is wrong with a document."""
        for finding in findings:
            count = self.counts.setdefault((index, finding.field, finding.problem), Count())
            count.documents += 1
            if len(count.examples) < self.examples:
                count.examples.append(document_id)

    def mend(self, index: str, findings: Iterable[Finding]) -> None:
        """Count what was wrong with a document, and is no more."""
        for finding in findings:
            self.counts[index, finding.field, finding.problem].mended += 1

    def add_mapping(self, index: str, finding: Finding, *, is_mended: bool) -> None:
        """Count a problem of a mapping."""
        self.mapping[index, finding.field, finding.problem] = is_mended

    def fail(self, document_id: str, reason: str) -> None:
        """Count a document that could not be compared or mended."""
        self.failed += 1
        if len(self.failures) < _SHOWN_FAILURES:
            self.failures[document_id] = reason

    def take_failures(self, outcome: Outcome) -> None:
        """Count the documents that could not be written."""
        shown = list(outcome.failures.items())[: _SHOWN_FAILURES - len(self.failures)]
        self.failures |= dict(shown)
        self.failed += outcome.failed

    @property
    def is_fine(self) -> bool:
        """True where nothing is wrong, or nothing any more."""
        counts_are = all(count.mended == count.documents for count in self.counts.values())
        return counts_are and all(self.mapping.values()) and not self.failed

    def rows(self) -> list[dict[str, Any]]:
        """A row for each problem of each field, in order: problems of mappings have no ``documents``."""
        of_mappings = [
            _row(key) | {"documents": None, "mended": is_mended, "examples": []}
            for key, is_mended in self.mapping.items()
        ]
        of_documents = [
            _row(key) | {"documents": count.documents, "mended": count.mended, "examples": count.examples}
            for key, count in sorted(self.counts.items())
        ]
        return of_mappings + of_documents


def _row(key: tuple[str, str, Problem]) -> dict[str, Any]:
    index, name, problem = key
    return {"index": index, "field": name, "problem": problem.value, "meaning": MEANINGS[problem]}


def repairable_fields(findings: Collection[Finding]) -> set[str]:
    """The fields that are worth to be embedded anew: those all of whose problems that mends."""
    faulty = {finding.field for finding in findings}
    return faulty - {finding.field for finding in findings if not finding.is_repairable}
