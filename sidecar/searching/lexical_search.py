"""Search by words: the plan that finds the documents which have the query's words."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from sidecar.errors import InvalidArgument
from sidecar.opensearch.client import SearchLine
from sidecar.searching.filter_values import Query
from sidecar.searching.hits import lexical_hit, source_filter
from sidecar.searching.lexical import build_lexical_query
from sidecar.searching.page import build_line, with_highlighted_words
from sidecar.searching.results import other_parts
from sidecar.searching.score_modifiers import with_modifiers
from sidecar.searching.search_plan import Answer, AskedSearch, SearchPlan, SearchResult


def plan_lexical(asked: AskedSearch) -> SearchPlan:
    """The search for the words of ``q`` in the text fields. Raises: InvalidArgument where ``q`` is no text."""
    request = asked.request
    line = build_line(
        asked,
        with_modifiers(lexical_query(asked), request.modifiers, asked.state.field_types),
        source=source_filter(request, ()),
        size=request.limit,
        start=request.offset,
    )
    return SearchPlan(asked, (_highlighted(asked, line),), partial(_finish, asked))


def plan_words(asked: AskedSearch, within: Query) -> SearchPlan:
    """All documents that ``within`` finds, ordered by the words of ``q``: those without any come last. Their hits have
    no fields."""
    query: Query = {"bool": {"filter": [within], "should": [lexical_query(asked)]}}
    line = build_line(
        asked,
        with_modifiers(query, asked.request.modifiers, asked.state.field_types),
        source=False,
        size=asked.request.limit,
        start=0,
    )
    return SearchPlan(asked, (_highlighted(asked, line),), partial(_finish, asked))


def lexical_query(asked: AskedSearch) -> Query:
    """The query for the request's words, narrowed by its filter."""
    q = asked.request.q
    if not isinstance(q, str):
        raise InvalidArgument(f"'q' must be a string for a search by words ({asked.request.method.value}).")
    return build_lexical_query(q, text_fields(asked), asked.filter_query)


def text_fields(asked: AskedSearch) -> Sequence[str]:
    """The fields of texts that are searched."""
    fields = [field for field, kind in asked.state.field_types.items() if kind == "text"]
    wanted = asked.request.searchable_attributes
    return fields if wanted is None else [field for field in fields if field in wanted]


def _highlighted(asked: AskedSearch, line: SearchLine) -> SearchLine:
    options = asked.request.options.lexical_highlights
    return line if options is None else with_highlighted_words(line, options, text_fields(asked))


def _finish(asked: AskedSearch, answers: Sequence[Answer]) -> SearchResult:
    hits = answers[0]["hits"]["hits"]
    return SearchResult([lexical_hit(hit, asked.request) for hit in hits], other_parts(asked, answers[0]))
