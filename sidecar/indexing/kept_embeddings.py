"""Finds the embeddings of fields that a re-sent document has not changed, so that no model runs for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sidecar.opensearch.bulk_actions import FieldEmbedding
from sidecar.opensearch.client import Cluster, SourceFilter
from sidecar.opensearch.embedded_paths import ROOT, embedded_key, nested_path

ContentHashes = Mapping[str, str]
"""field -> content hash of a document about to be written"""


def find_kept_embeddings(
    cluster: Cluster, index: str, wanted: Mapping[str, ContentHashes]
) -> dict[str, dict[str, FieldEmbedding]]:
    """The stored embeddings that are still right: document id -> field -> embedding.

    Reads are real-time. Most documents are new, so the hashes are read first, and vectors only where one is equal.
    """
    ids = list(wanted)
    hashes = SourceFilter(includes=(f"{ROOT}.*.hash",))
    stored = cluster.read_documents(index, ids, fields=hashes)
    unchanged = {
        document_id: fields
        for document_id, source in zip(ids, stored, strict=True)
        if source and (fields := _equal_fields(source, wanted[document_id]))
    }
    if not unchanged:
        return {}
    paths = {nested_path(field) for fields in unchanged.values() for field in fields}
    full = cluster.read_documents(
        index, list(unchanged), fields=SourceFilter(includes=tuple(f"{p}.*" for p in sorted(paths)))
    )
    return {
        document_id: _embeddings(source, unchanged[document_id], wanted[document_id])
        for document_id, source in zip(unchanged, full, strict=True)
        if source
    }


def _equal_fields(source: Mapping[str, Any], hashes: ContentHashes) -> list[str]:
    stored = source.get(ROOT, {})
    return [field for field, wanted in hashes.items() if _stored_hash(_chunks(stored, field)) == wanted]


def _embeddings(source: Mapping[str, Any], fields: Sequence[str], hashes: ContentHashes) -> dict[str, FieldEmbedding]:
    result = {}
    for field in fields:
        chunks = _chunks(source.get(ROOT, {}), field)
        # The document may have changed between the two reads; then it is embedded.
        if _stored_hash(chunks) == hashes[field]:
            vectors = np.array([chunk["vector"] for chunk in chunks], dtype=np.float32)
            spans = [(chunk["start"], chunk["end"]) for chunk in chunks]
            result[field] = FieldEmbedding(vectors, spans, hashes[field])
    return result


def _chunks(stored: Mapping[str, Any], field: str) -> list[Mapping[str, Any]]:
    chunks = stored.get(embedded_key(field), [])
    return chunks if isinstance(chunks, list) else [chunks]


def _stored_hash(chunks: Sequence[Mapping[str, Any]]) -> str | None:
    return chunks[0].get("hash") if chunks else None
