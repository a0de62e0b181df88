"""Where the parameters of a search's URL go in a multi-search."""

from __future__ import annotations

import io
from typing import Any

import pytest

from sidecar.native.hybrid.parameters import SearchParameters, multi_search_target, read_parameters
from sidecar.native.request import NativeRequest


def request(target: str) -> NativeRequest:
    return NativeRequest("GET", target, [], io.BytesIO(), 0)


def read(query: str) -> SearchParameters:
    return read_parameters(request(f"/i/_search?{query}"))


@pytest.mark.parametrize(
    ("query", "body"),
    [
        ("from=2&size=3", {"from": "2", "size": "3"}),
        ("version&track_scores=false", {"version": True, "track_scores": False}),
        ("track_total_hits=5", {"track_total_hits": 5}),
        ("track_total_hits", {"track_total_hits": True}),
        ("track_total_hits=false", {"track_total_hits": False}),
        ("_source=false", {"_source": False}),
        ("_source=a,b.*", {"_source": {"includes": ["a", "b.*"]}}),
        ("_source_includes=a&_source_excludes=a.b", {"_source": {"includes": ["a"], "excludes": ["a.b"]}}),
        ("_source=true&_source_excludes=v", {"_source": {"excludes": ["v"]}}),
        ("docvalue_fields=a,b", {"docvalue_fields": ["a", "b"]}),
        ("timeout=5s&search_pipeline=p", {"timeout": "5s", "search_pipeline": "p"}),
    ],
)
def test_parameters_of_one_search_go_into_its_body(query: str, body: dict[str, Any]) -> None:
    found = read(query)
    assert (found.body, found.header, found.target) == (body, {}, "")


def test_parameters_of_lines_go_into_their_headers() -> None:
    assert read("preference=_local&request_cache=&allow_partial_search_results=false").header == {
        "preference": "_local",
        "request_cache": "true",
        "allow_partial_search_results": "false",
    }


def test_parameters_of_both_and_unknown_ones_pass_on() -> None:
    found = read("routing=a%20b&typed_keys&ignore_unavailable=true&expand_wildcards=open&x=%C3%BC&filter_path=took")
    assert found.target == "?routing=a%20b&typed_keys=&ignore_unavailable=true&expand_wildcards=open&x=%C3%BC"
    assert found.filter_path == "took"


@pytest.mark.parametrize(("query", "is_pretty"), [("pretty", True), ("pretty=true", True), ("pretty=false", False)])
def test_layout_is_made_here(query: str, is_pretty: bool) -> None:
    found = read(query)
    assert (found.is_pretty, found.target) == (is_pretty, "")


@pytest.mark.parametrize("query", ["q=x", "sort=a", "scroll=1m"])
def test_some_parameters_are_refused(query: str) -> None:
    assert read(query).refused == (query.partition("=")[0],)


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("/i/_search?typed_keys=true&size=1", "/i/_msearch?typed_keys=true"),
        ("/h%2Da,-b*/_search", "/h%2Da,-b*/_msearch"),
        ("/_search", "/_msearch"),
        ("//_search/", "/_msearch"),
        ("/i/_search/template", "/i/_msearch"),
        ("/_search/template", "/_msearch"),
    ],
)
def test_the_multi_search_goes_to_the_same_index(target: str, expected: str) -> None:
    asked = request(target)
    assert multi_search_target(asked, read_parameters(asked)) == expected
