"""Answers searches: query to query vector to OpenSearch query to hits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sidecar.embedding.engine import EmbeddingEngine
from sidecar.embedding.media_embedder import MediaEmbedder
from sidecar.embedding.model_table import ModelTable
from sidecar.errors import InvalidArgument, OpenSearchError
from sidecar.opensearch.client import Cluster
from sidecar.opensearch.index_state import IndexState
from sidecar.opensearch.index_states import IndexStates
from sidecar.searching.filters import build_filter
from sidecar.searching.hits import lexical_hit, source_filter, tensor_hit
from sidecar.searching.lexical import build_lexical_query
from sidecar.searching.query_vectors import QueryVectors, is_zero
from sidecar.searching.request import SearchMethod, SearchRequest
from sidecar.searching.tensor import TensorQuery, build_exact_query, build_tensor_query, candidates

_QUERY_REFUSED = {"query_shard_exception", "search_phase_execution_exception", "too_complex_to_determinize_exception"}


class Searcher:
    """Searches indexes; safe to use from any thread."""

    def __init__(
        self,
        *,
        cluster: Cluster,
        states: IndexStates,
        engine: EmbeddingEngine,
        media: MediaEmbedder,
        table: ModelTable,
    ) -> None:
        self._cluster = cluster
        self._states = states
        self._query_vectors = QueryVectors(engine=engine, media=media, table=table)

    def search(self, index: str, request: SearchRequest) -> list[dict[str, Any]]:
        """The hits of one search as the wire has them, best first, with one request to the cluster.

        Raises: IndexNotFound, InvalidArgument for a bad filter or query, MediaError for an image that can't be had,
        ModelLoadError and its like, and what the cluster's calls raise.
        """
        state = self._states.get(index)
        if request.method is SearchMethod.LEXICAL:
            return self._lexical(state, request)
        return self._tensor(state, request)

    def _lexical(self, state: IndexState, request: SearchRequest) -> list[dict[str, Any]]:
        if not isinstance(request.q, str):
            raise InvalidArgument("'q' must be a string for a search by words (LEXICAL).")
        query = build_lexical_query(request.q, _text_fields(state, request), _filter(state, request))
        hits = self._hits(state, request, query, source_filter(request, ()))
        return [lexical_hit(hit, request) for hit in hits]

    def _tensor(self, state: IndexState, request: SearchRequest) -> list[dict[str, Any]]:
        vectors = self._query_vectors.of_fields(state, request, _embedded_fields(state, request))
        filter_query = _filter(state, request)
        # What has no direction has no neighbours.
        vectors = {field: vector for field, vector in vectors.items() if not is_zero(vector)}
        if not vectors:
            return []
        fields = list(vectors)
        query = TensorQuery(
            vectors,
            candidates(request.limit, request.offset),
            filter_query,
            with_highlights=request.show_highlights,
        )
        source = source_filter(request, fields if request.show_highlights else ())
        hits = self._hits(state, request, build_tensor_query(query), source)
        if len(hits) < request.limit and query.filter_query is not None:
            # A filtered k-NN query may end with fewer documents than there are. A short page has few candidates, so
            # that comparing all of them costs little.
            exact = build_exact_query(query, state.settings.ann_parameters.space_type)
            hits = self._hits(state, request, exact, source)
        return [tensor_hit(hit, fields, request) for hit in hits]

    def _hits(
        self, state: IndexState, request: SearchRequest, query: dict[str, Any], source: dict[str, Any] | bool
    ) -> list[dict[str, Any]]:
        body = {
            "query": query,
            "size": request.limit,
            "from": request.offset,
            "_source": source,
            "track_total_hits": False,
        }
        try:
            answer = self._cluster.search(state.name, body)
        except OpenSearchError as error:
            if request.filter and error.upstream_status == 400 and error.upstream_type in _QUERY_REFUSED:
                raise InvalidArgument(
                    f"the filter {request.filter!r} can't be searched with: {error.message}"
                ) from error
            raise
        hits: list[dict[str, Any]] = answer["hits"]["hits"]
        return hits


def _filter(state: IndexState, request: SearchRequest) -> dict[str, Any] | None:
    return None if request.filter is None else build_filter(request.filter, state.field_types)


def _embedded_fields(state: IndexState, request: SearchRequest) -> Sequence[str]:
    if request.searchable_attributes is None:
        return state.embedded_fields
    return [field for field in state.embedded_fields if field in request.searchable_attributes]


def _text_fields(state: IndexState, request: SearchRequest) -> Sequence[str]:
    fields = [field for field, kind in state.field_types.items() if kind == "text"]
    wanted = request.searchable_attributes
    return fields if wanted is None else [field for field in fields if field in wanted]
