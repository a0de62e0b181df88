"""The embedded fields of the ``/indexes`` API: what is wrong with a document's chunks, and what mends it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from sidecar.indexing.content import ContentRules
from sidecar.ingest.stored_documents import StoredDocument, decoded
from sidecar.ingest.verification.problems import Finding, Problem, VectorRules, vector_problems
from sidecar.native.json.additions import member_text
from sidecar.native.json.spans import Object
from sidecar.opensearch.embedded_paths import ROOT, embedded_key, nested_path
from sidecar.opensearch.index_state import IndexState
from sidecar.opensearch.mapping_builder import COMBINATION, CUSTOM_VECTOR
from sidecar.opensearch.stored_chunks import CHUNK_COUNTS, MAX_READABLE_CHUNKS

Chunks = Sequence[dict[str, Any]]


@dataclass(frozen=True)
class EmbeddingsCheck:
    """Checks ``fields`` of one index. ``rules`` gives those of a field that a model embeds; the mapping has no room for
    the vectors of ``misfits``."""

    state: IndexState
    fields: tuple[str, ...]
    rules: Callable[[str], ContentRules]
    misfits: frozenset[str] = frozenset()

    @property
    def patterns(self) -> list[str]:
        """What must be read of a document: the fields, and all their chunks."""
        own = [path for field in self.fields for path in (field, f"{field}.*")]
        # Derived source puts vectors together only where a pattern is of the vector's own path.
        chunks = [path for field in self.fields for path in (nested_path(field), f"{nested_path(field)}.*")]
        return [*own, *chunks, CHUNK_COUNTS]

    def findings(self, document: StoredDocument) -> list[Finding]:
        """What is wrong with the document."""
        found = []
        is_readable = self._is_readable(document)
        if not is_readable:
            found.append(Finding(ROOT, Problem.UNREADABLE))
        for field in self.fields:
            value, chunks = value_of(document, field), chunks_of(document, field)
            problems = self._problems(field, value, chunks, is_readable=is_readable)
            is_repairable = is_readable and field not in self.misfits and self._is_repairable(field, value, chunks)
            found += [Finding(field, problem, is_repairable) for problem in sorted(problems)]
        return found

    def members(self, document: StoredDocument, fields: Collection[str], *, sent: Collection[str] = ()) -> list[bytes]:
        """The members of an update by which the native face embeds these fields anew, and takes away what is left over:
        null is what it computes, and an empty list what it leaves. Fields that are ``sent`` already are left out."""
        members, chunks = [], []
        for field in fields:
            value = document.source.get(field)
            if value is None or not isinstance(value_of(document, field), str):
                chunks.append(member_text(embedded_key(field), b"[]"))
                continue
            chunks.append(member_text(embedded_key(field), b"null"))
            if field not in sent:
                members.append(member_text(field, value.text(document.data)))
        return [*members, member_text(ROOT, b"{%b}" % b",".join(chunks))] if chunks else []

    def _problems(self, field: str, value: Any, chunks: Chunks, *, is_readable: bool) -> set[Problem]:
        is_content = isinstance(value, str) or (isinstance(value, dict) and self.state.kind_of(field) == COMBINATION)
        if not chunks:
            return {Problem.MISSING} if is_content else set()
        if not is_content:
            return {Problem.LEFT_OVER}
        content_hash = chunks[0].get("hash")
        found = set()
        if is_readable:
            vectors = [chunk.get("vector") for chunk in chunks]
            found |= vector_problems(vectors, self._vector_rules(field, has_hash=content_hash is not None))
        if isinstance(value, str):
            found |= {Problem.SPAN for chunk in chunks if not _is_inside(chunk, value)}
        if content_hash is None and self.state.kind_of(field) != CUSTOM_VECTOR:
            found.add(Problem.UNKNOWN_ORIGIN)
        elif content_hash is not None and isinstance(value, str) and content_hash != self._hash(field, value):
            found.add(Problem.STALE)
        return found

    def _vector_rules(self, field: str, *, has_hash: bool) -> VectorRules:
        settings = self.state.settings
        is_float = settings.ann_parameters.data_type == "float"
        # Vectors that a client brought stay as they are.
        return VectorRules(self.state.dimensions_of(field), settings.normalize_embeddings and is_float and has_hash)

    def _hash(self, field: str, text: str) -> str:
        rules = self.rules(field)
        return rules.media_hash(text) if rules.is_media(text) else rules.content_hash(text)

    def _is_repairable(self, field: str, value: Any, chunks: Chunks) -> bool:
        """What a model makes of a text, or a pointer to an image, it makes again. Of combinations the weights are kept
        nowhere, and vectors without a hash may be a client's own."""
        if not isinstance(value, (str, dict)):
            return True  # only taken away
        is_own = self.state.kind_of(field) in {COMBINATION, CUSTOM_VECTOR} and not _has_hash(chunks)
        return isinstance(value, str) and not is_own and (not chunks or _has_hash(chunks))

    def _is_readable(self, document: StoredDocument) -> bool:
        if self.state.stores_vectors:
            return True
        root = document.source.get(ROOT)
        members = root.items() if isinstance(root, Object) else ()
        return sum(len(_listed(orjson.loads(node.text(document.data)))) for _, node in members) <= MAX_READABLE_CHUNKS


def value_of(document: StoredDocument, field: str) -> Any:
    """The field's value, decoded; None where there is none."""
    node = document.source.get(field)
    return None if node is None else node.value(document.data)


def chunks_of(document: StoredDocument, field: str) -> Chunks:
    """The field's chunks, decoded, in order."""
    root = document.source.get(ROOT)
    node = root.get(embedded_key(field)) if isinstance(root, Object) else None
    if node is None:
        return []
    return [chunk for chunk in _listed(decoded(node.text(document.data))) if isinstance(chunk, dict)]


def _listed(found: Any) -> list[Any]:
    if found is None:
        return []
    return found if isinstance(found, list) else [found]


def _has_hash(chunks: Chunks) -> bool:
    return bool(chunks) and chunks[0].get("hash") is not None


def _is_inside(chunk: dict[str, Any], text: str) -> bool:
    start, end = chunk.get("start"), chunk.get("end")
    if not isinstance(start, int) or not isinstance(end, int):
        return False
    return 0 <= start <= end <= len(text) and (start < end or not text)
