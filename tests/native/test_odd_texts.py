"""Texts that are none, escapes that there are not, and lines cut off: the cluster's own answer, or a plain refusal."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.fix_server import Sidecar
from tests.native.exchanges import JSON, exchange
from tests.native.writes.written import MODEL, VECTOR, Port, make_index

NEURAL = '{"neural":{"body":{"query_text":"x"}}}'
HYBRID = '{"hybrid":{"queries":[{"match":{"body":"x"}},' + NEURAL + "]"
NESTED = r'{"query":{"nested":{"path":"\q","query":' + NEURAL + "}}}"
TWO = {"source": [{"field": "one"}, {"field": "two"}], "model": MODEL}
MANY_BLANKS = " " * 100


@pytest.fixture(scope="module")
def index(node: str) -> Iterator[str]:
    """An index with embedded fields."""
    direct = Port(node)
    fields = {"body_vector": {"source": "body", "model": MODEL}, "two_vector": TWO}
    inner = {"a": {"properties": {"t": {"type": "text"}, "v": VECTOR}}}
    make_index(direct, "odd-texts", {**fields, "a.v": {"source": "a.t", "model": MODEL}}, inner)
    yield "odd-texts"
    direct.send("DELETE", "/odd-texts")


@pytest.mark.parametrize(
    ("method", "target", "body"),
    [
        ("POST", "/odd-texts/_search", NESTED),
        ("POST", "/odd-texts/_search", '{"query":' + NEURAL + "," + MANY_BLANKS + "x}"),
        ("POST", "/odd-texts/_search", '{"query":' + NEURAL + "," + "/**/" * 100 + "x}"),
        ("POST", "/odd-texts/_count", NESTED),
        ("POST", "/_reindex", r'{"source":{"index":"\q"},"dest":{"index":"other"}}'),
        ("POST", "/_reindex", r'{"source":{"index":"a"},"dest":{"index":"\q"}}'),
        ("POST", "/odd-texts/_bulk", '{"index":{"_id":\n{"body":"x"}\n'),
        ("POST", "/odd-texts/_bulk", '{"index":{"_source":{"a":\n{"body":"x"}\n'),
        ("POST", "/odd-texts/_bulk", "/**/" * 100 + "x\n{}\n"),
        ("PUT", "/odd-texts-2", r'{"mappings":{"properties":{"a":{"type":"\q"}}}}'),
        ("PUT", "/odd-texts-2", r'{"mappings":{"_meta":{"sidecar":{"fields":{"v":"\q"}}}}}'),
        ("PUT", "/odd-texts/_mapping", r'{"_meta":{"sidecar":{"fields":{"v":"\q"}}}}'),
        (
            "PUT",
            "/odd-texts/_mapping",
            r'{"_meta":{"sidecar":{"fields":{"w":{"source":"b","model":"random/small"}}}},"properties":{"w":{"type":"\q"}}}',
        ),
    ],
)
def test_what_the_cluster_refuses_is_the_clusters_to_refuse(
    sidecar: Sidecar, node: str, index: str, method: str, target: str, body: str
) -> None:
    through = exchange(sidecar.native_url, method, target, body.encode())
    assert through == exchange(node, method, target, body.encode())
    assert through.status == 400


@pytest.mark.parametrize(
    "body",
    [
        r'{"query":{"neural":{"body":{"query_text":"x","\ud800":1}}}}',
        r'{"query":{"neural":{"body":{"query_text":"x","model_id":"\ud800"}}}}',
        '{"query":' + HYBRID + r',"pagination_depth":"\ud800"}}}',
        r'{"search_pipeline":{"request_processors":[{"neural_query_enricher":{"default_model_id":"\ud800"}}]},"query":'
        + NEURAL
        + "}",
    ],
)
def test_a_refusal_is_unicode_whatever_it_tells_of(sidecar: Sidecar, index: str, body: str) -> None:
    for target, lines in ((f"/{index}/_search", body), ("/_msearch", f'{{"index":"{index}"}}\n{body}\n')):
        answer = exchange(sidecar.native_url, "POST", target, lines.encode())
        assert answer.status < 500, answer.body
        json.loads(answer.body.decode())


@pytest.mark.parametrize(
    ("body", "statuses"),
    [
        (r'{"search_pipeline":"\ud800","query":' + NEURAL + "}", {400, 404}),
        (r'{"pit":{"id":"\ud800"},"query":' + NEURAL + "}", {400, 404}),
        ('{"query":' + HYBRID + r',"_name":"\ud800"}}}', {200}),
    ],
)
def test_names_that_are_no_unicode_are_no_failure(sidecar: Sidecar, index: str, body: str, statuses: set[int]) -> None:
    target = "/_search" if "pit" in body else f"/{index}/_search"
    assert exchange(sidecar.native_url, "POST", target, body.encode()).status in statuses


def test_actions_for_names_that_are_no_unicode_fail_alone(sidecar: Sidecar, node: str, index: str) -> None:
    lines = [
        '{"index":{"_index":"odd-texts","_id":"good"}}',
        '{"body":"a cat"}',
        r'{"update":{"_index":"odd-texts","_id":"\ud801"}}',
        '{"doc":{"one":"a cat"}}',
        r'{"index":{"_index":"odd-texts","_id":"\ud802"}}',
        '{"body":7}',
        r'{"index":{"_index":"odd-texts","_id":"9","pipeline":"\ud800"}}',
        '{"body":"a dog"}',
    ]
    answer = exchange(sidecar.native_url, "POST", "/_bulk", "".join(f"{line}\n" for line in lines).encode())
    items = [next(iter(item.values())) for item in json.loads(answer.body.decode())["items"]]
    assert [item["status"] for item in items] == [201, 404, 400, 400], items
    assert "body_vector" in Port(node).source(index, "good")


def test_a_list_nested_deeper_than_python_calls_is_looked_through(sidecar: Sidecar, index: str) -> None:
    depth = 900
    document = '{"body":"a cat","a":' + "[" * depth + '{"t":"a dog"}' + "]" * depth + "}"
    answer = exchange(sidecar.native_url, "PUT", f"/{index}/_doc/deep", document.encode())
    assert answer.status == 400
    assert b"mapper_parsing_exception" in answer.body


@pytest.mark.parametrize("wanted", ["%C2%B2", "99999999999999999999999"])
def test_odd_numbers_of_a_hybrid_searchs_target_are_told(sidecar: Sidecar, index: str, wanted: str) -> None:
    body = '{"query":' + HYBRID + "}}}"
    target = f"/{index}/_search?track_total_hits={wanted}"
    assert exchange(sidecar.native_url, "POST", target, body.encode(), [JSON]).status < 500


@pytest.mark.parametrize("remark", ["// one\n", "// one\r", "/* one */", "/***/", "// one\r\n"])
def test_remarks_end_where_the_cluster_has_them_end(sidecar: Sidecar, node: str, index: str, remark: str) -> None:
    document = '{"y":1,' + remark + '"body":"a cat"}'
    answer = exchange(sidecar.native_url, "PUT", f"/{index}/_doc/remark", document.encode())
    assert answer.status in {200, 201}
    assert "body_vector" in Port(node).source(index, "remark")


def test_a_partial_update_finds_the_stored_rest_by_an_id_that_is_no_unicode(
    sidecar: Sidecar, node: str, index: str
) -> None:
    native = Port(sidecar.native_url)
    for lines in (
        (r'{"index":{"_id":"\ud800"}}', '{"one":"a cat"}', '{"index":{"_id":"both"}}', '{"one":"a cat","two":"b"}'),
        (r'{"update":{"_id":"\ud800"}}', '{"doc":{"two":"b"}}'),
    ):
        assert not native.bulk(f"/{index}/_bulk", *lines)["errors"]
    found, expected = (Port(node).source(index, one)["two_vector"] for one in ("%EF%BF%BD", "both"))
    assert found == pytest.approx(expected, abs=1e-5)
