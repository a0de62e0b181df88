"""Vectors that were declared on the native face: what is wrong with a document's, and what mends it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sidecar.ingest.backfill import fields_of, names_of
from sidecar.ingest.lacking import has_content, lacks, place_of
from sidecar.ingest.stored_documents import StoredDocument, decoded, values_at
from sidecar.ingest.targets import BackfillTarget
from sidecar.ingest.verification.problems import Finding, Problem, VectorRules, vector_problems
from sidecar.native.declarations.declaration import Declaration, Existing, VectorField


@dataclass(frozen=True)
class DeclaredCheck:
    """Checks the vectors that are ``chosen`` of the target's, whose fields in the mapping are ``mapped``."""

    target: BackfillTarget
    mapped: Mapping[str, VectorField]

    @property
    def patterns(self) -> list[str]:
        """What must be read of a document."""
        return fields_of(self.target)

    def findings(self, document: StoredDocument) -> list[Finding]:
        """What is wrong with the document."""
        return [finding for declaration in self.target.chosen for finding in self._findings(document, declaration)]

    def members(self, document: StoredDocument, fields: Collection[str]) -> list[bytes]:
        """The members of an update by which the native face computes these vectors anew. Each field with a source or a
        vector is among them, for the face keeps a vector that it sees."""
        cleared = {place_of(one) for one in self.target.chosen if one.vector in fields}
        return document.members(names_of(self.target), cleared)

    def _findings(self, document: StoredDocument, declaration: Declaration) -> list[Finding]:
        has_source = has_content(document, declaration)
        vectors = stored_vectors(document, declaration)
        problems = set()
        if lacks(document, [declaration]):
            problems.add(Problem.MISSING)
        # A client may have sent a vector of its own, where those are kept.
        is_own_work = declaration.existing is Existing.REPLACE
        if vectors and not has_source and is_own_work:
            problems.add(Problem.LEFT_OVER)
        if vectors:
            field = self.mapped[declaration.vector]
            has_unit_length = is_own_work and declaration.normalize and field.data_type == "float"
            problems |= vector_problems(vectors, VectorRules(field.dimensions, has_unit_length))
        is_repairable = has_source or problems == {Problem.LEFT_OVER}
        return [Finding(declaration.vector, problem, is_repairable) for problem in sorted(problems)]


def stored_vectors(document: StoredDocument, declaration: Declaration) -> list[Any]:
    """The document's vectors at the declared path, decoded; none where it is null or empty."""
    nodes = values_at(document.source, "", {declaration.vector})
    found = (decoded(node.text(document.data)) for node in nodes)
    return [vector for vector in found if vector not in (None, [])]
