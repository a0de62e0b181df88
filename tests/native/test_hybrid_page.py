"""The page of hybrid queries: its requests, one after the other, and what it says of their answers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.fix_opensearch import request
from tests.fix_server import Sidecar

PAGE = (Path(__file__).parent.parent.parent / "docs" / "native-hybrid.md").read_text("utf-8")
REQUESTS = re.findall(r"^```http\n(\w+) (\S+)\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def answers(node: str, sidecar: Sidecar) -> Iterator[list[dict[str, Any]]]:
    """The answers to the page's requests."""
    found = []
    for method, path, body in REQUESTS:
        answer = requests.request(
            method, sidecar.native_url + path, data=body, headers={"Content-Type": "application/json"}, timeout=120
        )
        assert answer.status_code == 200, (path, answer.text)
        found.append(answer.json())
    yield found
    request(node, "DELETE", "/reading")
    for pipeline in ("meaning-first", "ranks"):
        request(node, "DELETE", f"/_search/pipeline/{pipeline}")


def hits(answer: dict[str, Any]) -> list[tuple[str, float]]:
    return [(hit["_id"], hit["_score"]) for hit in answer["hits"]["hits"]]


def test_the_first_example_finds_what_has_the_word_and_the_meaning(answers: list[dict[str, Any]]) -> None:
    _, written, found, *_ = answers
    assert written["errors"] is False
    (first, best), *others = hits(found)
    assert first == "desert"
    assert found["hits"]["total"] == {"value": 4, "relation": "eq"} or len(others) == 2
    assert best <= 1.0
    counted = sum(bucket["doc_count"] for bucket in found["aggregations"]["shelves"]["buckets"])
    assert counted == found["hits"]["total"]["value"]


def test_weights_and_ranks_change_scores(answers: list[dict[str, Any]]) -> None:
    plain, weighted, ranked = answers[2], answers[4], answers[6]
    assert hits(weighted)[0][1] != hits(plain)[0][1]
    ranks = dict(hits(ranked))
    assert max(ranks.values()) <= 2 / 61
    assert min(ranks.values()) == pytest.approx(1 / 63)


def test_the_second_page_is_the_rest(answers: list[dict[str, Any]]) -> None:
    page = answers[7]
    assert len(hits(page)) == 2
    assert page["hits"]["total"]["value"] == 4


def test_the_filter_holds_for_both_queries(answers: list[dict[str, Any]]) -> None:
    assert {document_id for document_id, _ in hits(answers[8])} == {"stable", "engine"}


def test_the_page_tells_of_what_is_refused() -> None:
    for name in ("sort", "search_after", "scroll", "collapse", "rescore", "explain"):
        assert f"`{name}`" in PAGE
