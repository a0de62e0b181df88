"""What filter strings find in a real OpenSearch."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sidecar.searching.filters import build_filter

LONG = "x" * 9_000
DOCUMENTS: dict[str, dict[str, Any]] = {
    "red": {"color": "red", "size": 10, "weight": 0.1, "ok": True, "day": "2020-01-31", "tags": ["x", "y z"]},
    "dark": {"color": "dark red", "size": 15, "weight": 2.5, "ok": False, "day": "2020-01-31T10:20:30Z"},
    "Red": {"color": "Red", "size": 20, "tags": ["x y"], "my field": "hello world"},
    "list": {"color": ["red", "blue"], "size": [30, 40], "combo": {"sub": "a/b:c"}},
    "odd": {"color": 'a:b*\\"c" (d) [e]', "size": -5, "my field": "hello", "day": "1999-12-31"},
    "empty": {"color": "", "tags": []},
    "long": {"color": LONG},
    "id with space": {"other": 1},
}
TYPES = {
    "color": "text",
    "size": "long",
    "weight": "float",
    "ok": "boolean",
    "day": "date",
    "tags": "text",
    "my field": "text",
    "combo": "object",
    "combo.sub": "text",
    "other": "long",
}
MAPPINGS = {
    "dynamic_templates": [
        {
            "strings": {
                "match_mapping_type": "string",
                "mapping": {
                    "type": "text",
                    "fields": {"keyword": {"type": "keyword", "ignore_above": 8191}},
                },
            }
        }
    ]
}

Find = Callable[[dict[str, Any]], set[str]]


@pytest.fixture(scope="module")
def find(node: str) -> Iterator[Find]:
    """Gives the ids that a query finds among DOCUMENTS; fails when the cluster refuses the query."""
    url = f"{node}/filters-{uuid.uuid4().hex}"
    body = {"settings": {"number_of_shards": 1, "number_of_replicas": 0}, "mappings": MAPPINGS}
    requests.put(url, json=body, timeout=30).raise_for_status()
    session = requests.Session()

    def search(query: dict[str, Any]) -> set[str]:
        body = {"query": {"bool": {"filter": [query]}}, "size": 100, "_source": False}
        answer = session.post(f"{url}/_search", json=body, timeout=30)
        assert answer.status_code == 200, answer.text
        return {hit["_id"] for hit in answer.json()["hits"]["hits"]}

    try:
        for document_id, document in DOCUMENTS.items():
            session.put(f"{url}/_doc/{document_id}", json=document, timeout=30).raise_for_status()
        session.post(f"{url}/_refresh", timeout=30).raise_for_status()
        mapped = session.get(f"{url}/_mapping", timeout=30).json().popitem()[1]["mappings"]["properties"]
        found = {name: field.get("type", "object") for name, field in mapped.items()}
        assert found == {name: type_ for name, type_ in TYPES.items() if "." not in name}
        yield search
    finally:
        requests.delete(url, timeout=30)


ALL = set(DOCUMENTS)


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("color:red", {"red", "list"}),
        ("color:(dark red)", {"dark"}),
        ('color:"dark red"', {"dark"}),
        (r"color:dark\ red", {"dark"}),
        ("color:dark red", set()),
        ("color:blue", {"list"}),
        ('color:""', {"empty"}),
        (r"color:a\:b\*\\\"c\"\ \(d\)\ \[e\]", {"odd"}),
        (r'color:"a:b*\\\"c\" (d) [e]"', {"odd"}),
        ("tags:x", {"red"}),
        ("tags:(y z)", {"red"}),
        (r"my\ field:(hello world)", {"Red"}),
        (r"combo.sub:a/b\:c", {"list"}),
        ("combo:*", {"list"}),
        ("size:10", {"red"}),
        ("size:[10 TO 20]", {"red", "dark", "Red"}),
        ("size:{10 TO 20]", {"dark", "Red"}),
        ("size:[* TO 10]", {"red", "odd"}),
        ("size:>15", {"Red", "list"}),
        ("size:>=20", {"Red", "list"}),
        ("size:(10 OR 30)", {"red", "list"}),
        ("size:-5", {"odd"}),
        ("size:<9223372036854775808", {"red", "dark", "Red", "list", "odd"}),
        ("weight:0.1", {"red"}),
        ("weight:>0.1", {"dark"}),
        ("weight:<1e300", {"red", "dark"}),
        ("weight:[-3.4e38 TO 3.4028234663852886e38]", {"red", "dark"}),
        ("ok:true", {"red"}),
        ("ok:false", {"dark"}),
        ("day:2020-01-31", {"red", "dark"}),
        ("day:2020/01/31", {"red", "dark"}),
        ("day:2020", {"red", "dark"}),
        ("day:2020-01", {"red", "dark"}),
        ("day:>2020", set()),
        ("day:>2019", {"red", "dark"}),
        ("day:<2020-01", {"odd"}),
        ("day:<=2020-01", {"red", "dark", "odd"}),
        ("day:2020-01-31T10:20:30Z", {"dark"}),
        ("day:2020-01-31T11:20+01:00", {"dark"}),
        ("day:[2000-01 TO now/d]", {"red", "dark"}),
        ("day:[1580465000000 TO 1580467000000]", {"dark"}),
        ("day:<1000000000000", {"odd"}),
        ("_id:red", {"red"}),
        ("_id:(red OR Red)", {"red", "Red"}),
        ("_id:(id with space)", {"id with space"}),
        ("_id:*", ALL),
        ('_id:""', set()),
        ("*:*", ALL),
        ("", set()),
        ("red", set()),
        ("unknown:x", set()),
        ("size:x OR color:red", {"red", "list"}),
        ("color:r*", {"red", "list"}),
        ("color:?ed", {"red", "list", "Red"}),
        (r"color:*b\*\\*", {"odd"}),
        ("color:/[rR]ed/", {"red", "list", "Red"}),
        (r"combo.sub:/a\/.*/", {"list"}),
        ("color:rad~1", {"red", "list"}),
        ("color:rad~", {"red", "list"}),
        ("color:[a TO c]", {"odd", "list"}),
        ("color:*", ALL - {"id with space"}),
        ("_exists_:tags", {"red", "Red"}),
        ("color:red AND NOT _id:list", {"red"}),
        ("-color:red", ALL - {"red", "list"}),
        ("NOT size:*", {"empty", "long", "id with space"}),
        ("NOT unknown:x", ALL),
        ("(-color:red) AND size:[10 TO 20]", {"dark", "Red"}),
        ("color:(red OR dark red) AND size:>10", {"dark", "list"}),
    ],
)
def test_filter_finds_the_documents_it_describes(find: Find, text: str, ids: set[str]) -> None:
    assert find(build_filter(text, TYPES)) == ids


MISFITS = """
x | 1.5 | 9e9999 | -1 | 99999999999999 | 1e400 | true | 2020-13-01 | 0000-01-01 | 9999 | 20200101
[a TO b] | [5 TO 1] | {1e40 TO *] | [* TO -1e400} | [2020-01-01 TO 5] | [now-1y/y TO 1577836800000]
99999-01-01 | x* | /x.*/ | x~2 | * | "" | 2020-01-01T10:00:00,123456789+17:59
"""


@pytest.mark.parametrize("field", TYPES)
@pytest.mark.parametrize("value", re.split(r" \| |\n", MISFITS.strip()))
def test_filter_is_never_refused_when_a_value_does_not_fit_its_field(find: Find, field: str, value: str) -> None:
    find(build_filter(f"{field.replace(' ', chr(92) + ' ')}:{value}", TYPES))


def test_filter_is_never_refused_at_its_limits(find: Find) -> None:
    assert find(build_filter("(" * 15 + "NOT (color:red -size:10)" + ")" * 15, TYPES)) == ALL - {"list"}
    assert find(build_filter("-(" * 20 + "color:red" + ")" * 20, TYPES)) == {"red", "list"}
    many = " ".join(f"size:>{1_000 + number}" for number in range(1_000))
    assert find(build_filter(many, TYPES)) == set()
    ids = " OR ".join(f"item-{number}" for number in range(5_000))
    assert find(build_filter(f"_id:({ids} OR red)", TYPES)) == {"red"}
    assert find(build_filter(f"color:({ids} OR red)", TYPES)) == {"red", "list"}


leaves = st.sampled_from(
    ["color:red", "color:blue", "size:10", "size:[10 TO 20]", "ok:true", 'color:"dark red"', "color:*"]
)
joins = st.sampled_from([" ", " OR ", " AND ", " || ", " && "])
signs = st.sampled_from(["", "", "", "NOT ", "-", "+", "!"])
expressions = st.recursive(
    leaves,
    lambda inner: st.lists(st.tuples(signs, inner, joins), min_size=1, max_size=4).map(
        lambda parts: "(" + "".join(sign + part + join for sign, part, join in parts).strip(" ORAND|&") + ")"
    ),
    max_leaves=8,
)


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(expressions)
def test_filter_means_what_it_means_to_query_string(find: Find, text: str) -> None:
    whole_values = text.replace("color:*", "_exists_:color.keyword").replace("color:", "color.keyword:")
    assert find(build_filter(text, TYPES)) - {"long"} == find({"query_string": {"query": whole_values}}) - {"long"}
