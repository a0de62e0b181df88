"""The searches that a hybrid search takes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson
import pytest

from sidecar.native.declarations.processors import Combination
from sidecar.native.hybrid.parameters import SearchParameters
from sidecar.native.hybrid.plan import HybridPlan, plan_hybrid
from sidecar.native.json.edits import Edit
from sidecar.native.json.spans import Object, read

MATCH = {"match": {"title": "x"}}
TERM = {"term": {"lang": "en"}}
KNN = {"knn": {"v": {"vector": [0.5, 1e-3], "k": 3}}}


def planned(data: bytes, parameters: SearchParameters | None = None, edits: Sequence[Edit] = ()) -> HybridPlan:
    root = read(data)
    assert isinstance(root, Object)
    return plan_hybrid(
        data,
        root,
        rewrite=lambda _, __: edits,
        combination=Combination(),
        parameters=parameters or SearchParameters(),
    )


def bodies(body: Any, parameters: SearchParameters | None = None) -> list[Any]:
    return [orjson.loads(line) for line in planned(orjson.dumps(body), parameters).bodies]


def hybrid(*queries: Any, **given: Any) -> dict[str, Any]:
    return {"query": {"hybrid": {"queries": queries, **given}}}


def test_each_query_is_a_search_for_its_best_hits_and_the_last_counts_all() -> None:
    aggregations = {"langs": {"terms": {"field": "lang"}}}
    others = {"_source": ["title"], "post_filter": TERM, "timeout": "5s"}
    own = {"size": 4, "from": 2, "aggs": aggregations, "track_total_hits": 7, "min_score": 0.1}
    half = {"from": 0, "size": 6, "track_total_hits": False}
    assert bodies(hybrid(MATCH, KNN) | own | others) == [
        {"query": MATCH, **half, **others},
        {"query": KNN, **half, **others},
        {
            "query": {"bool": {"should": [MATCH, KNN]}},
            "from": 0,
            "size": 0,
            "track_total_hits": 7,
            "aggs": aggregations,
            **others,
        },
    ]


def test_a_page_without_hits_takes_one_search() -> None:
    (only,) = bodies(hybrid(MATCH, KNN) | {"size": 0})
    assert only == {"query": {"bool": {"should": [MATCH, KNN]}}, "from": 0, "size": 0}


@pytest.mark.parametrize(
    ("given", "searches"),
    [
        ({"track_total_hits": False}, 2),
        ({"track_total_hits": "false"}, 2),
        ({"track_total_hits": False, "aggs": {}}, 3),
        ({"track_total_hits": True}, 3),
        ({}, 3),
    ],
)
def test_nothing_is_counted_where_nobody_asks(given: Any, searches: int) -> None:
    plan = planned(orjson.dumps(hybrid(MATCH, KNN) | given))
    assert (len(plan.bodies), plan.counts) == (searches, searches == 3)


def test_parameters_of_the_url_take_the_place_of_keys() -> None:
    given = SearchParameters(body={"size": "2", "_source": False, "track_total_hits": 5})
    half, last = bodies(hybrid(MATCH) | {"size": 9, "_source": ["x"], "version": True}, given)
    assert half == {"query": MATCH, "from": 0, "size": 2, "track_total_hits": False, "_source": False, "version": True}
    assert (last["size"], last["track_total_hits"], last["_source"]) == (0, 5, False)


def test_the_filter_is_that_of_each_query() -> None:
    filtered_knn = {"knn": {"v": {"vector": [1.5], "k": 3, "filter": MATCH}}}
    neural = {"neural": {"v": {"query_text": "x"}}}
    match, knn, other, asked, last = bodies(hybrid(MATCH, KNN, filtered_knn, neural, filter=TERM, pagination_depth=20))
    wanted = [
        {"bool": {"must": [MATCH], "filter": [TERM]}},
        {"knn": {"v": KNN["knn"]["v"] | {"filter": TERM}}},
        {"knn": {"v": filtered_knn["knn"]["v"] | {"filter": {"bool": {"must": [MATCH], "filter": [TERM]}}}}},
        {"neural": {"v": {"query_text": "x", "filter": TERM}}},
    ]
    assert [line["query"] for line in (match, knn, other, asked)] == wanted
    assert last["query"] == {"bool": {"should": wanted}}
    assert match["size"] == 20


def test_a_body_may_be_a_line_of_several() -> None:
    body = orjson.dumps(hybrid(MATCH, filter=TERM))
    data = b'{"index":"a"}\n' + body + b"\n{}\n" + body + b"\n"
    root = read(data, 14, 14 + len(body))
    assert isinstance(root, Object)
    plan = plan_hybrid(data, root, rewrite=lambda _, __: (), combination=Combination(), parameters=SearchParameters())
    assert plan.bodies == planned(body).bodies


def test_bytes_are_kept_and_lines_are_one_line() -> None:
    data = b"""{ // the title
      "query": {"hybrid": {"queries": [
        {"match": {"title": {"query": "a\\nb // c", "boost": 1e0}}} /* the
        first */
      ]}},
      "fields": ["\\u0074itle"], "ext": {"n": 12345678901234567890123}
    }"""
    half, last = planned(data).bodies
    assert b"\n" not in half + last
    assert b'{"match": {"title": {"query": "a\\nb // c", "boost": 1e0}}}' in half
    assert b'"fields": ["\\u0074itle"],"ext": {"n": 12345678901234567890123}}' in half


def test_changes_of_queries_are_in_all_searches() -> None:
    data = orjson.dumps(hybrid(MATCH, TERM) | {"post_filter": TERM})
    edits = [
        Edit(place, place + len(b'"term"'), b'"terms"')
        for place in range(len(data))
        if data[place:].startswith(b'"term"')
    ]
    first, second, last = (orjson.loads(line) for line in planned(data, edits=edits).bodies)
    changed = {"terms": TERM["term"]}
    assert [line["post_filter"] for line in (first, second, last)] == [changed] * 3
    assert (first["query"], second["query"]) == (MATCH, changed)
    assert last["query"]["bool"]["should"] == [MATCH, changed]
