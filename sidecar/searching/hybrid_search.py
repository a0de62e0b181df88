"""Search by meaning and by words at once: the plan that asks for both together and makes one order of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

from sidecar.embedding.loader import Embeddings
from sidecar.searching.filter_values import MATCH_NONE, Query
from sidecar.searching.fusion import best_first, normalized_scores, reciprocal_ranks
from sidecar.searching.hits import source_filter, tensor_hit
from sidecar.searching.lexical_search import lexical_query, plan_lexical
from sidecar.searching.page import build_line
from sidecar.searching.query_vectors import is_zero
from sidecar.searching.request import Ranking, Retrieval, ScoreModifiers, SearchOptions
from sidecar.searching.results import other_parts
from sidecar.searching.score_modifiers import with_modifiers
from sidecar.searching.search_plan import Answer, AskedSearch, Hit, SearchPlan, SearchResult, joined
from sidecar.searching.tensor import build_tensor_query, candidates
from sidecar.searching.tensor_search import exact_query, plan_tensor, tensor_query


def plan_hybrid(asked: AskedSearch, vectors: Mapping[str, Embeddings]) -> SearchPlan:
    """The search of ``q``'s words in the text fields, and of its query vectors, float32 of shape (dimensions,), each
    in its field; one round trip to the cluster."""
    hybrid = asked.request.hybrid
    tensor = _half(asked, hybrid.tensor_attributes, hybrid.tensor_modifiers)
    lexical = _half(asked, hybrid.lexical_attributes, hybrid.lexical_modifiers)
    searched = {field: vector for field, vector in vectors.items() if not is_zero(vector)}
    match hybrid.retrieval, hybrid.ranking:
        case Retrieval.TENSOR, Ranking.TENSOR:
            return plan_tensor(tensor, searched)
        case Retrieval.LEXICAL, Ranking.LEXICAL:
            return plan_lexical(lexical)
        case Retrieval.TENSOR, _:
            return _plan_words_of_neighbours(tensor, lexical, searched)
        case Retrieval.LEXICAL, _:
            return _plan_neighbours_with_words(tensor, lexical, searched)
    return _plan_both(asked, tensor, lexical, searched)


def _half(asked: AskedSearch, attributes: tuple[str, ...] | None, modifiers: ScoreModifiers | None) -> AskedSearch:
    request = asked.request
    searched = request.searchable_attributes if attributes is None else attributes
    return replace(asked, request=replace(request, searchable_attributes=searched, modifiers=modifiers))


def _plan_words_of_neighbours(
    tensor: AskedSearch, lexical: AskedSearch, vectors: Mapping[str, Embeddings]
) -> SearchPlan:
    """The nearest documents, ordered by their words: those without any come last."""
    nearest = build_tensor_query(tensor_query(tensor, vectors))
    words = lexical_query(lexical)
    query: Query = {"bool": {"filter": [nearest], "should": [words]}}
    return _plan_one_order(lexical, query, vectors)


def _plan_neighbours_with_words(
    tensor: AskedSearch, lexical: AskedSearch, vectors: Mapping[str, Embeddings]
) -> SearchPlan:
    """The documents that have the words, ordered by their vectors."""
    words = replace(tensor, filter_query=lexical_query(lexical))
    query = exact_query(words, tensor_query(words, vectors)) if vectors else MATCH_NONE
    return _plan_one_order(tensor, query, vectors)


def _plan_one_order(asked: AskedSearch, query: Query, vectors: Mapping[str, Embeddings]) -> SearchPlan:
    request, fields = asked.request, list(vectors)
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


def _plan_both(
    asked: AskedSearch, tensor: AskedSearch, lexical: AskedSearch, vectors: Mapping[str, Embeddings]
) -> SearchPlan:
    plans = [plan_tensor(_window(tensor), vectors), plan_lexical(_window(lexical))]
    options = asked.request.options
    if options.aggregations is not None or options.facets:
        plans.append(_plan_counts(asked, tensor, lexical, vectors))
    return joined(asked, plans, partial(_fused, asked))


def _window(half: AskedSearch) -> AskedSearch:
    """The half's first hits, as many as may come into the page; pages that need equally many have one order."""
    request, options = half.request, half.request.options
    kept = SearchOptions(
        ef_search=options.ef_search,
        is_exact=options.is_exact,
        source_includes=options.source_includes,
        source_excludes=options.source_excludes,
        routing=options.routing,
        lexical_highlights=options.lexical_highlights,
    )
    window = candidates(request.limit, request.offset)
    return replace(half, request=replace(request, limit=window, offset=0, options=kept))


def _plan_counts(
    asked: AskedSearch, tensor: AskedSearch, lexical: AskedSearch, vectors: Mapping[str, Embeddings]
) -> SearchPlan:
    """What is counted over the documents that either half finds."""
    silent = replace(tensor, request=replace(tensor.request, show_highlights=False))
    queries = [build_tensor_query(tensor_query(silent, vectors)), lexical_query(lexical)]
    line = build_line(asked, {"bool": {"should": queries}}, source=False, size=0, start=0)
    return SearchPlan(asked, (line,), lambda answers: SearchResult([], other_parts(asked, answers[0])))


def _fused(asked: AskedSearch, results: Sequence[SearchResult]) -> SearchResult:
    request, hybrid = asked.request, asked.request.hybrid
    tensor, lexical = ([(hit["_id"], hit["_score"]) for hit in result.hits] for result in results[:2])
    if hybrid.ranking is Ranking.NORMALIZE_LINEAR:
        scores = normalized_scores(tensor, lexical, alpha=hybrid.alpha)
    else:
        scores = reciprocal_ranks(tensor, lexical, alpha=hybrid.alpha, k=hybrid.rrf_k)
    # Where both have the document, the tensor half's form has the highlight.
    found = {hit["_id"]: hit for result in reversed(results[:2]) for hit in result.hits}
    page = best_first(scores)[request.offset : request.offset + request.limit]
    halves = (dict(tensor), dict(lexical))
    hits = [_fused_hit(found[document_id], scores[document_id], halves) for document_id in page]
    return SearchResult(hits, results[2].others if len(results) > 2 else {})


def _fused_hit(hit: Hit, score: float, halves: tuple[Mapping[str, float], Mapping[str, float]]) -> Hit:
    fused = hit | {"_score": score}
    for key, own in zip(("_tensor_score", "_lexical_score"), halves, strict=True):
        if hit["_id"] in own:
            fused[key] = own[hit["_id"]]
    return fused
