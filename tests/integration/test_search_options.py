"""Options of OpenSearch's own on a real node: exact search, counting, sorting, explaining, highlights, routing, and
searches at a point in time."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from sidecar.errors import InvalidArgument
from sidecar.indexing.requests import AddDocuments, MultimodalCombination
from sidecar.opensearch.index_settings import TextPreprocessing
from sidecar.opensearch.points_in_time import close_point_in_time, open_point_in_time
from sidecar.searching.request import (
    Boost,
    HybridParameters,
    Ranking,
    Retrieval,
    SearchMethod,
    SearchOptions,
    SearchRequest,
)
from sidecar.searching.search_plan import SearchResult
from tests.brute_force import brute_force, chunked, documents_of, found_ids, ids
from tests.fix_opensearch import request
from tests.rooms import SETTINGS, Rooms

SPLIT = replace(SETTINGS, text_preprocessing=TextPreprocessing(split_length=1), number_of_shards=3)
TEXTS = chunked(120, ("title", "body"))
COLORS = ["red", "green", "dark red"]
EMBEDDED = {document_id for document_id, fields in TEXTS.items() if fields}


def colored() -> list[dict[str, Any]]:
    """The documents of `TEXTS` with values of every kind."""
    documents = documents_of(TEXTS)
    for number, document in enumerate(documents):
        document |= {"color": COLORS[number % 3], "ok": number % 4 == 0, "tags": [f"t{number % 5}", "all"]}
        if number % 2:
            document["price"] = number / 8
    return documents


@pytest.fixture(scope="module")
def options_index(node: str) -> Iterator[str]:
    """The name of an index that all tests of this file read."""
    name = "test-search-options"
    yield name
    request(node, "DELETE", f"/{name}?ignore_unavailable=true")


@pytest.fixture
def index(rooms: Rooms, options_index: str, node: str) -> str:
    """An index of three shards with the documents; `when`, a date, is added in the cluster."""
    if options_index not in rooms.cluster.list_indexes():
        rooms.create(options_index, SPLIT)
        status, told = request(node, "PUT", f"/{options_index}/_mapping", '{"properties":{"when":{"type":"date"}}}')
        assert status == 200, told
        documents = [document | {"when": f"2024-01-{1 + n % 28:02}"} for n, document in enumerate(colored())]
        rooms.add(options_index, documents, ["title", "body"])
    return options_index


def search(rooms: Rooms, index: str, options: SearchOptions, **others: Any) -> SearchResult:
    asked = SearchRequest(**{"q": "q", "limit": 1000, **others}, options=options)
    return rooms.searcher.search(index, asked)


def nearest() -> list[str]:
    return found_ids(brute_force(TEXTS, "q", ("title", "body")))


@pytest.mark.parametrize("options", [SearchOptions(is_exact=True), SearchOptions(ef_search=500)])
@pytest.mark.parametrize("condition", [None, "color:red"])
def test_exact_searches_and_wide_ones_find_the_nearest(
    rooms: Rooms, index: str, options: SearchOptions, condition: str | None
) -> None:
    wanted = [name for name in nearest() if condition is None or int(name[1:]) % 3 == 0]
    before = rooms.calls["search"]
    assert ids(search(rooms, index, options, filter=condition, limit=20).hits) == wanted[:20]
    assert rooms.calls["search"] == before + 1
    assert ids(search(rooms, index, options, filter=condition, limit=20, offset=20).hits) == wanted[20:40]


# Counting


@pytest.mark.parametrize("method", list(SearchMethod))
def test_facets_count_strings_booleans_and_lists_and_sum_up_numbers_and_dates(
    rooms: Rooms, index: str, method: SearchMethod
) -> None:
    facets = {"color": 2, "ok": 10, "tags": 10, "number": 10, "price": 10, "when": 10}
    result = search(rooms, index, SearchOptions(facets=facets), q="sentence", method=method, limit=5)
    found = [document for document in colored() if document["_id"] in EMBEDDED]
    colors = Counter(document["color"] for document in found)
    told = result.others["facets"]
    assert list(told) == list(facets)
    # Shards tell their own most frequent values, so that only all of them together are sure.
    assert told["color"]["others"] + sum(value["count"] for value in told["color"]["values"]) == len(found)
    assert len(told["color"]["values"]) == 2
    assert {value["value"]: value["count"] for value in told["ok"]["values"]} == Counter(d["ok"] for d in found)
    tags = Counter(tag for document in found for tag in document["tags"])
    assert {value["value"]: value["count"] for value in told["tags"]["values"]} == tags
    numbers = [document["number"] for document in found]
    assert told["number"] == {
        "count": len(numbers),
        "min": min(numbers),
        "max": max(numbers),
        "avg": pytest.approx(sum(numbers) / len(numbers)),
        "sum": sum(numbers),
    }
    prices = [document["price"] for document in found if "price" in document]
    assert (told["price"]["count"], told["price"]["sum"]) == (len(prices), pytest.approx(sum(prices)))
    assert told["when"]["min_as_string"].startswith("2024-01-01")
    every = search(rooms, index, SearchOptions(facets={"color": 10}), q="sentence", method=method, limit=1)
    counted = {value["value"]: value["count"] for value in every.others["facets"]["color"]["values"]}
    assert counted == colors
    assert every.others["facets"]["color"]["others"] == 0


@pytest.mark.parametrize("method", list(SearchMethod))
def test_what_is_counted_is_the_same_on_every_page(rooms: Rooms, index: str, method: SearchMethod) -> None:
    options = SearchOptions(facets={"color": 5}, aggregations={"sum": {"sum": {"field": "number"}}})
    asked = {"q": "sentence", "method": method, "filter": "number:[10 TO 90]"}
    first, later, behind = (
        search(rooms, index, options, limit=5, offset=offset, **asked).others for offset in (0, 60, 500)
    )
    assert first == later == behind
    kept = [name for name in EMBEDDED if 10 <= int(name[1:]) <= 90]
    assert first["aggregations"]["sum"]["value"] == sum(int(name[1:]) for name in kept)


def test_aggregations_are_passed_through_with_what_is_within_them(rooms: Rooms, index: str) -> None:
    aggregations = {
        "colors": {"terms": {"field": "color.keyword"}, "aggs": {"mean": {"avg": {"field": "number"}}}},
        "some": {"filter": {"range": {"number": {"lt": 10}}}},
    }
    options = SearchOptions(aggregations=aggregations, facets={"color": 1})
    found = search(rooms, index, options, limit=1).others
    assert list(found) == ["aggregations", "facets"]
    assert set(found["aggregations"]) == {"colors", "some"}
    assert {bucket["key"] for bucket in found["aggregations"]["colors"]["buckets"]} == set(COLORS)
    assert all("mean" in bucket for bucket in found["aggregations"]["colors"]["buckets"])
    assert found["aggregations"]["some"]["doc_count"] == len([n for n in EMBEDDED if int(n[1:]) < 10])
    assert search(rooms, index, SearchOptions(aggregations={}), limit=1).others == {"aggregations": {}}


@pytest.mark.parametrize("q", ["q", "nowhere"])
def test_facets_of_a_search_without_hits_are_empty(rooms: Rooms, index: str, q: str) -> None:
    options = SearchOptions(facets={"color": 3, "number": 3}, aggregations={"top": {"max": {"field": "number"}}})
    for method in SearchMethod:
        found = search(rooms, index, options, q=q, method=method, filter="color:none").others
        assert found["facets"]["color"] == {"values": [], "others": 0}
        assert found["facets"]["number"]["count"] == 0
        assert found["aggregations"] == {"top": {"value": None}}
        nothing = search(rooms, index, options, q=q, method=method, searchable_attributes=()).others
        assert nothing == found


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (SearchOptions(facets={"nope": 1}), "facets: no document of the index has a field 'nope'"),
        (SearchOptions(facets={"__embeddings.title": 1}), "no document of the index has a field"),
        (SearchOptions(aggregations={"a": {"terms": {}}}), "aggregations can't be searched with"),
        (SearchOptions(aggregations={"a": {"nope": {}}}), "aggregations can't be searched with"),
        (SearchOptions(aggregations={"a": {"terms": {"script": "1"}}}), "a search can't run a script"),
        (SearchOptions(sort=("nope",)), "sort: no document of the index has a field 'nope'"),
        (SearchOptions(sort=("_script",)), "sort: no document"),
        (SearchOptions(sort=({"number": {"mode": "odd"}},)), "sort can't be searched with"),
        (SearchOptions(point_in_time="nonsense"), "pointInTime 'nonsense' is not one of index"),
    ],
)
@pytest.mark.parametrize("method", [SearchMethod.TENSOR, SearchMethod.LEXICAL])
def test_what_opensearch_refuses_is_the_clients_to_mend(
    rooms: Rooms, index: str, options: SearchOptions, told: str, method: SearchMethod
) -> None:
    with pytest.raises(InvalidArgument, match=told):
        search(rooms, index, options, method=method)


# Sorting and explaining


@pytest.mark.parametrize("method", [SearchMethod.TENSOR, SearchMethod.LEXICAL])
@pytest.mark.parametrize(
    ("sort", "key"),
    [
        (("number",), lambda document: document["number"]),
        (({"number": {"order": "desc"}},), lambda document: -document["number"]),
        (({"color": {"order": "asc"}}, {"number": {"order": "desc"}}), lambda d: (d["color"], -d["number"])),
        (({"price": {"order": "asc", "missing": "_first"}}, "number"), lambda d: (d.get("price", -1), d["number"])),
        (({"price": {"order": "desc"}}, "number"), lambda d: (-d.get("price", -1), d["number"])),
        (({"absent": {"unmapped_type": "long"}}, "number"), lambda document: document["number"]),
        (("ok", "number"), lambda document: (document["ok"], document["number"])),
        (("when", "number"), lambda document: (document["number"] % 28, document["number"])),
    ],
)
def test_hits_come_in_the_order_of_their_values_on_every_page(
    rooms: Rooms, index: str, method: SearchMethod, sort: tuple[Any, ...], key: Any
) -> None:
    wanted = [document["_id"] for document in sorted(colored(), key=key) if document["_id"] in EMBEDDED]
    options = SearchOptions(sort=sort)
    found: list[str] = []
    for offset in range(0, 120, 25):
        hits = search(rooms, index, options, q="sentence", method=method, limit=25, offset=offset).hits
        assert all(len(hit["_sort"]) == len(sort) and hit["_score"] > 0 for hit in hits)
        found += ids(hits)
    assert found == wanted


def test_scores_can_be_one_of_the_keys(rooms: Rooms, index: str) -> None:
    farthest = search(rooms, index, SearchOptions(sort=({"_score": {"order": "asc"}},))).hits
    assert ids(farthest) == nearest()[::-1]
    grouped = search(rooms, index, SearchOptions(sort=("color", "_score"))).hits
    assert ids(grouped) == sorted(nearest(), key=lambda name: COLORS[int(name[1:]) % 3])
    assert [hit["_sort"][0] for hit in grouped] == [hit["color"] for hit in grouped]


def test_sorted_hits_keep_their_highlights(rooms: Rooms, index: str) -> None:
    wanted = {name: highlight for name, _, highlight in brute_force(TEXTS, "q", ("title", "body"))}
    for hit in search(rooms, index, SearchOptions(sort=("number",))).hits:
        assert hit["_highlights"] == wanted[hit["_id"]]


@pytest.mark.parametrize(
    "others",
    [
        {},
        {"method": SearchMethod.LEXICAL},
        {"method": SearchMethod.HYBRID, "hybrid": HybridParameters(Retrieval.LEXICAL, Ranking.TENSOR)},
    ],
)
def test_hits_are_explained(rooms: Rooms, index: str, others: Mapping[str, Any]) -> None:
    for hit in search(rooms, index, SearchOptions(explain=True), q="sentence 7", limit=3, **others).hits:
        assert hit["_explanation"]["value"] == pytest.approx(hit["_score"])
        assert hit["_explanation"]["details"]
    assert "_explanation" not in search(rooms, index, SearchOptions(), q="sentence 7", limit=1, **others).hits[0]


# What hits show


def test_words_are_highlighted_on_demand(rooms: Rooms, index: str) -> None:
    (hit,) = search(
        rooms, index, SearchOptions(lexical_highlights={}), q="7 title", method=SearchMethod.LEXICAL, filter="number:7"
    ).hits
    assert "<em>7</em> <em>title</em>" in hit["_highlights"]["title"][0]
    own = {"pre_tags": ["<b>"], "post_tags": ["</b>"], "fields": {"title": {"number_of_fragments": 0}}}
    (hit,) = search(
        rooms, index, SearchOptions(lexical_highlights=own), q="7", method=SearchMethod.LEXICAL, filter="number:7"
    ).hits
    assert hit["_highlights"] == {"title": [hit["title"].replace("7", "<b>7</b>")]}
    with pytest.raises(InvalidArgument, match="lexicalHighlights can't be searched with"):
        search(rooms, index, SearchOptions(lexical_highlights={"odd": 1}), method=SearchMethod.LEXICAL)
    with pytest.raises(InvalidArgument, match=r"lexicalHighlights\.highlight_query"):
        query = {"highlight_query": {"script": {}}}
        search(rooms, index, SearchOptions(lexical_highlights=query), method=SearchMethod.LEXICAL)


@pytest.mark.parametrize("method", list(SearchMethod))
@pytest.mark.parametrize(
    ("options", "shown"),
    [
        (SearchOptions(source_includes=("co*", "number")), {"color", "number"}),
        (SearchOptions(source_excludes=("t*", "body", "when", "price")), {"color", "number", "ok"}),
        (SearchOptions(source_includes=("*o*",), source_excludes=("ok", "bod?")), {"color", "body"}),
        (SearchOptions(source_includes=("title",)), {"title"}),
        (SearchOptions(source_includes=("*",), source_excludes=("*",)), set()),
        (SearchOptions(source_includes=("__embeddings*",)), set()),
    ],
)
def test_patterns_choose_the_fields_that_are_shown(
    rooms: Rooms, index: str, method: SearchMethod, options: SearchOptions, shown: set[str]
) -> None:
    hits = search(rooms, index, options, q="sentence", method=method, limit=30).hits
    assert len(hits) == 30
    for hit in hits:
        fields = {key for key in hit if not key.startswith("_")}
        assert fields <= shown
        assert fields >= shown - {"title", "body"}
        if method is SearchMethod.TENSOR:
            assert hit["_highlights"], "the fields that highlights are of are read, but not shown"


def test_a_part_of_a_field_may_be_hidden(rooms: Rooms, index_name: str) -> None:
    rooms.create(index_name, SPLIT)
    document = {"_id": "1", "combo": {"a": "One.", "b": "Two."}}
    mappings = {"combo": MultimodalCombination({"a": 1.0, "b": 1.0})}
    rooms.send(index_name, AddDocuments([document], ("combo",), None, mappings=mappings))
    for excludes, shown in ((("combo.a",), {"b": "Two."}), (("combo.*",), {}), (("other.a",), document["combo"])):
        (hit,) = search(rooms, index_name, SearchOptions(source_excludes=excludes)).hits
        assert hit["combo"] == shown
        assert json.loads(hit["_highlights"]["combo"]) == document["combo"]


# Where is searched


def test_routing_searches_the_shard_of_a_key(rooms: Rooms, index: str) -> None:
    parts = [
        {hit["_id"] for hit in search(rooms, index, SearchOptions(routing=key), q="sentence", method=method).hits}
        for method in SearchMethod
        for key in ("d1", "d2", "d3", "d4", "d5")
    ]
    assert all(part < EMBEDDED for part in parts)
    assert set().union(*parts) <= EMBEDDED
    for place, key in enumerate(("d1", "d2", "d3", "d4", "d5")):
        if key in EMBEDDED:
            assert key in parts[place]
    assert parts[:5] == parts[5:10] == parts[10:]


@pytest.mark.parametrize(
    ("method", "sort"),
    [
        (SearchMethod.TENSOR, ()),
        (SearchMethod.TENSOR, ({"number": {"order": "desc"}},)),
        (SearchMethod.LEXICAL, ()),
        (SearchMethod.LEXICAL, ("color",)),
    ],
)
def test_all_hits_of_a_point_in_time_are_read_page_by_page(
    rooms: Rooms, index_name: str, method: SearchMethod, sort: tuple[Any, ...]
) -> None:
    rooms.create(index_name, SPLIT)
    rooms.add(index_name, colored(), ["title", "body"])
    state = rooms.states.get(index_name)
    opened = open_point_in_time(rooms.cluster, state, keep_alive="1m")
    whole = search(rooms, index_name, SearchOptions(sort=sort), q="sentence", method=method).hits
    rooms.add(index_name, [{"_id": "late", "title": "sentence"}, {"_id": "d0", "title": "sentence"}], ["title"])
    options = SearchOptions(point_in_time=opened, sort=sort)
    found: list[str] = []
    while True:
        result = search(rooms, index_name, options, q="sentence", method=method, limit=7)
        found += ids(result.hits)
        if result.others["searchAfter"] is None:
            assert result.hits == []
            break
        options = replace(options, search_after=tuple(result.others["searchAfter"]))
    assert len(found) == len(set(found)) == len(EMBEDDED)
    if not sort and method is SearchMethod.TENSOR:
        assert found == ids(whole)
    assert "late" not in found
    assert close_point_in_time(rooms.cluster, state, opened)
    with pytest.raises(InvalidArgument, match=r"pointInTime .* is closed"):
        search(rooms, index_name, options, method=method)


# Filters in OpenSearch's own words


@pytest.mark.parametrize("method", list(SearchMethod))
@pytest.mark.parametrize(
    ("query", "keeps"),
    [
        ({"term": {"color.keyword": "dark red"}}, lambda number: number % 3 == 2),
        ({"terms": {"number": [1, 2, 3, 500]}}, lambda number: number in (1, 2, 3)),
        ({"range": {"when": {"gte": "2024-01-20"}}}, lambda number: number % 28 >= 19),
        ({"bool": {"must_not": {"exists": {"field": "price"}}}}, lambda number: number % 2 == 0),
        ({"ids": {"values": ["d1", "d2"]}}, lambda number: number in (1, 2)),
        ({"bool": {"should": [{"term": {"ok": True}}, {"term": {"number": 1}}]}}, lambda n: n % 4 == 0 or n == 1),
        ({"match": {"color": "dark"}}, lambda number: number % 3 == 2),
        ({"match_none": {}}, lambda number: False),
    ],
)
def test_queries_of_opensearch_are_filters(
    rooms: Rooms, index: str, method: SearchMethod, query: dict[str, Any], keeps: Any
) -> None:
    found = ids(search(rooms, index, SearchOptions(), q="sentence", method=method, filter=query).hits)
    assert sorted(found) == sorted(name for name in EMBEDDED if keeps(int(name[1:])))


def test_a_query_about_embeddings_is_a_harmless_filter(rooms: Rooms, index: str) -> None:
    query = {"nested": {"path": "__embeddings.title", "query": {"exists": {"field": "__embeddings.title.vector"}}}}
    for boost in ({}, {"title": Boost(2.0)}):
        hits = search(rooms, index, SearchOptions(), filter=query, boost=boost).hits
        assert set(ids(hits)) == {name for name, fields in TEXTS.items() if "title" in fields}
        assert not any(key.startswith("__") for hit in hits for key in hit)


@pytest.mark.parametrize("method", list(SearchMethod))
@pytest.mark.parametrize(
    "query",
    [
        {"script": {"script": "true"}},
        {"terms": {"color": {"index": "other", "id": "1", "path": "p"}}},
        {"range": {"number": {"odd": 1}}},
        {"term": {"number": "red"}},
        {"range": {"when": {"gte": "yesterday-ish"}}},
        {"regexp": {"color.keyword": "[["}},
        {"nested": {"path": "nope", "query": {"match_all": {}}}},
        {"match": {"color": {"query": "red", "odd": 1}}},
        {"term": 5},
        {},
    ],
)
def test_a_filter_that_can_not_be_is_the_clients_to_mend(
    rooms: Rooms, index: str, method: SearchMethod, query: dict[str, Any]
) -> None:
    with pytest.raises(InvalidArgument, match="filter"):
        search(rooms, index, SearchOptions(), q="sentence", method=method, filter=query)
