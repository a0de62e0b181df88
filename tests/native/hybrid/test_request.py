"""Which bodies are hybrid searches, and which of these are refused, in the neural-search plugin's words."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from sidecar.native.errors import Refused
from sidecar.native.hybrid.parameters import SearchParameters
from sidecar.native.hybrid.request import HybridRequest, read_hybrid
from sidecar.native.json.spans import Object, read
from sidecar.native.queries.grammar import is_hybrid

MATCH = {"match": {"title": "x"}}


def parsed(body: Any, parameters: SearchParameters | None = None) -> HybridRequest:
    data = orjson.dumps(body)
    root = read(data)
    assert isinstance(root, Object)
    assert is_hybrid(root)
    return read_hybrid(root, data, parameters or SearchParameters())


def hybrid(**given: Any) -> dict[str, Any]:
    return {"query": {"hybrid": {"queries": [MATCH, MATCH], **given}}}


def test_a_page_is_ten_hits_and_looks_at_as_many() -> None:
    found = parsed(hybrid())
    assert (found.first, found.size, found.depth, len(found.queries)) == (0, 10, 10, 2)


@pytest.mark.parametrize(
    ("pagination_depth", "body", "url", "depth"),
    [
        (50, {"from": 20, "size": 10}, {}, 50),
        ("50", {"from": "20", "size": 10}, {}, 50),
        (15, {"from": 20, "size": 10}, {}, 30),
        (15, {"from": 1, "size": 2}, {"from": "20", "size": "10"}, 30),
    ],
)
def test_depth_reaches_to_the_end_of_the_page(
    pagination_depth: Any, body: dict[str, Any], url: dict[str, str], depth: int
) -> None:
    found = parsed(hybrid(pagination_depth=pagination_depth) | body, SearchParameters(body=url))
    assert (found.first, found.size, found.depth) == (20, 10, depth)


def test_one_query_may_stand_without_a_list() -> None:
    assert len(parsed({"query": {"hybrid": {"queries": MATCH}}}).queries) == 1


@pytest.mark.parametrize(
    "body", [{"query": MATCH}, {"query": {"bool": {"must": [hybrid()["query"]]}}}, {}, {"hybrid": 1}]
)
def test_other_bodies_are_no_hybrid_searches(body: Any) -> None:
    assert not is_hybrid(read(orjson.dumps(body)))


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"queries": []}, "[hybrid] requires 'queries' field with at least one clause"),
        ({"queries": [MATCH] * 6}, "Number of sub-queries exceeds maximum supported by [hybrid] query"),
        ({"queries": ["x"]}, "[_na] query malformed, must start with start_object"),
        ({"boost": 2.0}, "[hybrid] query does not support [boost]"),
        ({"minimum": 1}, "Field is not supported by [hybrid] query"),
        ({"minimum": {}}, "Field is not supported by [hybrid] query"),
        ({"boost": []}, "Field is not supported by [hybrid] query"),
        ({"filter": [MATCH]}, "[hybrid] query's [filter] field must be a query object"),
    ],
)
def test_what_cannot_be_parsed_is_refused(given: Any, reason: str) -> None:
    with pytest.raises(Refused) as refused:
        parsed(hybrid(**given))
    assert (refused.value.message, refused.value.opensearch_type) == (reason, "parsing_exception")
    assert refused.value.status == 400


@pytest.mark.parametrize(
    ("given", "body", "reason"),
    [
        ({"pagination_depth": 0}, {}, "pagination_depth should be greater than 0"),
        ({"pagination_depth": "x"}, {}, "Failed to parse int parameter [pagination_depth] with value [x]"),
        ({}, {"size": -1}, "[size] parameter cannot be negative, found [-1]"),
        ({}, {"from": "x"}, "Failed to parse int parameter [from] with value [x]"),
        ({}, {"sort": ["_score"]}, "[hybrid] query does not support [sort]"),
        ({}, {"search_after": [1]}, "[hybrid] query does not support [search_after]"),
        ({}, {"collapse": {"field": "x"}}, "[hybrid] query does not support [collapse]"),
        ({}, {"rescore": {"query": {}}}, "[hybrid] query does not support [rescore]"),
        ({}, {"explain": True}, "[hybrid] query does not support [explain]"),
        (
            {"queries": [hybrid()["query"]]},
            {},
            "hybrid query must be a top level query and cannot be wrapped into other queries",
        ),
    ],
)
def test_what_no_hybrid_search_can_have_is_refused(given: Any, body: Any, reason: str) -> None:
    with pytest.raises(Refused) as refused:
        parsed(hybrid(**given) | body)
    assert (refused.value.message, refused.value.opensearch_type) == (reason, "illegal_argument_exception")


def test_what_is_switched_off_is_not_refused() -> None:
    assert parsed(hybrid(boost=1) | {"sort": [], "explain": False, "collapse": None, "rescore": []}).size == 10


@pytest.mark.parametrize(
    ("parameters", "reason"),
    [
        (SearchParameters(refused=("scroll",)), "Scroll operation is not supported in hybrid query"),
        (SearchParameters(refused=("sort",)), "[hybrid] query does not support [sort]"),
        (SearchParameters(body={"explain": True}), "[hybrid] query does not support [explain]"),
        (
            SearchParameters(search_type="dfs_query_then_fetch"),
            "[hybrid] query does not support [search_type] of [dfs_query_then_fetch]",
        ),
    ],
)
def test_what_the_url_asks_for_is_refused_too(parameters: SearchParameters, reason: str) -> None:
    with pytest.raises(Refused, match=r"hybrid") as refused:
        parsed(hybrid(), parameters)
    assert refused.value.message == reason
