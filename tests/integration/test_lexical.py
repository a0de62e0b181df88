"""What lexical queries find in a real OpenSearch."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from sidecar.searching.filters import build_filter
from sidecar.searching.lexical import build_lexical_query

DOCUMENTS: dict[str, dict[str, Any]] = {
    "red": {"title": "red", "body": "a Car", "size": 1},
    "dark": {"title": "dark red", "size": 2},
    "both": {"title": "red car", "body": "red Car, very red", "size": 2},
    "apart": {"title": "red is dark", "tags": ["old tree", "new house"], "size": 2},
    "other": {"title": "nothing", "body": "語 😀", "a*b^2": "star", "size": 2},
}
FIELDS = ["title", "body", "tags", "a*b^2"]

Search = Callable[..., dict[str, float]]


@pytest.fixture(scope="module")
def search(node: str) -> Iterator[Search]:
    """Gives the ids that a lexical query finds, best first, with their scores."""
    url = f"{node}/lexical-{uuid.uuid4().hex}"
    body = {"settings": {"number_of_shards": 1, "number_of_replicas": 0}}
    requests.put(url, json=body, timeout=30).raise_for_status()

    def run(q: str, fields: list[str] = FIELDS, condition: str | None = None) -> dict[str, float]:
        narrow = None if condition is None else build_filter(condition, {"size": "long"})
        query = build_lexical_query(q, fields, narrow)
        answer = requests.post(f"{url}/_search", json={"query": query, "size": 100}, timeout=30)
        assert answer.status_code == 200, answer.text
        return {hit["_id"]: hit["_score"] for hit in answer.json()["hits"]["hits"]}

    try:
        for document_id, document in DOCUMENTS.items():
            requests.put(f"{url}/_doc/{document_id}", json=document, timeout=30).raise_for_status()
        requests.post(f"{url}/_refresh", timeout=30).raise_for_status()
        yield run
    finally:
        requests.delete(url, timeout=30)


@pytest.mark.parametrize(
    ("q", "ids"),
    [
        ("red", {"red", "dark", "both", "apart"}),
        ("RED nothing", {"red", "dark", "both", "apart", "other"}),
        ('"dark red"', {"dark"}),
        ('"dark red" nothing', {"dark"}),
        ('"red car" "very red"', {"both"}),
        ('"dark red', {"dark", "red", "both", "apart"}),
        ("tree", {"apart"}),
        ('"new house"', {"apart"}),
        ("star", {"other"}),
        ("語", {"other"}),
        ("😀", {"other"}),
        ("!?", set()),
        ("", set()),
        ("2", set()),
    ],
)
def test_lexical_query_finds_words_and_required_phrases(search: Search, q: str, ids: set[str]) -> None:
    assert set(search(q)) == ids


def test_lexical_query_adds_up_the_fields_scores(search: Search) -> None:
    both = search("red car", ["title", "body"])
    apart = [search("red car", [field]) for field in ("title", "body")]
    assert both["both"] == pytest.approx(sum(scores["both"] for scores in apart), rel=1e-5)
    assert next(iter(both)) == "both"


def test_lexical_query_ranks_by_the_words_beside_a_phrase(search: Search) -> None:
    assert next(iter(search('"red" car'))) == "both"
    assert set(search('"red" car')) == {"red", "dark", "both", "apart"}


def test_lexical_query_finds_no_document_without_a_match_when_filtered(search: Search) -> None:
    found = search("red", condition="size:2")
    assert set(found) == {"dark", "both", "apart"}
    assert min(found.values()) > 0
    assert search("house", condition="size:1") == {}
    assert search("red", fields=[], condition="size:2") == {}


@pytest.mark.parametrize(
    "q", ["word " * 5_000, "語" * 5_000, "😀" * 5_000, "a_b-c.d " * 2_000, "ไทย" * 2_000, '"red" ' * 70]
)
def test_lexical_query_is_not_refused_when_it_is_long(search: Search, q: str) -> None:
    search(q)
    search(" ".join(f"{q}{number}" for number in range(3)))
