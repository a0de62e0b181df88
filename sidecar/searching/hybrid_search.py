"""Search by meaning and by words at once: the plan that asks for both together and makes one order of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from sidecar.embedding.loader import Embeddings
from sidecar.searching.filter_values import Query
from sidecar.searching.fusion import Fuse, fused, normalized_scores, reciprocal_ranks
from sidecar.searching.hits import source_filter, tensor_hit
from sidecar.searching.lexical_search import lexical_query, plan_lexical, plan_words
from sidecar.searching.page import build_line
from sidecar.searching.query_vectors import is_zero
from sidecar.searching.request import Ranking, Retrieval, ScoreModifiers, SearchOptions, SearchRequest
from sidecar.searching.results import other_parts
from sidecar.searching.score_modifiers import with_modifiers
from sidecar.searching.search_plan import Answer, AskedSearch, Hit, SearchPlan, SearchResult, joined
from sidecar.searching.tensor import CANDIDATES, build_exact_query, build_tensor_query, candidates
from sidecar.searching.tensor_search import plan_tensor, tensor_query

LEAST_WINDOW = 16
"""Documents of each half that are looked at for a first page. Each of them is read whole from the index, with the
vectors in its source, in 0.1 ms: with 32 for a page of ten a hybrid search takes 1.8 times as long as one half."""


@dataclass(frozen=True, slots=True)
class _Halves:
    """A hybrid search, and its halves as searches of their own."""

    asked: AskedSearch
    tensor: AskedSearch
    lexical: AskedSearch
    vectors: Mapping[str, Embeddings]

    @property
    def windows(self) -> list[int]:
        """How many documents of each half are looked at, page after page of this size: each window has twice as many as
        the one before, up to the one that covers the page."""
        request = self.asked.request
        sizes = [min(max(request.limit, LEAST_WINDOW), CANDIDATES[-1])]
        while sizes[-1] < min(request.limit + request.offset, CANDIDATES[-1]):
            sizes.append(min(2 * sizes[-1], CANDIDATES[-1]))
        return sizes

    @property
    def window(self) -> int:
        """How many documents of each half are looked at for the page."""
        return self.windows[-1]


def plan_hybrid(asked: AskedSearch, vectors: Mapping[str, Embeddings]) -> SearchPlan:
    """The search of ``q``'s words in the text fields, and of its query vectors, float32 of shape (dimensions,), each
    in its field; one round trip to the cluster."""
    hybrid = asked.request.hybrid
    tensor = _half(asked, hybrid.tensor_attributes, hybrid.tensor_modifiers)
    lexical = _half(asked, hybrid.lexical_attributes, hybrid.lexical_modifiers)
    halves = _Halves(asked, tensor, lexical, {field: one for field, one in vectors.items() if not is_zero(one)})
    match hybrid.retrieval, hybrid.ranking:
        case Retrieval.TENSOR, Ranking.TENSOR:
            return plan_tensor(tensor, vectors)
        case Retrieval.LEXICAL, Ranking.LEXICAL:
            return plan_lexical(lexical)
        case Retrieval.TENSOR, _:
            return _plan_words_of_neighbours(halves)
        case Retrieval.LEXICAL, _:
            return _plan_neighbours_with_words(halves)
    return _plan_both(halves)


def _half(asked: AskedSearch, attributes: tuple[str, ...] | None, modifiers: ScoreModifiers | None) -> AskedSearch:
    request = asked.request
    searched = request.searchable_attributes if attributes is None else attributes
    changed = request.modifiers if modifiers is None else modifiers
    return replace(asked, request=replace(request, searchable_attributes=searched, modifiers=changed))


def _plan_neighbours_with_words(halves: _Halves) -> SearchPlan:
    """The documents that have the words, ordered by their vectors: those without any come last."""
    asked, fields = halves.tensor, list(halves.vectors)
    request = asked.request
    query: Query = {"bool": {"filter": [lexical_query(halves.lexical)]}}
    if fields:
        unfiltered = replace(asked, filter_query=None)
        query["bool"]["should"] = [build_exact_query(tensor_query(unfiltered, halves.vectors))]
    line = build_line(
        asked,
        with_modifiers(query, request.modifiers, asked.state.field_types),
        source=source_filter(request, fields if request.show_highlights else ()),
        size=request.limit,
        start=request.offset,
    )

    def finish(answers: Sequence[Answer]) -> SearchResult:
        hits = [tensor_hit(hit, fields, request) for hit in answers[0]["hits"]["hits"]]
        return SearchResult(hits, other_parts(asked, answers[0]))

    return SearchPlan(asked, (line,), finish)


def _plan_words_of_neighbours(halves: _Halves) -> SearchPlan:
    """The nearest documents, ordered by their words: those without any come last."""
    nearest = plan_tensor(_window(halves.tensor, halves.window), halves.vectors)
    within = build_tensor_query(tensor_query(_silent(_window(halves.tensor, halves.window)), halves.vectors))
    shards = halves.asked.state.settings.number_of_shards
    most = min(candidates(halves.window, 0) * shards * max(1, len(halves.vectors)), CANDIDATES[-1])
    words = plan_words(_window(halves.lexical, most), within)
    counted = build_tensor_query(tensor_query(_silent(halves.tensor), halves.vectors))
    return joined(halves.asked, [nearest, words, *_plan_counts(halves, [counted])], partial(_by_words, halves))


def _by_words(halves: _Halves, results: Sequence[SearchResult]) -> SearchResult | SearchPlan:
    nearest, words = (result.hits for result in results[:2])
    ids = [hit["_id"] for hit in nearest]
    if not {hit["_id"] for hit in words}.issuperset(ids):
        # The neighbours were found by comparing all vectors, which gives others than the graph.
        every = plan_words(_window(halves.lexical, len(ids)), {"ids": {"values": ids}})
        return joined(halves.asked, [every], lambda found: _merged_by_words(halves, [results[0], *found, *results[2:]]))
    return _merged_by_words(halves, results)


def _merged_by_words(halves: _Halves, results: Sequence[SearchResult]) -> SearchResult:
    scores = {hit["_id"]: hit["_score"] for hit in results[1].hits}
    return _merged(halves, results, lambda tensor, _: {own_id: scores.get(own_id, 0.0) for own_id, _ in tensor})


def _plan_both(halves: _Halves) -> SearchPlan:
    plans = [
        plan_tensor(_window(halves.tensor, halves.window), halves.vectors),
        plan_lexical(_window(halves.lexical, halves.window)),
    ]
    queries = [build_tensor_query(tensor_query(_silent(halves.tensor), halves.vectors)), lexical_query(halves.lexical)]
    hybrid = halves.asked.request.hybrid
    fuse = (
        partial(normalized_scores, alpha=hybrid.alpha)
        if hybrid.ranking is Ranking.NORMALIZE_LINEAR
        else partial(reciprocal_ranks, alpha=hybrid.alpha, k=hybrid.rrf_k)
    )
    return joined(
        halves.asked, [*plans, *_plan_counts(halves, queries)], lambda results: _merged(halves, results, fuse)
    )


def _window(half: AskedSearch, size: int) -> AskedSearch:
    """The half's first hits."""
    request, options = half.request, half.request.options
    kept = SearchOptions(
        ef_search=options.ef_search,
        is_exact=options.is_exact,
        source_includes=options.source_includes,
        source_excludes=options.source_excludes,
        routing=options.routing,
        lexical_highlights=options.lexical_highlights,
    )
    return replace(half, request=replace(request, limit=size, offset=0, options=kept))


def _silent(half: AskedSearch) -> AskedSearch:
    return replace(half, request=replace(half.request, show_highlights=False))


def _plan_counts(halves: _Halves, queries: Sequence[Query]) -> list[SearchPlan]:
    """The plan, where it is asked for, of what is counted over the documents that any of the queries finds."""
    asked, options = halves.asked, halves.asked.request.options
    if options.aggregations is None and not options.facets:
        return []
    line = build_line(asked, {"bool": {"should": list(queries)}}, source=False, size=0, start=0)
    return [SearchPlan(asked, (line,), lambda answers: SearchResult([], other_parts(asked, answers[0])))]


def _merged(halves: _Halves, results: Sequence[SearchResult], fuse: Fuse) -> SearchResult:
    request = halves.asked.request
    tensor, lexical = ({hit["_id"]: hit for hit in result.hits} for result in results[:2])
    ranked_tensor, ranked_lexical = (
        [(document_id, hit["_score"]) for document_id, hit in half.items()] for half in (tensor, lexical)
    )
    order = fused(ranked_tensor, ranked_lexical, fuse, halves.windows)
    page = order[request.offset : request.offset + request.limit]
    hits = [
        _merged_hit(tensor.get(document_id), lexical.get(document_id), score, request) for document_id, score in page
    ]
    return SearchResult(hits, results[2].others if len(results) > 2 else {})


def _merged_hit(tensor: Hit | None, lexical: Hit | None, score: float, request: SearchRequest) -> Hit:
    """The tensor half's form of the hit, which has the highlight, or else the lexical half's; with both scores."""
    hit = {**(tensor or lexical or {}), "_score": score}
    if tensor is not None:
        hit["_tensor_score"] = tensor["_score"]
    if lexical is not None:
        hit["_lexical_score"] = lexical["_score"]
    if request.options.lexical_highlights is None:
        return hit
    if tensor is None:
        hit.pop("_highlights", None)
        hit |= {"_highlights": []} if request.show_highlights else {}
    return hit if lexical is None else hit | {"_lexical_highlights": lexical["_highlights"]}
