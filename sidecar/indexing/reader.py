"""Reads documents as they were sent, and the embeddings of their fields where they are asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sidecar.errors import DocumentNotFound, InvalidArgument
from sidecar.indexing.requests import Document
from sidecar.opensearch.client import Cluster
from sidecar.opensearch.embedded_paths import EXCLUDED_FROM_SOURCE, ROOT
from sidecar.opensearch.index_state import IndexState
from sidecar.opensearch.index_states import IndexStates
from sidecar.opensearch.request_text import SourceFilter
from sidecar.opensearch.stored_chunks import chunk_content, count_chunks, readable_chunks, stored_chunks

_WITHOUT_EMBEDDINGS = SourceFilter(excludes=(EXCLUDED_FROM_SOURCE,))
_WHOLE = SourceFilter()


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How documents are read: ``with_facets``, also their chunks, as ``_tensor_facets``; ``routing`` names the shard
    where it is not their ids that do."""

    with_facets: bool = False
    routing: str | None = None


class DocumentReader:
    """Reads in real time: a document is there once its add request was answered, refresh or not."""

    def __init__(self, cluster: Cluster, states: IndexStates) -> None:
        self._cluster = cluster
        self._states = states

    def get(self, index: str, document_id: str, options: ReadOptions = ReadOptions()) -> Document:
        """One document, with its ``_id``. Raises: IndexNotFound, DocumentNotFound; InvalidArgument for facets that the
        cluster can't give."""
        state = self._states.get(index)
        source = self._cluster.read_document(index, document_id, fields=_fields(options), routing=options.routing)
        if source is None:
            raise document_not_found(index, document_id)
        return _document(source, document_id, state, options)

    def get_many(
        self, index: str, document_ids: Sequence[str], options: ReadOptions = ReadOptions()
    ) -> list[Document | None]:
        """Documents in the order of the ids; None for an id that is not there. Raises: IndexNotFound, InvalidArgument
        as `get`."""
        state = self._states.get(index)
        sources = self._cluster.read_documents(index, document_ids, fields=_fields(options), routing=options.routing)
        return [
            None if source is None else _document(source, document_id, state, options)
            for document_id, source in zip(document_ids, sources, strict=True)
        ]


def document_not_found(index: str, document_id: str) -> DocumentNotFound:
    """There is no such document; its one message."""
    return DocumentNotFound(f"index {index!r} has no document with _id {document_id!r}")


def _fields(options: ReadOptions) -> SourceFilter:
    return _WHOLE if options.with_facets else _WITHOUT_EMBEDDINGS


def _document(source: Mapping[str, Any], document_id: str, state: IndexState, options: ReadOptions) -> Document:
    document = {name: value for name, value in source.items() if name != ROOT} | {"_id": document_id}
    if options.with_facets:
        most = readable_chunks(state)
        if most is not None and count_chunks(source) > most:
            raise InvalidArgument(
                f"the embeddings of document {document_id!r} can't be shown: index {state.name!r} does not store its "
                f"vectors as they are, and the cluster gives wrong ones for more than {most} chunks"
            )
        document["_tensor_facets"] = _facets(source)
    return document


def _facets(source: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The document's chunks, those of a field together, fields in the document's order."""
    facets = []
    for field, value in source.items():
        if field == ROOT:
            continue
        for chunk in stored_chunks(source, field):
            content = chunk_content(value, (chunk["start"], chunk["end"]), chunk.get("content"))
            facets.append({field: content or "", "_embedding": chunk["vector"]})
    return facets
