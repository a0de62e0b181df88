"""The examples of docs/native-searching.md do what the page says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.native.queries.conftest import Ask
from tests.native.queries.corpus import MODEL, Corpus

PAGE = (Path(__file__).parents[3] / "docs" / "native-searching.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```http\n(\w+) (\S+)\n(.*?)```", PAGE, re.DOTALL)
REAL_MODEL = "sentence-transformers/all-MiniLM-L6-v2"


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_examples_of_the_page_find_documents(ask: Ask, filled: Corpus, number: int) -> None:
    method, path, body = EXAMPLES[number]
    # Random vectors are as good here, and near only to themselves.
    for name, own in {
        "articles": filled.declared,
        "client_vector": "plain_vector",
        REAL_MODEL: MODEL,
        "wild west": "body 8",
    }.items():
        path, body = path.replace(name, own), body.replace(name, own)
    answer = ask(path, body, method=method)
    assert answer.status_code == 200, answer.text
    for one in answer.json().get("responses", [answer.json()]):
        assert "error" not in one
        if "aggregations" in one:
            assert one["aggregations"]["western"]["doc_count"] >= 1
        elif "count" in one:
            assert one["count"] >= 1
        elif "match" not in body or "bool" in body:
            assert one["hits"]["hits"]


def test_the_page_has_examples() -> None:
    assert len(EXAMPLES) == 8
