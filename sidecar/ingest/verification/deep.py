"""Computes the vectors of documents anew, as a write would, and compares them with those that are stored."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from sidecar.embedding.model_table import first_prefix
from sidecar.errors import SidecarError
from sidecar.ingest.exporting.selection import Selection, object_text
from sidecar.ingest.lacking import place_of
from sidecar.ingest.stored_documents import StoredDocument
from sidecar.ingest.verification.declared import stored_vectors
from sidecar.ingest.verification.embeddings import chunks_of, value_of
from sidecar.ingest.verification.index_check import IndexCheck
from sidecar.ingest.verification.problems import Finding, Problem
from sidecar.native.declarations.declaration import Declaration, Existing
from sidecar.native.declarations.stored import is_of_other_face
from sidecar.native.embedder import NativeEmbedder
from sidecar.native.json.edits import apply
from sidecar.native.json.spans import read_object
from sidecar.native.writes.declared import DocumentModel, declared_step
from sidecar.native.writes.document import Document
from sidecar.native.writes.inputs import RequestInputs
from sidecar.native.writes.other_face import chunked_fields
from sidecar.native.writes.steps import WriteStep
from sidecar.opensearch.embedded_paths import ROOT

LEAST_COSINE = 0.999
"""Between a stored vector and one made anew. float32 sums in another order, on another device or in another batch, stay
above 0.99999; the int8 form of a small model below it by some hundredths."""


@dataclass(frozen=True)
class DeepCheck:
    """Checks documents of one index. Vectors that only a pipeline declares are left out: they are the processors'."""

    check: IndexCheck
    steps: Sequence[WriteStep]
    declarations: tuple[Declaration, ...]
    _dropped: frozenset[str] = field(default_factory=frozenset)

    @classmethod
    def of(cls, check: IndexCheck, embedder: NativeEmbedder) -> DeepCheck:
        """Raises: UnknownModel, and what loading a model raises."""
        facts = check.facts
        steps: list[WriteStep] = []
        if check.embeddings is not None:
            steps += chunked_fields(facts, check.embeddings.state, embedder.document_parts())
        chosen = () if check.declared is None else check.declared.target.chosen
        declarations = tuple(one for one in facts.declarations if one in chosen and not is_of_other_face(one.vector))
        for one in declarations:
            spec = embedder.spec(one.model)
            is_byte = facts.vector_fields[one.vector].data_type == "byte"
            steps.append(declared_step(one, DocumentModel(spec, first_prefix(spec.text_chunk_prefix), is_byte)))
        return cls(check, steps, declarations, frozenset({ROOT, *map(place_of, declarations)}))

    def findings(
        self, documents: Sequence[StoredDocument], inputs: RequestInputs
    ) -> Iterator[tuple[StoredDocument, list[Finding] | SidecarError]]:
        """Each document with what is different, or with why its vectors can't be computed.

        Raises: what a model raises on text.
        """
        taken: list[tuple[StoredDocument, Document | SidecarError]] = []
        for stored in documents:
            try:
                taken.append((stored, self._planned(stored, inputs)))
            except SidecarError as error:
                taken.append((stored, error))
        inputs.embed()
        for stored, planned in taken:
            if not isinstance(planned, Document):
                yield stored, planned
                continue
            try:
                anew = _as_stored(stored, apply(planned.data, planned.edits()))
            except SidecarError as error:
                yield stored, error
            else:
                yield stored, list(self._differences(stored, anew))

    def _planned(self, stored: StoredDocument, inputs: RequestInputs) -> Document:
        """The document without its vectors, with those that are to be made."""
        members = Selection(dropped=self._dropped).members(stored.source, stored.data)
        bare = _as_stored(stored, object_text(members))
        document = Document(bare.data, bare.source, stored.document_id)
        for step in self.steps:
            step.apply(document, inputs)
        return document

    def _differences(self, stored: StoredDocument, anew: StoredDocument) -> Iterator[Finding]:
        if self.check.embeddings is not None:
            for name in self.check.embeddings.fields:
                was, now = chunks_of(stored, name), chunks_of(anew, name)
                # Without a hash they may be a client's own.
                is_made = bool(was) and was[0].get("hash") is not None and isinstance(value_of(stored, name), str)
                if is_made and are_different([chunk.get("vector") for chunk in was], [one["vector"] for one in now]):
                    yield Finding(name, Problem.DIFFERENT, True)
        for declaration in self.declarations:
            vectors = stored_vectors(stored, declaration)
            if vectors and are_different(vectors, stored_vectors(anew, declaration)):
                # A client may have sent a vector of its own, where those are kept.
                yield Finding(declaration.vector, Problem.DIFFERENT, declaration.existing is Existing.REPLACE)


def are_different(stored: Sequence[Any], anew: Sequence[Any]) -> bool:
    """True where there are more or fewer vectors, or one points elsewhere than the one that is made anew."""
    if [_size(vector) for vector in stored] != [_size(vector) for vector in anew]:
        return True
    try:
        one, other = np.array(stored, dtype=np.float64), np.array(anew, dtype=np.float64)
    except (TypeError, ValueError):
        return True
    lengths = np.linalg.norm(one, axis=-1) * np.linalg.norm(other, axis=-1)
    dots = np.sum(one * other, axis=-1)
    return bool(np.any(~(dots >= LEAST_COSINE * lengths) | (lengths == 0)))


def _size(vector: Any) -> int:
    return len(vector) if isinstance(vector, list) else -1


def _as_stored(stored: StoredDocument, text: bytes) -> StoredDocument:
    """The text as a version of the document."""
    source = read_object(text)
    assert source is not None
    return StoredDocument(stored.document_id, stored.routing, stored.seq_no, stored.primary_term, source, text)
