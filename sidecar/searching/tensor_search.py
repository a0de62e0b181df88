"""Search by meaning: the plan that finds the documents nearest to the query's vectors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from sidecar.embedding.loader import Embeddings
from sidecar.opensearch.client import SearchLine
from sidecar.searching.boosts import BOOSTED_CHUNKS, boosted
from sidecar.searching.filter_values import Query
from sidecar.searching.hits import source_filter, tensor_hit
from sidecar.searching.page import build_line
from sidecar.searching.query_vectors import is_zero
from sidecar.searching.request import SearchOptions, SearchRequest
from sidecar.searching.results import other_parts
from sidecar.searching.score_modifiers import with_modifiers
from sidecar.searching.search_plan import Answer, AskedSearch, SearchPlan, SearchResult, found_nothing
from sidecar.searching.tensor import CANDIDATES, TensorQuery, build_exact_query, build_tensor_query, candidates


def plan_tensor(asked: AskedSearch, vectors: Mapping[str, Embeddings]) -> SearchPlan:
    """The search of each field of ``vectors`` for its query vector, float32 of shape (dimensions,)."""
    # What has no direction has no neighbours.
    found = {field: vector for field, vector in vectors.items() if not is_zero(vector)}
    options = asked.request.options
    if not found and options.aggregations is None and not options.facets and options.point_in_time is None:
        return found_nothing(asked)
    return _plan(asked, tensor_query(asked, found), is_exact=options.is_exact and bool(found))


def tensor_query(asked: AskedSearch, vectors: Mapping[str, Embeddings]) -> TensorQuery:
    """What is looked for: as many neighbours as the page needs.

    That holds for a least score too, where the page ends earlier. A k-NN query can take one in place of ``k``, but then
    it follows the graph of neighbours only as long as they are near enough: of 6 among 600 it found 2 (k-NN 3.5.0).
    """
    request, options = asked.request, asked.request.options
    chunks = 1 if request.show_highlights else 0
    return TensorQuery(
        vectors,
        CANDIDATES[-1] if _looks_beyond_the_page(options) else candidates(request.limit, request.offset),
        asked.filter_query,
        ef_search=options.ef_search,
        chunks=BOOSTED_CHUNKS if request.boost else chunks,
        space_type=asked.state.settings.ann_parameters.space_type,
    )


def _looks_beyond_the_page(options: SearchOptions) -> bool:
    """True where more than the page's documents take part, so that it must not depend on the page which do."""
    is_counted = options.aggregations is not None or bool(options.facets)
    return is_counted or bool(options.sort) or options.point_in_time is not None


def _plan(asked: AskedSearch, query: TensorQuery, *, is_exact: bool) -> SearchPlan:
    found = build_exact_query(query) if is_exact else build_tensor_query(query)
    line = _line(asked, found, list(query.query_vectors))
    return SearchPlan(asked, (line,), partial(_finish, asked, query, is_exact))


def _line(asked: AskedSearch, query: Query, fields: Sequence[str]) -> SearchLine:
    request = asked.request
    looked_at = [*(fields if request.show_highlights or request.boost else ()), *_modifying_fields(request)]
    size, start = _retrieved(request)
    plain = None if request.boost else request.modifiers
    modified = with_modifiers(query, plain, asked.state.field_types)
    if _least_score(request) is not None:
        # Compared here, so that it can be told from a filter why a page is short.
        asked = replace(asked, request=replace(request, options=replace(request.options, min_score=None)))
    return build_line(asked, modified, source=source_filter(request, looked_at), size=size, start=start)


def _least_score(request: SearchRequest) -> float | None:
    """Below which hits are left out here; None where the cluster leaves them out, or nobody."""
    options = request.options
    return None if _looks_beyond_the_page(options) and not request.boost else options.min_score


def _retrieved(request: SearchRequest) -> tuple[int, int]:
    """How many hits are asked for, and from which on."""
    # A boost orders the page's documents anew, so that all before it are needed too.
    return (request.limit + request.offset, 0) if request.boost else (request.limit, request.offset)


def _modifying_fields(request: SearchRequest) -> list[str]:
    return request.modifiers.fields if request.modifiers is not None and request.boost else []


def _finish(
    asked: AskedSearch, query: TensorQuery, is_exact: bool, answers: Sequence[Answer]
) -> SearchResult | SearchPlan:
    request, fields = asked.request, list(query.query_vectors)
    hits: list[Mapping[str, Any]] = answers[0]["hits"]["hits"]
    size, _ = _retrieved(request)
    # What a least score leaves out of the cluster's answer can't be told from what a filter does.
    is_cut = request.options.min_score is not None and _least_score(request) is None
    may_lack_hits = query.filter_query is not None and bool(fields) and not is_cut
    if len(hits) < size and may_lack_hits and not is_exact:
        # A filtered k-NN query may end with fewer documents than there are. A short page has few candidates, so that
        # comparing all of them costs little.
        return _plan(asked, query, is_exact=True)
    found = boosted(asked, hits, fields) if request.boost else [tensor_hit(hit, fields, request) for hit in hits]
    if (least := _least_score(request)) is not None:
        found = [hit for hit in found if hit["_score"] >= least]
    return SearchResult(found, other_parts(asked, answers[0]))
