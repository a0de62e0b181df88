"""Reads the vectors of an index, to be kept for later evaluations."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from sidecar.evaluation.groups import in_groups
from sidecar.opensearch.bulk_actions import FieldEmbedding
from sidecar.opensearch.client import Cluster
from sidecar.opensearch.embedded_paths import nested_path
from sidecar.opensearch.index_state import IndexState
from sidecar.opensearch.request_text import SourceFilter
from sidecar.opensearch.stored_chunks import as_stored, readable_chunks, stored_chunks

_DOCUMENTS_AT_ONCE = 200


def read_embeddings(
    cluster: Cluster, state: IndexState, field: str, wanted: Mapping[str, str], *, has_hashes: bool
) -> dict[str, FieldEmbedding]:
    """The embeddings of the field in the documents of these ids, by the digests that ``wanted`` leads to.

    Documents whose vectors can't be read back (see `readable_chunks`) are left out. ``has_hashes``: a content hash goes
    with each, by which the sidecar knows its embedding again.
    """
    most = readable_chunks(state)
    patterns = SourceFilter(includes=(f"{nested_path(field)}.*",))
    found: dict[str, FieldEmbedding] = {}
    for ids in in_groups(wanted, _DOCUMENTS_AT_ONCE):
        sources = cluster.read_documents(state.name, ids, fields=patterns)
        for document_id, source in zip(ids, sources, strict=True):
            chunks = stored_chunks(source or {}, field)
            if chunks and (most is None or len(chunks) <= most):
                vectors = as_stored([chunk["vector"] for chunk in chunks]).astype(np.float32)
                spans = [(chunk["start"], chunk["end"]) for chunk in chunks]
                content_hash = chunks[0].get("hash") if has_hashes else None
                found[wanted[document_id]] = FieldEmbedding(vectors, spans, content_hash)
    return found
