"""Finds documents like others, by the vectors that are stored with these: no model runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson

from sidecar.embedding.byte_vectors import as_bytes
from sidecar.embedding.loader import Embeddings
from sidecar.embedding.normalizing import normalized
from sidecar.errors import DocumentNotFound, InvalidArgument
from sidecar.opensearch.client import Cluster
from sidecar.opensearch.embedded_paths import vector_path
from sidecar.opensearch.index_state import IndexState
from sidecar.opensearch.index_states import IndexStates
from sidecar.opensearch.request_text import SourceFilter
from sidecar.opensearch.stored_chunks import CHUNK_COUNTS, as_stored, count_chunks, readable_chunks, stored_chunks
from sidecar.searching.mixture import mix
from sidecar.searching.request import SearchRequest
from sidecar.searching.search_plan import SearchResult
from sidecar.searching.searcher import Searcher

_NAMED = 10
"""Ids and fields in a message; of more, their number is told."""

_Source = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RecommendRequest:
    """Hits are to be like the documents of ``weights``, which maps ids to weights; a negative one leads away.

    The vectors of ``fields`` count, None for those of all embedded fields. ``search`` says all about the hits; its
    ``searchable_attributes`` are the fields whose vectors are compared.
    """

    weights: Mapping[str, float]
    search: SearchRequest
    fields: tuple[str, ...] | None = None
    excludes_input: bool = True


class Recommender:
    """Recommends documents; safe to use from any thread."""

    def __init__(self, *, cluster: Cluster, states: IndexStates, searcher: Searcher) -> None:
        self._cluster = cluster
        self._states = states
        self._searcher = searcher

    def recommend(self, index: str, request: RecommendRequest) -> SearchResult:
        """The hits as the wire has them, best first, with one read of the documents and one search.

        Documents are read as they are now, refresh or not.
        Raises: IndexNotFound; DocumentNotFound for ids that are not there; InvalidArgument for documents without
        vectors in these fields, for fields that are not embedded, and what `Searcher.search` raises.
        """
        return self._states.use([index], lambda states: self._recommend(states[0], request))

    def _recommend(self, state: IndexState, request: RecommendRequest) -> SearchResult:
        fields = _chosen(state, request.fields)
        sources = self._read(state, list(request.weights), fields)
        vectors = _query_vectors(state, request, _document_vectors(state, fields, sources))
        excluded = list(request.weights) if request.excludes_input else []
        return self._searcher.search_vectors(state, request.search, vectors, excluded=excluded)

    def _read(self, state: IndexState, ids: Sequence[str], fields: Sequence[str]) -> dict[str, _Source]:
        """The documents with the vectors of these fields, by their ids."""
        patterns = (CHUNK_COUNTS, *map(vector_path, fields))
        found = zip(ids, self._cluster.read_documents(state.name, ids, fields=SourceFilter(patterns)), strict=True)
        sources: dict[str, _Source] = {document_id: source for document_id, source in found if source is not None}
        unknown = [document_id for document_id in ids if document_id not in sources]
        if unknown:
            raise DocumentNotFound(f"index {state.index!r} has no document with _id {_listed(unknown)}")
        most = readable_chunks(state)
        long = [] if most is None else [one for one, source in sources.items() if count_chunks(source) > most]
        if long:
            raise InvalidArgument(
                f"documents: the vectors of {_listed(long)} can't be read back: this index derives them anew, wrongly "
                f"where a document has more than {most} chunks. Make the index anew, so that it stores vectors."
            )
        return sources


def _chosen(state: IndexState, fields: Sequence[str] | None) -> Sequence[str]:
    unknown = [field for field in fields or () if field not in state.embedded_fields]
    if unknown:
        raise InvalidArgument(
            f"tensorFields: {_listed(unknown)} is not embedded in index {state.index!r}; embedded is: "
            f"{_listed(state.embedded_fields) or 'nothing'}."
        )
    return state.embedded_fields if fields is None else fields


def _document_vectors(
    state: IndexState, fields: Sequence[str], sources: Mapping[str, _Source]
) -> dict[bytes, dict[str, Embeddings]]:
    """For each model the vectors of the documents that have any of its own: the mean over its fields of the mean over
    a field's chunks, so that a title counts as much as a long text. float32, shape (dimensions,)."""
    found: dict[bytes, dict[str, Embeddings]] = {}
    without = []
    for document_id, source in sources.items():
        means: dict[bytes, list[Embeddings]] = {}
        for field in fields:
            chunks = stored_chunks(source, field)
            if chunks:
                means.setdefault(_model(state, field), []).append(_mean(state, [chunk["vector"] for chunk in chunks]))
        for model, of_fields in means.items():
            found.setdefault(model, {})[document_id] = np.mean(of_fields, axis=0)
        if not means:
            without.append(document_id)
    if without:
        raise InvalidArgument(
            f"documents: there are no vectors of {_listed(without)} in {_listed(fields) or 'any field'}. Leave out "
            "what has none, or choose other 'tensorFields'."
        )
    return found


def _mean(state: IndexState, numbers: Sequence[Sequence[float]]) -> Embeddings:
    vectors = np.asarray(as_stored(numbers), dtype=np.float32)
    # Bytes have kept the direction only, each vector with a scale of its own.
    comparable = normalized(vectors) if state.settings.ann_parameters.stores_bytes else vectors
    return np.asarray(comparable.mean(axis=0, dtype=np.float64), dtype=np.float32)


def _query_vectors(
    state: IndexState, request: RecommendRequest, vectors: Mapping[bytes, Mapping[str, Embeddings]]
) -> dict[str, Embeddings]:
    """For each searched field whose model has vectors of documents their weighted mean."""
    settings = state.settings
    wanted = request.search.searchable_attributes
    searched = [field for field in state.embedded_fields if wanted is None or field in wanted]
    mixed: dict[bytes, Embeddings] = {}
    for model, of_documents in vectors.items():
        weights = [request.weights[document_id] for document_id in of_documents]
        vector = mix(list(of_documents.values()), weights, normalize=settings.normalize_embeddings)
        mixed[model] = as_bytes(vector) if settings.ann_parameters.stores_bytes else vector
    models = {field: _model(state, field) for field in searched}
    return {field: mixed[model] for field, model in models.items() if model in mixed}


def _model(state: IndexState, field: str) -> bytes:
    """What two fields have in common that the same model embeds."""
    return orjson.dumps(state.settings.model_of(field).to_wire(), option=orjson.OPT_SORT_KEYS)


def _listed(names: Sequence[str]) -> str:
    listed = ", ".join(map(repr, names[:_NAMED]))
    return f"{listed} and {len(names) - _NAMED} more" if len(names) > _NAMED else listed
