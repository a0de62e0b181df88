"""Answers searches: query to query vector to OpenSearch query to hits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from sidecar.embedding.engine import EmbeddingEngine
from sidecar.embedding.loader import Embeddings
from sidecar.embedding.media_embedder import MediaEmbedder
from sidecar.embedding.model_table import ModelTable
from sidecar.errors import InvalidArgument, OpenSearchError, SidecarError
from sidecar.opensearch.client import Cluster, SearchLine
from sidecar.opensearch.error_answers import NO_CONTEXT, SEARCH_FAILED
from sidecar.opensearch.index_state import IndexState
from sidecar.opensearch.index_states import IndexStates
from sidecar.opensearch.points_in_time import shown
from sidecar.searching.any_filter import filter_query, refused_filter
from sidecar.searching.dsl_aggregations import check_aggregations, check_highlights
from sidecar.searching.filter_values import Query
from sidecar.searching.hybrid_search import plan_hybrid
from sidecar.searching.lexical_search import plan_lexical
from sidecar.searching.query_vectors import QueryVectors, VectorSearch
from sidecar.searching.request import SearchMethod, SearchOptions, SearchRequest
from sidecar.searching.reranking import Reranker, with_fields_to_read
from sidecar.searching.search_plan import Answer, AskedSearch, SearchPlan, SearchResult, told_of
from sidecar.searching.stages import Stages
from sidecar.searching.tensor_search import plan_tensor

_QUERY_REFUSED = {"query_shard_exception", SEARCH_FAILED, "too_complex_to_determinize_exception"}


@dataclass(frozen=True, slots=True)
class _Placed:
    """A search of an index, and its place in the request; None where it is all of it."""

    place: str | None
    index: str
    request: SearchRequest


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
        searches = [_Placed(None, index, request)]
        results = self._search(searches, stages)
        return results[0] if request.reranker is None else self._reranked(searches, results, stages)[0]

    def search_many(self, searches: Sequence[tuple[str, SearchRequest]]) -> list[SearchResult]:
        """As `search`, several in one request to the cluster, in order; their queries are embedded together.

        Raises what the first that fails raises, its number before the message where the client must change something;
        none is answered then.
        """
        stages = Stages.of_many()
        placed = [_Placed(f"queries[{number}]", index, request) for number, (index, request) in enumerate(searches)]
        for search in placed:
            with told_of(search.place):
                self._states.get(search.index)
        return self._reranked(placed, self._search(placed, stages), stages)

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
        asked = self._asked(state, request, None)
        if excluded:
            others: Query = {"bool": {"must_not": [{"ids": {"values": list(excluded)}}]}}
            both = others if asked.filter_query is None else {"bool": {"filter": [asked.filter_query, others]}}
            asked = replace(asked, filter_query=both)
        return self._answer([plan_tensor(asked, vectors)], Stages.of_one(SearchMethod.TENSOR))[0]

    def _search(self, searches: Sequence[_Placed], stages: Stages) -> list[SearchResult]:
        return self._states.use([search.index for search in searches], partial(self._search_in, searches, stages))

    def _search_in(
        self, searches: Sequence[_Placed], stages: Stages, states: Sequence[IndexState]
    ) -> list[SearchResult]:
        wanted = []
        for search, state in zip(searches, states, strict=True):
            request = with_fields_to_read(search.request)
            wanted.append(VectorSearch(state, request, _embedded_fields(state, request), search.place))
        with stages.inference():
            embedded = iter(self._query_vectors.of_fields([one for one in wanted if _needs_vectors(one.request)]))
        self._states.ensure_current([search.index for search in searches], states)
        plans = []
        with stages.before_cluster():
            for one in wanted:
                with told_of(one.place):
                    asked = self._asked(one.state, one.request, one.place)
                    plans.append(_plan(asked, next(embedded) if _needs_vectors(one.request) else {}))
        return self._answer(plans, stages)

    def _reranked(
        self, searches: Sequence[_Placed], results: Sequence[SearchResult], stages: Stages
    ) -> list[SearchResult]:
        reranked = []
        with stages.rerank():
            for search, result in zip(searches, results, strict=True):
                with told_of(search.place):
                    reranked.append(replace(result, hits=self._reranker.rerank(search.request, result.hits)))
        return reranked

    def _asked(self, state: IndexState, request: SearchRequest, place: str | None) -> AskedSearch:
        _check_own_words(request.options)
        return AskedSearch(state, request, self._cluster.facts().version, _filter(state, request), place)

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
        lines = [(plan.asked, line) for plan in plans for line in plan.lines]
        if not lines:
            return []
        with stages.cluster():
            answers = self._ask(lines)
        found = []
        for (asked, _), answer in zip(lines, answers, strict=True):
            if isinstance(answer, SidecarError):
                with told_of(asked.place):
                    raise _told_to_client(answer, asked.request) from answer
            found.append(answer)
        stages.add_took(max(answer["took"] for answer in found))
        return found

    def _ask(self, lines: Sequence[tuple[AskedSearch, SearchLine]]) -> Sequence[Answer | SidecarError]:
        try:
            return self._cluster.search_many([line for _, line in lines])
        except OpenSearchError as error:
            # One line that can't be parsed makes the cluster refuse them all, without a word of which it was.
            if error.upstream_status == 400:
                for asked, line in lines:
                    (alone,) = self._cluster.search_many([line]) if _own_words(asked.request) else (None,)
                    if isinstance(alone, SidecarError):
                        with told_of(asked.place):
                            raise _told_to_client(alone, asked.request) from alone
            raise


def _plan(asked: AskedSearch, vectors: Mapping[str, Embeddings]) -> SearchPlan:
    match asked.request.method:
        case SearchMethod.LEXICAL:
            return plan_lexical(asked)
        case SearchMethod.HYBRID:
            return plan_hybrid(asked, vectors)
    return plan_tensor(asked, vectors)


def _check_own_words(options: SearchOptions) -> None:
    if options.aggregations is not None:
        check_aggregations(options.aggregations)
    if options.lexical_highlights is not None:
        check_highlights(options.lexical_highlights)


def _told_to_client(error: SidecarError, request: SearchRequest) -> SidecarError:
    """A refusal of what clients say in OpenSearch's own words is theirs to mend."""
    if not isinstance(error, OpenSearchError) or error.upstream_status not in (400, 404):
        return error
    moment = request.options.point_in_time
    if moment is not None and error.upstream_type == NO_CONTEXT:
        return InvalidArgument(
            f"pointInTime {shown(moment)} is closed, or was not used for longer than its keepAlive. Open another one "
            "with POST /indexes/{index}/point-in-time."
        )
    if isinstance(request.filter, str) and error.upstream_type in _QUERY_REFUSED:
        return refused_filter(request.filter, error.message)
    if own := _own_words(request):
        return InvalidArgument(f"{' or '.join(own)} can't be searched with: {error.message}")
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
        return not request.hybrid.is_lexical
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
