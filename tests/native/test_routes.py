"""Which requests are looked into, by OpenSearch's own reading of their targets."""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.native.parts import NativeCall
from sidecar.native.raw_target import decoded, is_plain, read_parameters, without_parameters
from sidecar.native.request import NativeAnswer, NativeRequest
from sidecar.native.routes import Router, path_segments, route


def nobody(call: NativeCall) -> NativeAnswer:
    raise AssertionError("routes are only looked for here")


ROUTER = Router(
    [
        route("POST PUT", "/_bulk", nobody),
        route("POST PUT", "/{index}/_bulk", nobody),
        route("PUT POST", "/{index}/_doc/{id}", nobody),
        route("GET POST", "/{index}/_search", nobody),
        route("GET POST", "/_search/template", nobody),
        route("PUT", "/{index}", nobody),
        route("PUT GET", "/_ingest/pipeline/{id}", nobody),
    ]
)


def found(method: str, target: str) -> tuple[str, Mapping[str, str]] | None:
    """The template and the variables of a request."""
    match = ROUTER.find(NativeRequest(method, target, (), BytesIO(), 0))
    return None if match is None else (match[0].template, match[1])


@pytest.mark.parametrize(
    ("method", "target", "template", "variables"),
    [
        ("POST", "/_bulk", "/_bulk", {}),
        ("PUT", "//_bulk", "/_bulk", {}),
        ("POST", "/_bulk/", "/_bulk", {}),
        ("POST", "/_bulk//", "/_bulk", {}),
        ("POST", "/_bulk?refresh=true", "/_bulk", {}),
        ("POST", "/i/_bulk/", "/{index}/_bulk", {"index": "i"}),
        ("POST", "/h%2Da/_bulk", "/{index}/_bulk", {"index": "h-a"}),
        ("GET", "/a,b*/_search", "/{index}/_search", {"index": "a,b*"}),
        ("GET", "/_all/_search", "/{index}/_search", {"index": "_all"}),
        ("GET", "/%3Clogs-%7Bnow%2Fd%7D%3E/_search", "/{index}/_search", {"index": "<logs-{now/d}>"}),
        ("PUT", "/i/_doc/a%2Fb+c%20%25", "/{index}/_doc/{id}", {"index": "i", "id": "a/b+c %"}),
        ("PUT", "/i/_doc/_x", "/{index}/_doc/{id}", {"index": "i", "id": "_x"}),
        ("PUT", "/i/_doc/%C3%A9", "/{index}/_doc/{id}", {"index": "i", "id": "é"}),
        ("PUT", "/%5Fbulk", "/{index}", {"index": "_bulk"}),
        ("GET", "/_search/template", "/_search/template", {}),
        ("PUT", "/_ingest/pipeline/.x", "/_ingest/pipeline/{id}", {"id": ".x"}),
    ],
)
def test_requests_that_are_looked_into(method: str, target: str, template: str, variables: dict[str, str]) -> None:
    assert found(method, target) == (template, variables)


@pytest.mark.parametrize(
    ("method", "target"),
    [
        *(("GET", "/"), ("GET", "/_bulk"), ("DELETE", "/i"), ("POST", "/_search/scroll"), ("POST", "/_bulk/stream")),
        *(("POST", "/i//_bulk"), ("POST", "//i/_bulk"), ("PUT", "/../_bulk"), ("POST", "/i/./_bulk"), ("PUT", "//")),
        *(("POST", "/.kibana/_bulk"), ("POST", "/%2Ekibana/_bulk"), ("PUT", "/_nope"), ("GET", "/_nope/_search")),
        *(("POST", "/%zz/_bulk"), ("POST", "/i/_bulk?q=%zz"), ("POST", "/i%/_bulk"), ("POST", "/\xe9/_bulk")),
        *(("PUT", "/%ff"), ("PUT", "/i#x"), ("POST", "/_bulk?a=1#x"), ("OPTIONS", "*"), ("GET", "http://h/_search")),
        *(("POST", "/i/%5Fbulk"), ("POST", "/i/_BULK"), ("post", "/i/_bulk")),
    ],
)
def test_requests_that_pass_as_they_are(method: str, target: str) -> None:
    assert found(method, target) is None


@pytest.mark.parametrize(
    ("query", "parameters"),
    [
        ("", {}),
        ("a=1&b=2;c", {"a": "1", "b": "2", "c": ""}),
        ("a=1&a=2", {"a": "2"}),
        ("a=x+y%2B%20=&&;", {"a": "x y+ ="}),
        ("a=%C3%A9&%62=", {"a": "é", "b": ""}),
        ("a=?x", {"a": "?x"}),
    ],
)
def test_parameters_are_read_as_opensearch_reads_them(query: str, parameters: dict[str, str]) -> None:
    assert read_parameters(f"/i/_search?{query}") == parameters


NAMES = st.text(alphabet="abc%2+=&;?/é \x7f", max_size=30)


@given(NAMES, NAMES)
def test_taking_parameters_out_leaves_the_others(path: str, query: str) -> None:
    target = f"/{path}?{query}"
    left = without_parameters(target, {"a"})
    expected = {name: value for name, value in read_parameters(target).items() if name != "a"}
    assert read_parameters(left) == expected
    assert left.startswith(f"/{path.partition('?')[0]}")


@given(st.text(alphabet=st.characters(max_codepoint=0xFF), max_size=40))
def test_any_target_is_found_or_passes(target: str) -> None:
    match = found("PUT", target)
    assert match is None or (is_plain(target) and path_segments(target.partition("?")[0]) is not None)


def test_a_segment_is_decoded_once() -> None:
    assert decoded("%252F") == "%2F"
