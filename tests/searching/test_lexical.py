"""Lexical queries. What they find is in tests/integration/test_lexical.py."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.errors import InvalidArgument
from sidecar.searching.lexical import MAX_CLAUSES, build_lexical_query, split_quotes

MATCH_NONE: dict[str, Any] = {"match_none": {}}


@pytest.mark.parametrize(
    ("q", "phrases", "rest"),
    [
        ("red car", [], "red car"),
        ('"dark red"', ["dark red"], ""),
        ('a "dark red" b', ["dark red"], "a b"),
        ('"a b"\t"c d" e', ["a b", "c d"], "e"),
        ('say \\"hi\\" "to me"', ["to me"], 'say "hi"'),
        ('"say \\"hi\\" now"', ['say "hi" now'], ""),
        ('"dark red', [], '"dark red'),
        ('5" "dark red"', [], '5" "dark red"'),
        ('a"b c"', [], 'a"b c"'),
        ('"a b"c', [], '"a b"c'),
        ('"" red', [], "red"),
        ("", [], ""),
    ],
)
def test_split_quotes_takes_phrases_only_where_all_quotes_stand_free(q: str, phrases: list[str], rest: str) -> None:
    assert split_quotes(q) == (phrases, rest)


@given(st.text(alphabet='ab "\\', max_size=30))
def test_split_quotes_loses_no_word(q: str) -> None:
    phrases, rest = split_quotes(q)
    kept = "".join([*phrases, rest])
    assert sorted(c for c in kept if c in "ab") == sorted(c for c in q if c in "ab")


@pytest.mark.parametrize(("q", "fields"), [("red", []), ("", ["title"]), (" \n", ["title"]), ('""', ["title"])])
def test_build_lexical_query_matches_none_when_there_is_nothing_to_look_for(q: str, fields: list[str]) -> None:
    assert build_lexical_query(q, fields, {"match_all": {}}) == MATCH_NONE


def test_build_lexical_query_requires_a_match_beside_the_filter() -> None:
    condition = {"term": {"color.keyword": "red"}}
    assert build_lexical_query("car", ["title"], condition) == {
        "bool": {"must": [{"match": {"title": {"query": "car"}}}], "filter": [condition]}
    }


def test_build_lexical_query_requires_phrases_and_makes_the_rest_optional() -> None:
    query = build_lexical_query('fast "red car"', ["a", "b"], None)["bool"]
    assert [list(choice) for choice in query["must"][0]["bool"]["should"]] == [
        ["match_phrase"],
        ["match_phrase"],
    ]
    assert query["should"][0]["bool"]["should"][1] == {"match": {"b": {"query": "fast"}}}


@pytest.mark.parametrize("q", ["word " * 5_000, "語" * 5_000, "😀" * 5_000])
def test_build_lexical_query_keeps_as_many_words_as_the_cluster_takes_clauses(q: str) -> None:
    (only,) = build_lexical_query(q, ["a"], None)["bool"]["must"]
    assert len(only["match"]["a"]["query"].replace("word", "w").replace(" ", "")) == MAX_CLAUSES


def test_build_lexical_query_names_the_limit_when_there_are_too_many_phrases() -> None:
    with pytest.raises(InvalidArgument, match=r"q: 451 quoted phrases in 2 fields; the limit is 900"):
        build_lexical_query(" ".join(['"a b"'] * 451), ["a", "b"], None)
