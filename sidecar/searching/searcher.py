"""Answers searches: query to query vector to OpenSearch query to hits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

from sidecar.embedding.engine import EmbeddingEngine
from sidecar.embedding.loader import Embeddings
from sidecar.embedding.media_embedder import MediaEmbedder
from sidecar.embedding.model_table import ModelTable
from sidecar.errors import InvalidArgument, OpenSearchError
from sidecar.opensearch.client import Cluster
from sidecar.opensearch.index_state import IndexState
from sidecar.opensearch.index_states import IndexStates
from sidecar.opensearch.points_in_time import EXPIRED, shown
from sidecar.searching.any_filter import filter_query
from sidecar.searching.filter_values import Query
from sidecar.searching.hybrid_search import plan_hybrid
from sidecar.searching.lexical_search import plan_lexical
from sidecar.searching.query_vectors import QueryVectors, VectorSearch
from sidecar.searching.request import Ranking, Retrieval, SearchMethod, SearchRequest
from sidecar.searching.reranking import Reranker, with_fields_to_read
from sidecar.searching.search_plan import Answer, AskedSearch, SearchPlan, SearchResult
from sidecar.searching.stages import Stages
from sidecar.searching.tensor_search import plan_tensor

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
        reranker: Reranker,
    ) -> None:
        self._cluster = cluster
        self._states = states
        self._reranker = reranker
        self._query_vectors = QueryVectors(engine=engine, media=media, table=table)

    def search(self, index: str, request: SearchRequest) -> SearchResult:
        """The hits of one search as the wire has them, best first, with one request to the cluster.

        Raises: IndexNotFound, InvalidArgument for a bad filter or query, MediaError for an image that can't be had,
        ModelLoadError and its like, BadRequest where the hits can't be re-ranked, and what the cluster's calls raise.
        """
        stages = Stages.of_one(request.method)
        results = self._search([(index, request)], stages)
        return results[0] if request.reranker is None else self._reranked([request], results, stages)[0]

    def search_many(self, searches: Sequence[tuple[str, SearchRequest]]) -> list[SearchResult]:
        """As `search`, several in one request to the cluster, in order; their queries are embedded together.

        Raises what the first that fails raises; none is answered then.
        """
        stages = Stages.of_many()
        return self._reranked([request for _, request in searches], self._search(searches, stages), stages)

    def search_vectors(
        self,
        state: IndexState,
        request: SearchRequest,
        vectors: Mapping[str, Embeddings],
        *,
        excluded: Sequence[str] = (),
    ) -> SearchResult:
        """The documents nearest to a vector of each field, float32 of shape (dimensions,), without those of the ids
        ``excluded``."""
        asked = self._asked(state, request)
        if excluded:
            others: Query = {"bool": {"must_not": [{"ids": {"values": list(excluded)}}]}}
            both = others if asked.filter_query is None else {"bool": {"filter": [asked.filter_query, others]}}
            asked = replace(asked, filter_query=both)
        return self._answer([plan_tensor(asked, vectors)], Stages.of_one(SearchMethod.TENSOR))[0]

    def _search(self, searches: Sequence[tuple[str, SearchRequest]], stages: Stages) -> list[SearchResult]:
        requests = [request for _, request in searches]
        return self._states.use([index for index, _ in searches], partial(self._search_in, requests, stages))

    def _search_in(
        self, requests: Sequence[SearchRequest], stages: Stages, states: Sequence[IndexState]
    ) -> list[SearchResult]:
        found = list(zip(states, map(with_fields_to_read, requests), strict=True))
        with stages.inference():
            wanted = [VectorSearch(state, request, _embedded_fields(state, request)) for state, request in found]
            with_vectors = [search for search in wanted if _needs_vectors(search.request)]
            embedded = iter(self._query_vectors.of_fields(with_vectors))
        with stages.before_cluster():
            plans = [
                self._plan(state, request, next(embedded) if _needs_vectors(request) else {})
                for state, request in found
            ]
        return self._answer(plans, stages)

    def _reranked(
        self, requests: Sequence[SearchRequest], results: Sequence[SearchResult], stages: Stages
    ) -> list[SearchResult]:
        with stages.rerank():
            return [
                replace(result, hits=self._reranker.rerank(request, result.hits))
                for request, result in zip(requests, results, strict=True)
            ]

    def _asked(self, state: IndexState, request: SearchRequest) -> AskedSearch:
        return AskedSearch(state, request, self._cluster.facts().version, _filter(state, request))

    def _plan(self, state: IndexState, request: SearchRequest, vectors: Mapping[str, Embeddings]) -> SearchPlan:
        asked = self._asked(state, request)
        match request.method:
            case SearchMethod.LEXICAL:
                return plan_lexical(asked)
            case SearchMethod.HYBRID:
                return plan_hybrid(asked, vectors)
        return plan_tensor(asked, vectors)

    def _answer(self, plans: Sequence[SearchPlan], stages: Stages) -> list[SearchResult]:
        """Carry the plans out, all in one request; a second one has what turned out to be needed besides."""
        outcomes: list[SearchResult | SearchPlan] = list(plans)
        while waiting := [plan for plan in outcomes if isinstance(plan, SearchPlan)]:
            answers = iter(self._send(waiting, stages))
            with stages.after_cluster():
                outcomes = [
                    outcome.finish([next(answers) for _ in outcome.lines])
                    if isinstance(outcome, SearchPlan)
                    else outcome
                    for outcome in outcomes
                ]
        return [outcome for outcome in outcomes if isinstance(outcome, SearchResult)]

    def _send(self, plans: Sequence[SearchPlan], stages: Stages) -> Sequence[Answer]:
        lines = [line for plan in plans for line in plan.lines]
        if not lines:
            return []
        try:
            with stages.cluster():
                answers = self._cluster.search_many(lines)
        except OpenSearchError as error:
            raise _told_to_client(error, [plan.asked.request for plan in plans]) from error
        stages.add_took(max(answer["took"] for answer in answers))
        return answers


def _told_to_client(error: OpenSearchError, requests: Sequence[SearchRequest]) -> Exception:
    """A refusal of what clients say in OpenSearch's own words is theirs to mend."""
    if error.upstream_status not in (400, 404):
        return error
    moments = [request.options.point_in_time for request in requests if request.options.point_in_time is not None]
    if moments and error.upstream_type == EXPIRED:
        return InvalidArgument(
            f"pointInTime {' or '.join(shown(moment) for moment in dict.fromkeys(moments))} is closed, or was not used "
            "for longer than its keepAlive. Open another one with POST /indexes/{index}/point-in-time."
        )
    filters = [request.filter for request in requests if request.filter]
    if filters and error.upstream_type in _QUERY_REFUSED:
        return InvalidArgument(f"the filter {filters[0]!r} can't be searched with: {error.message}")
    own = [name for request in requests for name in _own_words(request)]
    if own:
        return InvalidArgument(f"{' or '.join(dict.fromkeys(own))} can't be searched with: {error.message}")
    return error


def _own_words(request: SearchRequest) -> list[str]:
    """The keys of a request whose values OpenSearch reads."""
    options = request.options
    given = {
        "filter": request.filter,
        "sort": options.sort,
        "aggregations": options.aggregations,
        "facets": options.facets,
        "lexicalHighlights": options.lexical_highlights,
        "searchAfter": options.search_after,
        "pointInTime": options.point_in_time is not None,
        "efSearch": options.ef_search,
        "minScore": options.min_score,
    }
    return [name for name, value in given.items() if value]


def _needs_vectors(request: SearchRequest) -> bool:
    if request.method is SearchMethod.HYBRID:
        return (request.hybrid.retrieval, request.hybrid.ranking) != (Retrieval.LEXICAL, Ranking.LEXICAL)
    return request.method is SearchMethod.TENSOR


def _filter(state: IndexState, request: SearchRequest) -> Query | None:
    return None if request.filter is None else filter_query(request.filter, state.field_types)


def _embedded_fields(state: IndexState, request: SearchRequest) -> Sequence[str]:
    wanted = request.searchable_attributes
    if request.method is SearchMethod.HYBRID and request.hybrid.tensor_attributes is not None:
        wanted = request.hybrid.tensor_attributes
    if wanted is None:
        return state.embedded_fields
    return [field for field in state.embedded_fields if field in wanted]
