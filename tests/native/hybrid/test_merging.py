"""Answers of several searches as one."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.native.declarations.processors import Combination
from sidecar.native.errors import Refused
from sidecar.native.hybrid.hits import score_text
from sidecar.native.hybrid.lines import merge_line
from sidecar.native.hybrid.parameters import SearchParameters
from sidecar.native.hybrid.plan import HybridPlan, plan_hybrid
from sidecar.native.json.spans import Object, read

MATCH = {"match": {"title": "x"}}
RRF = Combination("rrf", "rrf")
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=10)


def plan(combination: Combination = RRF, *, name: str | None = None, **body: Any) -> HybridPlan:
    named = {} if name is None else {"_name": name}
    data = orjson.dumps({"query": {"hybrid": {"queries": [MATCH, MATCH], **named}}, **body})
    root = read(data)
    assert isinstance(root, Object)
    return plan_hybrid(data, root, rewrite=lambda _, __: [], combination=combination, parameters=SearchParameters())


def hit(number: int, score: float, rest: str = '"_source":{}', index: str = "i") -> str:
    return f'{{"_index":"{index}","_id":"{number}","_score":{score},{rest}}}'


def answer(
    *hits: str, took: int = 1, total: str = '{"value":9,"relation":"eq"}', rest: str = "", failed: int = 0
) -> bytes:
    shards = f'{{"total":3,"successful":{3 - failed},"skipped":0,"failed":{failed}}}'
    return (
        f'{{"took":{took},"timed_out":false,"_shards":{shards},'
        f'"hits":{{"total":{total},"max_score":null,"hits":[{",".join(hits)}]}}{rest},"status":200}}'
    ).encode()


def ids(merged: bytes) -> list[str]:
    return [hit["_id"] for hit in orjson.loads(merged)["hits"]["hits"]]


def test_hits_come_by_score_then_index_then_id() -> None:
    first = answer(hit(3, 9.0), hit(1, 8.0), hit(5, 7.0, index="b"), hit(5, 6.0, index="a"))
    second = answer(hit(1, 0.9), hit(3, 0.8), hit(5, 0.7, index="a"), hit(5, 0.6, index="b"))
    merged = orjson.loads(merge_line(plan(), [first, second, answer()]))
    assert [(hit["_index"], hit["_id"]) for hit in merged["hits"]["hits"]] == [
        ("i", "1"),
        ("i", "3"),
        ("a", "5"),
        ("b", "5"),
    ]
    assert merged["hits"]["hits"][0]["_score"] == pytest.approx(1 / 62 + 1 / 61)
    assert merged["hits"]["max_score"] == merged["hits"]["hits"][0]["_score"]


def test_bytes_of_hits_are_kept_but_for_the_score() -> None:
    source = (
        '"_source":{"n":12345678901234567890123,"e":1e3,"f":1.50,"ü":"\\u00fc","a":1,"a":2, "s" : "\\/"},"fields":{}'
    )
    merged = merge_line(plan(), [answer(hit(1, 5.0, source)), answer(), answer()])
    assert f'"hits":[{{"_index":"i","_id":"1","_score":0.016393442,{source}}}]'.encode() in merged


@given(source=VALUES, other=VALUES, indent=st.sampled_from([None, 1]), is_ascii=st.booleans())
def test_any_source_keeps_its_bytes(source: Any, other: Any, indent: int | None, is_ascii: bool) -> None:
    text = json.dumps({"a": source, "_score": other}, indent=indent, ensure_ascii=is_ascii)
    both = [answer(hit(1, 5.0, f'"_source":{text}')), answer(hit(1, 5.0, f'"_source":{text},"matched_queries":["m"]'))]
    merged = merge_line(plan(), [*both, answer()])
    assert f'"_source":{text},"matched_queries":["m"]}}]'.encode() in merged
    assert f'"_score":0.032786883,"_source":{text}}}]'.encode() in merge_line(plan(), [both[0], both[0], answer()])


def test_the_body_is_that_of_the_first_query_that_has_it() -> None:
    first, second = (
        answer(hit(1, 5.0, '"_source":{"from":1}')),
        answer(*(hit(n, 1.0, '"_source":{"from":2}') for n in (1, 2))),
    )
    merged = orjson.loads(merge_line(plan(), [first, second, answer()]))
    assert [(hit["_id"], hit["_source"]["from"]) for hit in merged["hits"]["hits"]] == [("1", 1), ("2", 2)]


def test_what_differs_between_queries_is_joined() -> None:
    first = hit(1, 5.0, '"_source":{},"highlight":{"a":["<em>x</em>"],"\\"":["1"]},"matched_queries":["m","b"]')
    second = hit(
        1,
        5.0,
        '"_source":{},"highlight":{"a":["x"],"c":["y"]},"matched_queries":["b","k"],"inner_hits":{"n":{"hits":{}}}',
    )
    (found,) = orjson.loads(merge_line(plan(name="h"), [answer(first), answer(second), answer()]))["hits"]["hits"]
    assert found["highlight"] == {"a": ["<em>x</em>"], '"': ["1"], "c": ["y"]}
    assert found["matched_queries"] == ["m", "b", "k", "h"]
    assert found["inner_hits"] == {"n": {"hits": {}}}


def test_everything_else_is_of_the_last_search() -> None:
    first = answer(hit(1, 5.0), took=7, rest=',"profile":{"shards":[{"id":"a"}]}', failed=1)
    second = answer(took=3, rest=',"profile":{"shards":[{"id":"b"},{"id":"c"}]}', failed=0)
    last = answer(
        total='{"value":40,"relation":"gte"}', rest=',"aggregations":{"n":{"value":1e3}},"profile":{"shards":[]}'
    )
    text = merge_line(plan(), [first, second, last])
    merged = orjson.loads(text)
    assert list(merged) == ["took", "timed_out", "_shards", "hits", "aggregations", "profile", "status"]
    assert (merged["took"], merged["timed_out"], merged["_shards"]["failed"]) == (7, False, 1)
    assert merged["hits"]["total"] == {"value": 40, "relation": "gte"}
    assert b'"aggregations":{"n":{"value":1e3}}' in text
    assert [shard["id"] for shard in merged["profile"]["shards"]] == ["a", "b", "c"]


def test_a_time_out_of_one_is_that_of_all() -> None:
    late = answer(hit(1, 5.0), rest=',"terminated_early":true').replace(b'"timed_out":false', b'"timed_out":true')
    merged = orjson.loads(merge_line(plan(), [answer(), late, answer()]))
    assert (merged["timed_out"], merged["terminated_early"]) == (True, True)


def test_the_error_of_one_is_the_answer() -> None:
    error = b'{"error":{"type":"x_exception","reason":"\\u0022"},"status":404}'
    assert merge_line(plan(), [answer(hit(1, 1.0)), error, answer()]) == error


@pytest.mark.parametrize(
    ("page", "expected"),
    [({"from": 0, "size": 2}, ["1", "2"]), ({"from": 2, "size": 2}, ["3"]), ({"from": 9, "size": 2}, [])],
)
def test_pages_are_cut_after_all_is_combined(page: dict[str, int], expected: list[str]) -> None:
    merged = merge_line(plan(**page), [answer(hit(1, 3.0), hit(2, 2.0), hit(3, 1.0)), answer(), answer()])
    assert ids(merged) == expected
    assert orjson.loads(merged)["hits"]["max_score"] == pytest.approx(1 / 61)


def test_min_score_is_of_combined_scores_and_counts_what_has_it() -> None:
    halves = [answer(*(hit(number, 10.0 - number) for number in range(4))), answer()]
    least = plan(min_score=1 / 62.5)
    merged = orjson.loads(merge_line(least, [*halves, answer()]))
    assert [hit["_id"] for hit in merged["hits"]["hits"]] == ["0", "1"]
    assert merged["hits"]["total"] == {"value": 2, "relation": "eq"}
    as_int = orjson.loads(merge_line(least, [*halves, answer(total="9")]))
    assert as_int["hits"]["total"] == 2
    cut = orjson.loads(merge_line(plan(min_score=1 / 62.5, size=4), [*halves, answer()]))
    assert cut["hits"]["total"] == {"value": 2, "relation": "gte"}


def test_without_hits_there_is_no_best_score() -> None:
    merged = orjson.loads(merge_line(plan(), [answer(), answer(), answer(total='{"value":0,"relation":"eq"}')]))
    assert merged["hits"] == {"total": {"value": 0, "relation": "eq"}, "max_score": None, "hits": []}


def test_without_a_last_search_there_is_no_total() -> None:
    merged = orjson.loads(merge_line(plan(track_total_hits=False), [answer(hit(1, 1.0)), answer()]))
    assert list(merged["hits"]) == ["max_score", "hits"]


def test_hits_without_ids_are_refused() -> None:
    with pytest.raises(Refused, match="stored_fields"):
        merge_line(plan(), [answer('{"_index":"i","_score":1.0}'), answer(), answer()])


@pytest.mark.parametrize(
    ("score", "text"),
    [
        (0.5, "0.5"),
        (1.0, "1.0"),
        (5e-4, "5.0E-4"),
        (0.001, "0.001"),
        (1e7, "1.0E7"),
        (123456.0, "123456.0"),
        (0, "0.0"),
    ],
)
def test_scores_are_written_as_the_cluster_writes_them(score: float, text: str) -> None:
    assert score_text(np.float32(score)) == text
