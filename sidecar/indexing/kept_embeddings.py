"""Finds the embeddings of fields that a re-sent document has not changed, so that no model runs for them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sidecar.opensearch.bulk_actions import FieldEmbedding
from sidecar.opensearch.client import Cluster
from sidecar.opensearch.embedded_paths import ROOT, nested_path
from sidecar.opensearch.request_text import SourceFilter
from sidecar.opensearch.stored_chunks import CHUNK_COUNTS, MAX_READABLE_CHUNKS, as_stored, count_chunks, stored_chunks

ContentHashes = Mapping[str, str]
"""field -> content hash of a document about to be written"""

CHUNKS_AT_ONCE = 2000
"""Vectors are read for so many chunks at a time: as JSON and Python's numbers they take ten times an array's memory."""

_FACTS = SourceFilter(includes=(f"{ROOT}.*.hash", CHUNK_COUNTS))


def find_kept_embeddings(
    cluster: Cluster,
    index: str,
    wanted: Mapping[str, ContentHashes],
    *,
    max_chunks: int | None = MAX_READABLE_CHUNKS,
    routing: str | None = None,
) -> dict[str, dict[str, FieldEmbedding]]:
    """The stored embeddings that are still right: document id -> field -> embedding.

    Reads are real-time. Most documents are new, so the hashes are read first, and vectors only where one is equal.
    Documents with more than ``max_chunks`` (see `readable_chunks`) are left out, to be embedded anew.
    """
    ids = list(wanted)
    stored = cluster.read_documents(index, ids, fields=_FACTS, routing=routing)
    unchanged: dict[str, list[str]] = {}
    chunks: dict[str, int] = {}
    for document_id, source in zip(ids, stored, strict=True):
        fields = _equal_fields(source or {}, wanted[document_id])
        count = count_chunks(source or {})
        if fields and (max_chunks is None or count <= max_chunks):
            unchanged[document_id] = fields
            chunks[document_id] = count
    found: dict[str, dict[str, FieldEmbedding]] = {}
    for group in _groups(chunks):
        paths = {nested_path(field) for document_id in group for field in unchanged[document_id]}
        vectors = SourceFilter(includes=tuple(f"{path}.*" for path in sorted(paths)))
        sources = cluster.read_documents(index, group, fields=vectors, routing=routing)
        for document_id, source in zip(group, sources, strict=True):
            if source and (max_chunks is None or count_chunks(source) <= max_chunks):
                found[document_id] = _embeddings(source, unchanged[document_id], wanted[document_id])
    return found


def _groups(chunks: Mapping[str, int]) -> Iterator[list[str]]:
    group: list[str] = []
    size = 0
    for document_id, count in chunks.items():
        if group and size + count > CHUNKS_AT_ONCE:
            yield group
            group, size = [], 0
        group.append(document_id)
        size += count
    if group:
        yield group


def _equal_fields(source: Mapping[str, Any], hashes: ContentHashes) -> list[str]:
    return [field for field, wanted in hashes.items() if _stored_hash(stored_chunks(source, field)) == wanted]


def _embeddings(source: Mapping[str, Any], fields: Sequence[str], hashes: ContentHashes) -> dict[str, FieldEmbedding]:
    result = {}
    for field in fields:
        chunks = stored_chunks(source, field)
        # The document may have changed between the two reads; then it is embedded.
        if _stored_hash(chunks) == hashes[field]:
            vectors = as_stored([chunk["vector"] for chunk in chunks])
            spans = [(chunk["start"], chunk["end"]) for chunk in chunks]
            contents = [chunk.get("content") for chunk in chunks]
            result[field] = FieldEmbedding(vectors, spans, hashes[field], contents if any(contents) else None)
    return result


def _stored_hash(chunks: Sequence[Mapping[str, Any]]) -> str | None:
    return chunks[0].get("hash") if chunks else None
