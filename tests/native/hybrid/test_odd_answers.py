"""Hybrid searches whose cluster, or what stands before it, answers otherwise than OpenSearch does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from sidecar.opensearch.raw_answer import RawAnswer
from tests.fix_server import Sidecar
from tests.native.writes.in_process import ask, face_of
from tests.switched import TEXTS, Switched, switched

HYBRID = {"query": {"hybrid": {"queries": [{"match": {"title": TEXTS[0]}}, {"match_all": {}}]}}}
_read = RawAnswer.read

ODD = {
    "no failed shards told": (b'"failed"', b'"fallen"'),
    "no time told": (b'"took"', b'"tock"'),
    "shards that are no object": (b'"_shards":{"total":1,"successful":1,"skipped":0,"failed":0}', b'"_shards":[]'),
    "no JSON": (b'"hits"', b"hits"),
    "a search too few": (b'"responses":[', b'"responses":["a",'),
}


@pytest.fixture
def names(sidecar: Sidecar) -> Iterator[Switched]:
    with switched(sidecar) as made:
        yield made


# What is no JSON at all passes as it is where lines are asked for.
CASES = [(kind, is_line) for kind in ODD for is_line in (False, True) if (kind, is_line) != ("no JSON", True)]


@pytest.mark.parametrize(("kind", "is_line"), CASES)
def test_an_answer_that_is_not_opensearchs_is_told_as_such(
    names: Switched, monkeypatch: pytest.MonkeyPatch, kind: str, is_line: bool
) -> None:
    plain, odd = ODD[kind]

    def read(answer: RawAnswer) -> bytes:
        text = _read(answer)
        return text.replace(plain, odd) if b'"responses"' in text else text

    body = json.dumps(HYBRID)
    target = "/_msearch" if is_line else f"/{names.old}/_search"
    data = f"{json.dumps({'index': names.old})}\n{body}\n" if is_line else body
    with face_of(opensearch_url=names.node) as (_, face):
        monkeypatch.setattr(RawAnswer, "read", read)
        answered = ask(face, "POST", target, data.encode())
    error: Any = answered.json()["error"]
    assert answered.status == 502, answered.body
    assert "the server at OPENSEARCH_URL is not what OpenSearch answers" in error["reason"]
