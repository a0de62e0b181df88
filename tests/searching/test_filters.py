"""Filter strings. What they find is in tests/integration/test_filters.py."""

from __future__ import annotations

import contextlib
import json
import re
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.errors import InvalidArgument
from sidecar.searching.filters import MAX_CONDITIONS, build_filter

NONE: dict[str, Any] = {"match_none": {}}
TYPES = {
    "color": "text",
    "shade": "keyword",
    "n": "long",
    "i": "integer",
    "f": "float",
    "ok": "boolean",
    "d": "date",
    "my field": "text",
    "combo.sub": "text",
    "place": "geo_point",
}


def term(path: str, value: Any) -> dict[str, Any]:
    return {"term": {path: value}}


def fuzzy(text: str, fuzziness: str) -> dict[str, Any]:
    query = {"value": text, "fuzziness": fuzziness, "rewrite": "constant_score"}
    return {"fuzzy": {"color.keyword": query}}


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("color:red", term("color.keyword", "red")),
        ("shade:red", term("shade", "red")),
        ("color:(dark red)", term("color.keyword", "dark red")),
        ("color:( dark   red )", term("color.keyword", "dark red")),
        ('color:"dark red"', term("color.keyword", "dark red")),
        (r"color:dark\ red", term("color.keyword", "dark red")),
        (r"color:a\:b\*\\c\"", term("color.keyword", 'a:b*\\c"')),
        (r'color:"say \"hi\" *"', term("color.keyword", 'say "hi" *')),
        ("color:'tis", term("color.keyword", "'tis")),
        ("color:and/or", term("color.keyword", "and/or")),
        ("color:-red", term("color.keyword", "-red")),
        ("color:red^2", term("color.keyword", "red")),
        ('color:"dark red" color:b', {"terms": {"color.keyword": ["dark red", "b"]}}),
        ('color:"dark red"~2.5', term("color.keyword", "dark red")),
        ("color:dark red", term("color.keyword", "dark")),
        ("color:(dark red OR blue)", {"terms": {"color.keyword": ["dark red", "blue"]}}),
        (r"my\ field:x", term("my field.keyword", "x")),
        ("combo.sub:x", term("combo.sub.keyword", "x")),
        ("combo:*", {"exists": {"field": "combo"}}),
        ("n:*", {"exists": {"field": "n"}}),
        ("n:[* TO *]", {"exists": {"field": "n"}}),
        ("_exists_:n", {"exists": {"field": "n"}}),
        ("place:*", {"exists": {"field": "place"}}),
        ("n:10", term("n", 10)),
        ("n:-10", term("n", -10)),
        ("n:1e3", term("n", 1000)),
        ('n:"10"', term("n", 10)),
        ("n:[10 TO 20]", {"range": {"n": {"gte": 10, "lte": 20}}}),
        ("n:{10 TO 20]", {"range": {"n": {"gte": 11, "lte": 20}}}),
        ("n:[-10 TO -5.5}", {"range": {"n": {"gte": -10, "lte": -6}}}),
        ("n:[* TO 5]", {"range": {"n": {"lte": 5}}}),
        ("n:>15", {"range": {"n": {"gte": 16}}}),
        ("n:>= -20", {"range": {"n": {"gte": -20}}}),
        (
            "n:(>15 AND <18)",
            {"bool": {"filter": [{"range": {"n": {"gte": 16}}}, {"range": {"n": {"lte": 17}}}]}},
        ),
        ("n:(10 OR 30)", {"terms": {"n": [10, 30]}}),
        ("n:(10 30)", {"terms": {"n": [10, 30]}}),
        ("i:[3000000000 TO *]", NONE),
        ("i:<3000000000", {"range": {"i": {"lte": 2**31 - 1}}}),
        ("f:0.5", term("f", 0.5)),
        ("f:>0.5", {"range": {"f": {"gt": 0.5}}}),
        ("f:{1 TO 1}", {"range": {"f": {"gt": 1.0, "lt": 1.0}}}),
        ("f:0", {"range": {"f": {"gte": -0.0, "lte": 0.0}}}),
        ("f:<1e400", {"exists": {"field": "f"}}),
        ("ok:true", term("ok", True)),
        ("_id:a", {"ids": {"values": ["a"]}}),
        ("_id:(a OR b)", {"ids": {"values": ["a", "b"]}}),
        ("_id:*", {"match_all": {}}),
        ("*:*", {"match_all": {}}),
        ("color:r*", {"wildcard": {"color.keyword": {"value": "r*"}}}),
        (r"color:a\*b\ ?\\", {"wildcard": {"color.keyword": {"value": "a\\*b ?\\\\"}}}),
        (r"color:c\:\\d*", {"wildcard": {"color.keyword": {"value": "c:\\\\d*"}}}),
        (r"color:/r\/e./", {"regexp": {"color.keyword": {"value": r"r\/e."}}}),
        ("color:re~1", fuzzy("re", "1")),
        ("color:rede~0.5", fuzzy("rede", "2")),
        ("color:re~", fuzzy("re", "AUTO")),
        ("color:[a TO c}", {"range": {"color.keyword": {"gte": "a", "lt": "c"}}}),
        ('color:["a b" TO c:d]', {"range": {"color.keyword": {"gte": "a b", "lte": "c:d"}}}),
    ],
)
def test_build_filter_translates_each_form(text: str, query: dict[str, Any]) -> None:
    assert build_filter(text, TYPES) == query


IMPOSSIBLE = """
red | "dark red" | /re/ | unknown:x | unknown:* | _id:a* | _id:[a TO b] | place:x | combo:x
n:x | n:10x | n:1* | n:NaN | n:9223372036854775808 | n:1.5 | n:{1 TO 2} | n:[5 TO 1] | n:[a TO 5] | n:1e99999
f:1e39 | f:inf | f:>1e39 | ok:1 | ok:TRUE | ok:[false TO true]
d:soon | d:2020-02-30 | d:2020-01-01T25:00 | d:[x TO now] | d:20
"""


@pytest.mark.parametrize("text", ["", " \n", *(text.strip() for text in re.split(r" \| |\n", IMPOSSIBLE.strip()))])
def test_build_filter_matches_none_when_no_document_can_match(text: str) -> None:
    assert build_filter(text, TYPES) == NONE


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("d:2020", "2020||/y", "2020||/y"),
        ("d:2020-01-31T10:20:30Z", "2020-01-31T10:20:30Z", "2020-01-31T10:20:30Z"),
        ('d:"2020/01/31 10:20"', "2020-01-31T10:20", "2020-01-31T10:20"),
        ("d:[1577836800000 TO now-1d/d]", "1577836800000", "now-1d/d"),
        ("d:[2020-01-01T00:00:00.5+01:00 TO 2021-01]", "2020-01-01T00:00:00.5+01:00", "2021-01||/M"),
    ],
)
def test_build_filter_reads_dates(text: str, low: str, high: str) -> None:
    ends = build_filter(text, TYPES)["range"]["d"]
    assert (ends["gte"], ends["lte"]) == (low, high)


A, B, C = (term("color.keyword", value) for value in "abc")


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("a b", {"terms": {"color.keyword": ["a", "b"]}}),
        ("a OR b || c", {"terms": {"color.keyword": ["a", "b", "c"]}}),
        ("a AND b", {"bool": {"filter": [A, B]}}),
        ("a && b", {"bool": {"filter": [A, B]}}),
        ("a OR b AND c", {"bool": {"filter": [B, C]}}),
        ("a AND b OR c", {"bool": {"filter": [A, B]}}),
        ("(a OR b) AND c", {"bool": {"filter": [{"terms": {"color.keyword": ["a", "b"]}}, C]}}),
        ("+a b", A),
        ("NOT a", {"bool": {"must_not": [A]}}),
        ("-a", {"bool": {"must_not": [A]}}),
        ("!a", {"bool": {"must_not": [A]}}),
        ("NOT (NOT a)", {"bool": {"must_not": [{"bool": {"must_not": [A]}}]}}),
        ("a -b", {"bool": {"must_not": [B], "should": [A], "minimum_should_match": 1}}),
        ("a AND NOT b", {"bool": {"filter": [A], "must_not": [B]}}),
        (
            "a OR b -c OR a",
            {
                "bool": {
                    "must_not": [C],
                    "should": [{"terms": {"color.keyword": ["a", "b", "a"]}}],
                    "minimum_should_match": 1,
                }
            },
        ),
        ("(-a) OR b", {"bool": {"should": [B, {"bool": {"must_not": [A]}}], "minimum_should_match": 1}}),
    ],
)
def test_build_filter_joins_as_lucene_does(text: str, query: dict[str, Any]) -> None:
    assert build_filter(re.sub("([abc])", r"color:\1", text), TYPES) == query


@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        ("((", 3, r"ends too early: '\(' of column 2 is not closed"),
        ("color:(a OR (b)", 16, r"ends too early: '\(' of column 7 is not closed"),
        ("color:", 7, "ends too early: a value is missing"),
        ("color:a AND ", 13, "ends too early: a value is missing"),
        ("color:red)", 10, r"unexpected '\)'"),
        ("color:red AND OR n:1", 15, "unexpected 'OR'"),
        ("n:]", 3, "unexpected ']'"),
        ("color:a:b", 7, "a colon within the value of 'color'"),
        ('color:"red', 7, "this quote is not closed"),
        ('été:a 🔴:"red', 9, "this quote is not closed"),
        ("color:/re", 7, "this regular expression is not closed"),
        ("color:red\\", 10, "no character follows"),
        ("n:[1 2]", 6, "unexpected '2'"),
        ("n:[1 TO 2", 10, r"ends too early: '\[' of column 3 is not closed"),
        ("n:{1", 5, "ends too early: '{' of column 3 is not closed"),
        ("color:/" + "a" * 1_001 + "/", 7, "1,001 characters; the limit is 1,000"),
        ("x" * 200_001, 200_001, "200,001 characters; the limit is 200,000"),
        ("(" * 60 + "color:a" + ")" * 60, 52, "50 levels"),
        ("NOT " * 60 + "color:a", 205, "50 levels"),
        ("(" * 30_000, 20_001, "20,000 words and signs"),
        ("a " * 15_000, 20_001, "10,000 values"),
        ("color:(" + '"l"' * 15_000, 30_008, "10,000 values"),
    ],
)
def test_build_filter_names_the_column_when_the_text_is_malformed(text: str, column: int, message: str) -> None:
    with pytest.raises(InvalidArgument, match=f"^filter: column {column}: .*{message}"):
        build_filter(text, TYPES)


@pytest.mark.parametrize(
    ("pattern", "column", "message"),
    [
        ("a(b", 5, "parenthesis is not closed"),
        ("a)b", 5, "parenthesis was not opened"),
        ("[ab", 4, "bracket is not closed"),
        ("[z-a]", 5, "'z' to 'a' is the wrong way round"),
        ('"ab', 4, "quote is not closed"),
        ("a{,2}", 5, "one number or two"),
        ("a{2", 5, "one number or two"),
        ("a{3,2}", 5, "3 and 2 are the wrong way round"),
        ("<1-", 4, "< is not closed"),
        ("<1-x>", 4, "two whole numbers"),
        ("<name>", 4, "two whole numbers"),
        ("a|", 6, "ends too early"),
        (r"a\q", 5, r"no class \\q"),
        ("(" * 51 + "a" + ")" * 51, 54, "50 parentheses"),
    ],
)
def test_build_filter_names_the_column_when_a_regular_expression_is_malformed(
    pattern: str, column: int, message: str
) -> None:
    with pytest.raises(InvalidArgument, match=rf"^filter: column {column}: .*{message}"):
        build_filter(f"c:/{pattern}/", TYPES)


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("color:/(a{1000}){1000}/", 7),
        ("color:/a{99999999999}/", 7),
        ("color:/(a?){5000}/", 7),
        ("color:/((a|b|c)?){1600}/", 7),
        ("color:/(a{0,100}){10}/", 7),
        ("color:/" + "(a?){50}" * 10 + "/", 7),
        ("color:/(a{300}&b{300})/", 7),
        ("color:/" + "(((((((((((a+)+)+)+)+)+)+)+)+)+)+)+" * 25 + "/", 7),
        ("color:" + "ab" * 5_000 + "~", 7),
        ("color:" + "a" * 100_000 + "*", 7),
        ("n:1 OR color:/a{30000}/ OR color:/b{30000}/", 34),
        ("color:*aa* " * 300, 2_097),
    ],
)
def test_build_filter_refuses_patterns_that_are_too_much_work(text: str, column: int) -> None:
    with pytest.raises(InvalidArgument, match=rf"^filter: column {column}: .*too much work for the cluster"):
        build_filter(text, TYPES)


@pytest.mark.parametrize(
    "pattern",
    [
        ".*(red|blue).*",
        "a{1000}",
        "[a-z]*[0-9]*(-[a-z]+)*",
        "a?" * 100,
        "(a|b)*a(a|b){10}",
        "<0-999999>",
        '"a.b"@#~x',
        "()|a",
    ],
)
def test_build_filter_takes_a_regular_expression_that_is_little_work(pattern: str) -> None:
    (query,) = build_filter(f"color:/{pattern}/", TYPES)["regexp"].values()
    assert query == {"value": pattern}


def test_build_filter_takes_any_number_of_values_of_one_field() -> None:
    ids = " OR ".join(f"item-{number}" for number in range(5_000))
    assert len(build_filter(f"_id:({ids})", TYPES)["ids"]["values"]) == 5_000


def test_build_filter_names_the_limit_when_there_are_too_many_conditions() -> None:
    text = " OR ".join(f"n:>{number}" for number in range(MAX_CONDITIONS + 1))
    with pytest.raises(InvalidArgument, match="1,001 conditions; the limit is 1,000"):
        build_filter(text, TYPES)


SIGNS = [
    *" ():\"\\/[]{}~^*?+-!<>=&|'\n",
    " AND ",
    " OR ",
    " NOT ",
    " TO ",
    "&&",
    "||",
    "color:",
    "n:",
    "d:",
    "f:",
    "_id:",
    "10",
    "1e9",
    "a",
    "é",
    "/a{2}/",
    "/(a|[b-d]*/",
    "🔴",
]
filters = st.one_of(st.text(max_size=60), st.lists(st.sampled_from(SIGNS), max_size=25).map("".join))


def assert_points_into(text: str, message: str) -> None:
    """The message names a column of the text, or the one behind its end."""
    found = re.match(r"filter: column (\d+): ", message)
    assert found, message
    assert 1 <= int(found[1]) <= len(text) + 1, message


@given(filters)
def test_build_filter_gives_a_query_or_invalid_argument_when_text_is_anything(text: str) -> None:
    try:
        query = build_filter(text, TYPES)
    except InvalidArgument as error:
        assert_points_into(text, error.message)
    else:
        assert len(query) == 1
        json.dumps(query, allow_nan=False)


@given(st.text(min_size=1, max_size=30).filter(lambda value: "\\" not in value))
def test_build_filter_finds_the_value_itself_when_it_is_quoted_or_escaped(value: str) -> None:
    quoted = value.replace('"', '\\"')
    escaped = "".join("\\" + character for character in value)
    assert build_filter(f'color:"{quoted}"', TYPES) == term("color.keyword", value)
    assert build_filter(f"color:{escaped}", TYPES) == term("color.keyword", value)


def test_build_filter_keeps_threads_apart() -> None:
    texts = [
        f"color:(a{number} OR b{number}) AND n:[{number} TO 999] ("[: None if number % 3 else -2]
        for number in range(300)
    ]

    def outcome(text: str) -> Any:
        try:
            return build_filter(text, TYPES)
        except InvalidArgument as error:
            return error.message

    alone = [outcome(text) for text in texts]
    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(outcome, texts)) == alone


@pytest.mark.parametrize(
    "text", ["color:a " * 6_000, "a OR b -c " * 3_000, "-" * 19_000 + "a", "color:" + "\\ " * 90_000]
)
def test_build_filter_is_quick_when_text_is_long(text: str) -> None:
    began = time.process_time()
    with contextlib.suppress(InvalidArgument):
        build_filter(text, TYPES)
    assert time.process_time() - began < 2.0


def test_parsing_writes_no_parser_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    build_filter("color:red", TYPES)
    assert list(tmp_path.iterdir()) == []
