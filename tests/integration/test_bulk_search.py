"""Several searches in one request, on a real node."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from sidecar.errors import IndexNotFound, InvalidArgument, ModelFailed, SidecarError
from sidecar.opensearch.index_settings import TextPreprocessing
from sidecar.opensearch.points_in_time import close_point_in_time, open_point_in_time
from sidecar.opensearch.transport import Transport
from sidecar.searching.request import (
    Boost,
    ContextVector,
    HybridParameters,
    Ranking,
    Retrieval,
    ScoreModifiers,
    SearchMethod,
    SearchOptions,
    SearchRequest,
)
from tests.brute_force import RIGHT, chunked, documents_of
from tests.embedding.faulty_loader import POISON, FaultyLoader
from tests.fix_opensearch import request
from tests.rooms import SETTINGS, Rooms

SPLIT = replace(SETTINGS, text_preprocessing=TextPreprocessing(split_length=1), number_of_shards=2)
TENSOR = SearchRequest(q="q")
LEXICAL = SearchRequest(q="body 3", method=SearchMethod.LEXICAL)
MIXED = [
    TENSOR,
    LEXICAL,
    SearchRequest(q="sentence 3", method=SearchMethod.HYBRID, limit=4),
    SearchRequest(q={"a": 1.0, "q": -2.0}, limit=3, offset=2),
    SearchRequest(q=None, context=(ContextVector(RIGHT.encode_text(["x"])[0], 1.0),)),
    SearchRequest(q={"q": 1.0, "z": 0.5}, context=(ContextVector(RIGHT.encode_text(["x"])[0], -1.0),)),
    SearchRequest(q="q", filter="number:[3 TO 9]", limit=40),
    SearchRequest(q="q", boost={"title": Boost(2.0, 1.0)}, modifiers=ScoreModifiers(add=(("number", 0.1),))),
    SearchRequest(q="x", searchable_attributes=("title",), attributes_to_retrieve=("number",)),
    SearchRequest(q="x", searchable_attributes=()),
    SearchRequest(q={"q": 0.0}),
    SearchRequest(q="q", options=SearchOptions(facets={"number": 1}, sort=("number",))),
    SearchRequest(q="sentence", method=SearchMethod.HYBRID, hybrid=HybridParameters(Retrieval.TENSOR, Ranking.LEXICAL)),
]


@pytest.fixture
def index(rooms: Rooms, index_name: str) -> str:
    rooms.create(index_name, SPLIT)
    rooms.add(index_name, documents_of(chunked(30, ("title", "body"))), ["title", "body"])
    return index_name


def test_answers_are_those_of_single_searches_in_order_and_one_request(rooms: Rooms, index: str) -> None:
    single = [rooms.searcher.search(index, asked) for asked in MIXED]
    assert sum(bool(result.hits) for result in single) == len(MIXED) - 2
    before = rooms.calls.counts.copy()
    many = rooms.searcher.search_many([(index, asked) for asked in MIXED])
    # A filter that keeps less than a page takes a second request, once for all.
    assert rooms.calls.counts - before == {"search_many": 1, "search": 1}
    assert many == single


def test_searches_of_several_indexes_are_one_request(rooms: Rooms, index: str) -> None:
    other = f"{index}-other"
    rooms.create(other, SETTINGS)
    rooms.add(other, [{"_id": "only", "text": "body 3"}])
    asked = [(other, TENSOR), (index, LEXICAL), (other, LEXICAL), (index, TENSOR)]
    single = [rooms.searcher.search(name, each) for name, each in asked]
    before = rooms.calls.counts.copy()
    assert rooms.searcher.search_many(asked) == single
    assert rooms.calls.counts - before == {"search_many": 1}
    assert [hit["_id"] for hit in single[0].hits] == ["only"]
    rooms.cluster.delete_index(other)


def test_nothing_asked_is_nothing_answered_without_a_request(rooms: Rooms) -> None:
    assert rooms.searcher.search_many([]) == []
    assert rooms.calls.counts.total() == 0


def test_the_queries_of_all_searches_are_one_run_of_the_model(transport: Transport, index_name: str) -> None:
    loader = FaultyLoader(32)
    with Rooms(transport, lambda spec: loader) as rooms:
        rooms.create(index_name)
        rooms.add(index_name, [{"_id": "1", "text": "A text."}])
        loader.batches.clear()
        asked: list[SearchRequest] = [
            SearchRequest(q="one"),
            SearchRequest(q="two three"),
            SearchRequest(q={"one": 1.0, "four": 2.0}),
            SearchRequest(q="words alone", method=SearchMethod.LEXICAL),
            SearchRequest(q="five", method=SearchMethod.HYBRID),
            SearchRequest(q="two three", limit=3),
        ]
        assert len(rooms.searcher.search_many([(index_name, each) for each in asked])) == len(asked)
        assert [sorted(batch) for batch in loader.batches] == [["five", "four", "one", "two three"]]
        rooms.searcher.search_many([(index_name, SearchRequest(q="one")), (index_name, SearchRequest(q="six"))])
        assert loader.batches[1:] == [["six"]], "what is known is not embedded again"


def test_a_query_that_the_model_fails_on_fails_all(transport: Transport, index_name: str) -> None:
    loader = FaultyLoader(32)
    with Rooms(transport, lambda spec: loader) as rooms:
        rooms.create(index_name)
        with pytest.raises(ModelFailed, match="choked"):
            rooms.searcher.search_many([(index_name, SearchRequest(q=q)) for q in ("fine", POISON)])
        assert rooms.calls["search_many"] == 0


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"filter": "(("}, r"^queries\[2\]: .*filter"),
        ({"filter": {"script": {}}}, r"^queries\[2\]: filter"),
        ({"filter": {"range": {"number": {"odd": 1}}}}, r"^queries\[2\]: filter can't be searched with"),
        ({"filter": {"term": {"number": "red"}}}, r"^queries\[2\]: filter can't be searched with"),
        ({"filter": "title:/[/"}, r"^queries\[2\]: filter: column 8"),
        ({"options": SearchOptions(aggregations={"a": {"odd": {}}})}, r"^queries\[2\]: aggregations can't be"),
        ({"options": SearchOptions(facets={"odd": 1})}, r"^queries\[2\]: facets"),
        ({"options": SearchOptions(sort=("odd",))}, r"^queries\[2\]: sort"),
        ({"options": SearchOptions(point_in_time="odd")}, r"^queries\[2\]: pointInTime"),
        (
            {"q": None, "context": (ContextVector(RIGHT.encode_text(["x"])[0][:5], 1.0),)},
            r"^queries\[2\]: The provided vectors are not in the same dimension",
        ),
    ],
)
def test_a_bad_search_fails_all_and_its_number_is_told(
    rooms: Rooms, index: str, wrong: dict[str, Any], told: str
) -> None:
    # The filters of the others are fine, and must not be blamed.
    fine = replace(TENSOR, filter="number:3")
    asked = [(index, fine), (index, LEXICAL), (index, replace(TENSOR, **wrong)), (index, fine)]
    with pytest.raises(InvalidArgument) as raised:
        rooms.searcher.search_many(asked)
    assert re.search(told, raised.value.message)


def test_an_unknown_index_is_told_with_the_number_of_its_search(rooms: Rooms, index: str) -> None:
    for unknown in ("no-such-index", "*", f"{index},{index}"):
        with pytest.raises(IndexNotFound) as raised:
            rooms.searcher.search_many([(index, TENSOR), (unknown, TENSOR)])
        assert raised.value.message.startswith(f"queries[1]: There is no index '{unknown}'")


def test_an_index_that_vanishes_between_is_told_too(rooms: Rooms, index: str, node: str) -> None:
    rooms.search(index, "q")
    status, _ = request(node, "DELETE", f"/{index}")
    assert status == 200
    with pytest.raises(SidecarError) as raised:
        rooms.searcher.search_many([(index, TENSOR), (index, LEXICAL)])
    assert raised.value.status == 404
    assert raised.value.message.startswith("queries[0]: ")


def test_searches_of_a_point_in_time_go_with_others(rooms: Rooms, index: str) -> None:
    state = rooms.states.get(index)
    opened = open_point_in_time(rooms.cluster, state, keep_alive="1m")
    at_point = replace(LEXICAL, options=SearchOptions(point_in_time=opened), limit=3)
    first, plain = rooms.searcher.search_many([(index, at_point), (index, LEXICAL)])
    assert [hit["_id"] for hit in first.hits] == [hit["_id"] for hit in plain.hits[:3]]
    assert len(first.others["searchAfter"]) == 2
    assert close_point_in_time(rooms.cluster, state, opened)
    with pytest.raises(InvalidArgument) as raised:
        rooms.searcher.search_many([(index, LEXICAL), (index, at_point)])
    assert re.search(r"^queries\[1\]: pointInTime .* is closed", raised.value.message)
