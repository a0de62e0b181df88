"""Search by meaning: the plan that finds the documents nearest to the query's vectors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from sidecar.embedding.loader import Embeddings
from sidecar.opensearch.client import SearchLine, Version
from sidecar.searching.boosts import BOOSTED_CHUNKS, boosted
from sidecar.searching.filter_values import Query
from sidecar.searching.hits import source_filter, tensor_hit
from sidecar.searching.page import build_line
from sidecar.searching.query_vectors import is_zero
from sidecar.searching.request import SearchRequest
from sidecar.searching.results import other_parts
from sidecar.searching.score_modifiers import with_modifiers
from sidecar.searching.search_plan import Answer, AskedSearch, SearchPlan, SearchResult, found_nothing
from sidecar.searching.tensor import TensorQuery, build_exact_query, build_tensor_query, candidates

RADIAL_SINCE: Version = (2, 14, 0)
"""The first version whose k-NN queries take a least score in place of ``k``."""


def plan_tensor(asked: AskedSearch, vectors: Mapping[str, Embeddings]) -> SearchPlan:
    """The search of each field of ``vectors`` for its query vector, float32 of shape (dimensions,)."""
    # What has no direction has no neighbours.
    found = {field: vector for field, vector in vectors.items() if not is_zero(vector)}
    options = asked.request.options
    if not found and options.aggregations is None and not options.facets and options.point_in_time is None:
        return found_nothing(asked)
    return _plan(asked, tensor_query(asked, found), is_exact=options.is_exact and bool(found))


def tensor_query(asked: AskedSearch, vectors: Mapping[str, Embeddings]) -> TensorQuery:
    """What is looked for: as many neighbours as the page needs, or all above the least score."""
    request, options = asked.request, asked.request.options
    is_plain = request.modifiers is None and not request.boost
    is_radial = options.min_score is not None and is_plain and asked.version >= RADIAL_SINCE
    chunks = 1 if request.show_highlights else 0
    return TensorQuery(
        vectors,
        candidates(request.limit, request.offset),
        asked.filter_query,
        ef_search=None if is_radial else options.ef_search,
        min_score=options.min_score if is_radial else None,
        chunks=BOOSTED_CHUNKS if request.boost else chunks,
    )


def exact_query(asked: AskedSearch, query: TensorQuery) -> Query:
    """The same by comparing every vector."""
    return build_exact_query(query, asked.state.settings.ann_parameters.space_type)


def _plan(asked: AskedSearch, query: TensorQuery, *, is_exact: bool) -> SearchPlan:
    found = exact_query(asked, query) if is_exact else build_tensor_query(query)
    line = _line(asked, found, list(query.query_vectors))
    return SearchPlan(asked, (line,), partial(_finish, asked, query, is_exact))


def _line(asked: AskedSearch, query: Query, fields: Sequence[str]) -> SearchLine:
    request = asked.request
    looked_at = [*(fields if request.show_highlights or request.boost else ()), *_modifying_fields(request)]
    # A boost orders the page's documents anew, so that all before it are needed too.
    size, start = (request.limit + request.offset, 0) if request.boost else (request.limit, request.offset)
    plain = None if request.boost else request.modifiers
    modified = with_modifiers(query, plain, asked.state.field_types)
    return build_line(asked, modified, source=source_filter(request, looked_at), size=size, start=start)


def _modifying_fields(request: SearchRequest) -> list[str]:
    return request.modifiers.fields if request.modifiers is not None and request.boost else []


def _finish(
    asked: AskedSearch, query: TensorQuery, is_exact: bool, answers: Sequence[Answer]
) -> SearchResult | SearchPlan:
    request, fields = asked.request, list(query.query_vectors)
    hits: list[Mapping[str, Any]] = answers[0]["hits"]["hits"]
    may_lack_hits = query.filter_query is not None and query.min_score is None and bool(fields)
    if len(hits) < request.limit and may_lack_hits and not is_exact:
        # A filtered k-NN query may end with fewer documents than there are. A short page has few candidates, so that
        # comparing all of them costs little.
        return _plan(asked, query, is_exact=True)
    if request.boost:
        return SearchResult(boosted(hits, fields, request), other_parts(asked, answers[0]))
    return SearchResult([tensor_hit(hit, fields, request) for hit in hits], other_parts(asked, answers[0]))
