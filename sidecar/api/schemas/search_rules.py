"""Which options of a search go together, and which numbers they may be."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import chain

from sidecar.errors import InvalidArgument
from sidecar.indexing.names import shortened
from sidecar.searching.request import Ranking, Retrieval, SearchMethod, SearchRequest

MAX_EF_SEARCH = 10_000
_MAX_FACET_VALUES = 1000

_Rule = tuple[bool, str]
"""Whether a request breaks a rule, and the rule."""


def check_together(request: SearchRequest, *, has_hybrid: bool) -> None:
    """Options that are given must have an effect. Raises: InvalidArgument."""
    _check_values(request)
    needs_hybrid = has_hybrid and request.method is not SearchMethod.HYBRID
    rules: tuple[_Rule, ...] = ((needs_hybrid, "'hybridParameters' needs searchMethod HYBRID"),)
    for is_broken, rule in chain(rules, _of_finding(request), _of_order(request), _of_pages(request)):
        if is_broken:
            raise InvalidArgument(f"{rule}.")


def _of_finding(request: SearchRequest) -> Iterator[_Rule]:
    options, hybrid = request.options, request.hybrid
    is_hybrid = request.method is SearchMethod.HYBRID
    is_lexical = request.method is SearchMethod.LEXICAL or (is_hybrid and hybrid.is_lexical)
    has_graph = not is_lexical and not (is_hybrid and hybrid.retrieval is Retrieval.LEXICAL)
    has_ef_search, has_highlights = options.ef_search is not None, options.lexical_highlights is not None
    yield options.is_exact and is_lexical, "'exact' does not go with a search by words alone"
    yield has_ef_search and not has_graph, "'efSearch' does not go with documents that are found by words"
    yield has_ef_search and options.is_exact, "'efSearch' does not go with 'exact', which compares every vector"
    yield (
        has_highlights and not (is_lexical or _fuses(request)),
        "'lexicalHighlights' needs searchMethod LEXICAL, or a HYBRID one that words have a part in the order of",
    )
    yield (
        has_highlights and request.reranker is not None,
        "'lexicalHighlights' does not go with 'reRanker', which has highlights of its own",
    )


def _of_order(request: SearchRequest) -> Iterator[_Rule]:
    options = request.options
    fuses = _fuses(request)
    orders_itself = fuses or bool(request.boost) or request.reranker is not None
    yield bool(options.sort) and orders_itself, "'sort' does not go with what orders the hits itself"
    yield (
        options.min_score is not None and fuses,
        "'minScore' does not go with a hybrid search whose order is made of two",
    )
    yield options.explain and orders_itself, "'explain' tells of one order only: leave out hybrid, boost, reRanker"
    yield (
        options.point_in_time is not None and orders_itself,
        "'pointInTime' does not go with what orders the hits itself",
    )


def _of_pages(request: SearchRequest) -> Iterator[_Rule]:
    options = request.options
    goes_on, has_point = options.search_after is not None, options.point_in_time is not None
    yield goes_on and not has_point, "'searchAfter' needs 'pointInTime'"
    yield goes_on and request.offset > 0, "'searchAfter' does not go with 'offset'"
    yield (
        goes_on and _ends_early(request),
        "'searchAfter' needs 'exact' in a search by meaning (TENSOR): an index of neighbours finds the nearest "
        "only, so that its pages would end before the documents do",
    )
    yield (
        options.routing is not None and has_point,
        "'routing' does not go with 'pointInTime', which has its own",
    )
    chooses_fields = bool(options.source_includes or options.source_excludes)
    yield (
        chooses_fields and request.attributes_to_retrieve is not None,
        "'source' does not go with 'attributesToRetrieve'",
    )


def _fuses(request: SearchRequest) -> bool:
    return request.method is SearchMethod.HYBRID and request.hybrid.is_fused


def _ends_early(request: SearchRequest) -> bool:
    if request.method is SearchMethod.HYBRID:
        is_exact = request.options.is_exact and request.hybrid.ranking is Ranking.TENSOR
        return request.hybrid.retrieval is Retrieval.TENSOR and not is_exact
    return request.method is SearchMethod.TENSOR and not request.options.is_exact


def _check_values(request: SearchRequest) -> None:
    options = request.options
    if options.ef_search is not None and not 1 <= options.ef_search <= MAX_EF_SEARCH:
        raise InvalidArgument(f"efSearch is {options.ef_search}; it must be from 1 to {MAX_EF_SEARCH:,}.")
    if options.min_score is not None and not (math.isfinite(options.min_score) and options.min_score > 0):
        raise InvalidArgument(f"minScore is {options.min_score}; it must be a number greater than 0.")
    for name, size in options.facets.items():
        if not 1 <= size <= _MAX_FACET_VALUES:
            raise InvalidArgument(
                f"facets.{shortened(name)} is {size}; it must be a number of values from 1 to {_MAX_FACET_VALUES:,}."
            )
