"""Reads documents as they were sent."""

from __future__ import annotations

from collections.abc import Sequence

from sidecar.errors import DocumentNotFound
from sidecar.indexing.requests import Document
from sidecar.opensearch.client import Cluster, SourceFilter
from sidecar.opensearch.embedded_paths import EXCLUDED_FROM_SOURCE
from sidecar.opensearch.index_states import IndexStates

_FIELDS = SourceFilter(excludes=(EXCLUDED_FROM_SOURCE,))


class DocumentReader:
    """Reads in real time: a document is there once its add request was answered, refresh or not."""

    def __init__(self, cluster: Cluster, states: IndexStates) -> None:
        self._cluster = cluster
        self._states = states

    def get(self, index: str, document_id: str) -> Document:
        """One document, with its ``_id``. Raises: IndexNotFound, DocumentNotFound."""
        self._states.get(index)
        source = self._cluster.read_document(index, document_id, fields=_FIELDS)
        if source is None:
            raise DocumentNotFound(f"index {index!r} has no document with _id {document_id!r}")
        return source | {"_id": document_id}

    def get_many(self, index: str, document_ids: Sequence[str]) -> list[Document | None]:
        """Documents in the order of the ids; None for an id that is not there. Raises: IndexNotFound."""
        self._states.get(index)
        sources = self._cluster.read_documents(index, document_ids, fields=_FIELDS)
        return [
            None if source is None else source | {"_id": document_id}
            for document_id, source in zip(document_ids, sources, strict=True)
        ]
