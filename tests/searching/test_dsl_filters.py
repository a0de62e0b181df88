from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.errors import InvalidArgument
from sidecar.searching.dsl_aggregations import check_aggregations, check_highlights
from sidecar.searching.dsl_filters import MAX_DEPTH, check_dsl_filter

RED = {"term": {"color": "red"}}
SCRIPT = {"script": {"script": "true"}}
REFUSED: list[dict[str, Any]] = [
    SCRIPT,
    {"script_score": {"query": RED, "script": "1"}},
    {"function_score": {"query": RED}},
    {"terms": {"color": {"index": "other", "id": "1", "path": "p"}}},
    {"terms_set": {"color": {"terms": ["a"], "minimum_should_match_script": {"source": "1"}}}},
    {"wrapper": {"query": "e30="}},
    {"percolate": {"field": "q", "document": {}}},
    {"more_like_this": {"like": "x"}},
    {"has_child": {"type": "t", "query": RED}},
    {"knn": {"v": {"vector": [1], "k": 1}}},
    {"template": {}},
]
LEAVES = st.sampled_from([RED, {"range": {"size": {"gte": 1}}}, {"exists": {"field": "a"}}, {"match_all": {}}])


def compound(inner: st.SearchStrategy[Any], *, fewest: int = 0) -> st.SearchStrategy[Any]:
    """Queries of these queries, at least ``fewest`` of them, of every kind that is allowed."""
    lists = st.lists(inner, min_size=fewest, max_size=3)
    return st.one_of(
        st.builds(lambda part, some: {"bool": {part: some}}, st.sampled_from(["must", "filter", "should"]), lists),
        inner.map(lambda one: {"bool": {"must_not": one, "minimum_should_match": 1}}),
        inner.map(lambda one: {"constant_score": {"filter": one, "boost": 2}}),
        lists.map(lambda some: {"dis_max": {"queries": some, "tie_breaker": 0.1}}),
        inner.map(lambda one: {"boosting": {"positive": one, "negative": one, "negative_boost": 0.5}}),
        inner.map(lambda one: {"nested": {"path": "__embeddings.a", "query": one}}),
    )


@given(st.recursive(LEAVES, compound, max_leaves=8))
def test_allowed_queries_pass_unchanged(query: dict[str, Any]) -> None:
    assert check_dsl_filter(query) == query


@given(st.recursive(st.sampled_from(REFUSED), lambda inner: compound(inner, fewest=1), max_leaves=3))
def test_a_refused_query_is_found_wherever_it_stands(query: dict[str, Any]) -> None:
    with pytest.raises(InvalidArgument, match="filter"):
        check_dsl_filter(query)


@pytest.mark.parametrize("query", REFUSED)
def test_queries_that_read_elsewhere_or_run_programs_are_refused(query: dict[str, Any]) -> None:
    with pytest.raises(InvalidArgument, match=r"^filter\.bool\.must\[1\]"):
        check_dsl_filter({"bool": {"must": [RED, query]}})


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ({}, "filter must be an object of one query"),
        ({"term": {"a": 1}, "match": {"a": 1}}, "filter must be an object of one query"),
        ({"bool": []}, "filter.bool must be an object"),
        ({"term": "red"}, "filter.term must be an object"),
        ({"bool": {"must": ["red"]}}, r"filter.bool.must\[0\] must be an object of one query"),
        ({"bool": {"mustNot": [SCRIPT]}}, "filter.bool has an unknown key 'mustNot'"),
        ({"bool": {"filter": None}}, r"filter.bool.filter\[0\] must be an object"),
        ({"dis_max": {"queries": 5}}, r"filter.dis_max.queries\[0\] must be"),
        ({"constant_score": {}}, "filter.constant_score.filter must be an object of one query"),
        ({"boosting": {"positive": RED}}, "filter.boosting.negative must be"),
        ({"nested": {"path": "a", "query": RED, "inner_hits": {}}}, "nested has an unknown key 'inner_hits'"),
        ({"trem": {"a": 1}}, "Did you mean 'term'?"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(query: dict[str, Any], told: str) -> None:
    with pytest.raises(InvalidArgument, match=told.replace("?", r"\?")):
        check_dsl_filter(query)


def test_queries_within_one_another_have_a_limit() -> None:
    query: dict[str, Any] = RED
    for _ in range(MAX_DEPTH):
        query = {"bool": {"filter": query}}
    assert check_dsl_filter(query) == query
    with pytest.raises(InvalidArgument, match="more than 50 queries within one another"):
        check_dsl_filter({"bool": {"filter": query}})


@pytest.mark.parametrize(
    "aggregations",
    [
        {"colors": {"terms": {"field": "color.keyword"}, "aggs": {"mean": {"avg": {"field": "size"}}}}},
        {"some": {"filter": RED, "meta": {"script": "is only a word here"}}},
        {"parts": {"filters": {"filters": {"red": RED, "script": {"match_all": {}}}}}},
        {"parts": {"filters": {"filters": [RED]}}},
        {"pairs": {"composite": {"sources": [{"c": {"terms": {"field": "color.keyword"}}}]}}},
        {"script": {"max": {"field": "size"}}},
    ],
)
def test_aggregations_of_fields_pass(aggregations: dict[str, Any]) -> None:
    check_aggregations(aggregations)


@pytest.mark.parametrize(
    ("aggregations", "told"),
    [
        ({"a": {"scripted_metric": {}}}, "aggregations.a.scripted_metric: an aggregation can't run a script"),
        ({"a": {"bucket_script": {}}}, "aggregations.a.bucket_script"),
        ({"a": {"bucket_selector": {}}}, "aggregations.a.bucket_selector"),
        ({"a": {"terms": {"script": "1"}}}, r"aggregations.a.terms.script: a search can't run a script"),
        ({"a": {"multi_terms": {"terms": [{"script": "1"}]}}}, r"aggregations.a.multi_terms.terms\[0\].script"),
        ({"a": {"top_hits": {"script_fields": {}}}}, "aggregations.a.top_hits.script_fields"),
        ({"a": {"global": {}, "aggregations": {"b": {"avg": {"script": "1"}}}}}, r"a.aggregations.b.avg.script"),
        ({"a": {"filter": SCRIPT}}, "aggregations.a.filter: a filter can't have a query 'script'"),
        ({"a": {"filters": {"filters": {"x": SCRIPT}}}}, r"aggregations.a.filters.filters\[x\]"),
        ({"a": {"adjacency_matrix": {"filters": {"x": SCRIPT}}}}, r"aggregations.a.adjacency_matrix.filters\[x\]"),
        ({"a": {"significant_terms": {"background_filter": SCRIPT}}}, "significant_terms.background_filter"),
        ({"a": 5}, "aggregations.a must be an object"),
        ({"a": {"terms": {"field": "c"}, "aggs": []}}, "aggregations.a.aggs must be an object"),
        ({"facet:0": {"avg": {"field": "size"}}}, "begin with 'facet:'"),
    ],
)
def test_aggregations_that_run_programs_are_refused(aggregations: dict[str, Any], told: str) -> None:
    with pytest.raises(InvalidArgument, match=told):
        check_aggregations(aggregations)


def test_highlights_have_only_queries_that_a_filter_may_have() -> None:
    check_highlights({"pre_tags": ["<b>"], "fields": {"title": {"highlight_query": RED}}})
    with pytest.raises(InvalidArgument, match=r"lexicalHighlights.fields.title.highlight_query"):
        check_highlights({"fields": {"title": {"highlight_query": SCRIPT}}})
