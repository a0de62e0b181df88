"""Templates may have queries by meaning, in the request or stored."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.native.queries.conftest import Ask
from tests.native.queries.corpus import Corpus, knn, neural

STORED = "sidecar-test-template"
TEMPLATE = json.dumps({"query": neural("body", "{{text}}", k=3), "size": 2, "_source": False})
NDJSON = {"content-type": "application/x-ndjson"}


@pytest.fixture
def stored(ask_node: Ask) -> Iterator[str]:
    """The name of a template that is kept in the cluster."""
    script = {"script": {"lang": "mustache", "source": TEMPLATE}}
    made = ask_node(f"/_scripts/{STORED}", script, method="PUT")
    assert made.status_code == 200, made.text
    yield STORED
    ask_node(f"/_scripts/{STORED}", method="DELETE")


@pytest.fixture
def expected(ask_node: Ask, filled: Corpus) -> dict[str, Any]:
    """The hits of the search that the templates make."""
    body = {"query": knn("body_vector", "body 7", k=3), "size": 2, "_source": False}
    found: dict[str, Any] = ask_node(f"/{filled.declared}/_search", body).json()["hits"]
    return found


def test_a_template_in_the_request_is_rendered(ask: Ask, filled: Corpus, expected: dict[str, Any]) -> None:
    for source in (TEMPLATE, json.loads(TEMPLATE)):
        body = {"source": source, "params": {"text": "body 7"}}
        answer = ask(f"/{filled.declared}/_search/template", body)
        assert answer.status_code == 200, answer.text
        assert answer.json()["hits"] == expected


def test_a_stored_template_is_rendered(ask: Ask, filled: Corpus, stored: str, expected: dict[str, Any]) -> None:
    body = {"id": stored, "params": {"text": "body 7"}, "explain": True}
    hits = ask(f"/{filled.declared}/_search/template?filter_path=hits", body).json()["hits"]
    assert all("_explanation" in hit for hit in hits["hits"])
    assert [hit["_id"] for hit in hits["hits"]] == [hit["_id"] for hit in expected["hits"]]


def test_other_templates_are_the_clusters(ask: Ask, ask_node: Ask, filled: Corpus) -> None:
    path = f"/{filled.declared}/_search/template"
    for body in (
        {"source": {"query": {"match": {"body": "{{text}}"}}, "size": 1}, "params": {"text": "neural"}},
        {"id": "no-such-template", "params": {"text": "x"}},
        {"source": '{"query":{"neural":{{', "params": {}},
        {"source": {"query": neural("lang", "{{text}}")}, "params": {"text": "x"}},
    ):
        answer, native = ask(path, body), ask_node(path, body)
        assert answer.status_code == native.status_code
        assert without_took(answer.json()) == without_took(native.json())


def test_several_templates_are_rendered(
    ask: Ask, ask_node: Ask, filled: Corpus, stored: str, expected: dict[str, Any]
) -> None:
    header = {"index": filled.declared}
    other = {"source": {"query": {"match": {"body": "{{text}}"}}, "size": 1}, "params": {"text": "7"}}
    values = [
        header,
        {"id": stored, "params": {"text": "body 7"}},
        header,
        other,
        header,
        {"id": "no-such-template"},
    ]
    body = "".join(json.dumps(value) + "\n" for value in values)
    found = ask("/_msearch/template", body, headers=NDJSON).json()["responses"]
    native = ask_node("/_msearch/template", body, headers=NDJSON).json()["responses"]
    assert found[0]["hits"] == expected
    assert found[1]["hits"] == native[1]["hits"]
    assert found[2] == native[2]


def without_took(answer: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in answer.items() if key != "took"}
