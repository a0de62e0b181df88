"""Several searches in one request: each line for itself."""

from __future__ import annotations

import json
from typing import Any

import pytest
import requests

from tests.native.queries.conftest import Ask
from tests.native.queries.corpus import Corpus, in_chunks, knn, neural

NDJSON = {"content-type": "application/x-ndjson"}
SHORT = {"size": 2, "_source": False}


def lines(*values: Any) -> bytes:
    """A body of these lines; bytes stand for themselves."""
    return b"".join((one if isinstance(one, bytes) else json.dumps(one).encode()) + b"\n" for one in values)


def responses(answer: requests.Response) -> list[Any]:
    """The responses, without what varies."""
    assert answer.status_code == 200, answer.text
    found = answer.json()["responses"]
    return [{key: value for key, value in one.items() if key != "took"} for one in found]


def pair(filled: Corpus, path: str = "") -> tuple[bytes, bytes]:
    """Several searches by meaning and other ones, and what the cluster is to get for them."""
    chunks = "passage_semantic_info.chunks.embedding"
    headers: list[Any] = [
        {"index": filled.declared},
        b"" if path else {"index": [filled.declared, filled.bare], "ignore_unavailable": True},
        {"indices": filled.declared, "preference": "_local"},
        {"index": filled.bare},
        {"index": "no-such-index"},
    ]
    asked: list[Any] = [
        {"query": neural("body", "body 7", k=3), **SHORT},
        {"query": neural("passage", "chunk 3 1", k=2), **SHORT},
        {"query": {"bool": {"should": [neural("body", "body 1"), {"match": {"body": "neural"}}]}}, **SHORT},
        {"query": {"match": {"body": "1"}}, **SHORT},
        {"query": {"match": {"body": "neural"}}},
    ]
    native: list[Any] = [
        {"query": knn("body_vector", "body 7", k=3), **SHORT},
        {"query": in_chunks(knn(chunks, "chunk 3 1", k=2, ignore_unmapped=True), ignore_unmapped=True), **SHORT},
        {"query": {"bool": {"should": [knn("body_vector", "body 1"), {"match": {"body": "neural"}}]}}, **SHORT},
        asked[3],
        asked[4],
    ]
    return (
        lines(*(one for line in zip(headers, asked, strict=True) for one in line)),
        lines(*(one for line in zip(headers, native, strict=True) for one in line)),
    )


@pytest.mark.parametrize("has_path", [False, True])
def test_each_line_is_rewritten_to_its_own_indexes(ask: Ask, ask_node: Ask, filled: Corpus, has_path: bool) -> None:
    path = f"/{filled.declared}/_msearch" if has_path else "/_msearch"
    asked, native = pair(filled, path if has_path else "")
    found = responses(ask(path, asked, headers=NDJSON))
    expected = responses(ask_node(path, native, headers=NDJSON))
    assert found == expected
    assert all(one["hits"]["hits"] for one in found[:4])
    assert found[4]["status"] == 404


def test_a_line_that_is_not_served_leaves_all_to_the_cluster(ask: Ask, ask_node: Ask, filled: Corpus) -> None:
    header = {"index": filled.declared}
    body = lines(header, {"query": neural("body", "x")}, header, {"query": neural("lang", "x")})
    answer, expected = ask("/_msearch", body, headers=NDJSON), ask_node("/_msearch", body, headers=NDJSON)
    assert (answer.status_code, answer.content) == (expected.status_code, expected.content)
    assert "unknown query [neural]" in answer.text


def test_lines_that_are_wrong_are_told_in_their_places(ask: Ask, ask_node: Ask, filled: Corpus) -> None:
    header = {"index": filled.declared}
    right = {"query": neural("body", "body 7", k=3), **SHORT}
    body = lines(
        header,
        {"query": neural("body", "x", wrong=1)},
        header,
        right,
        header,
        {"query": neural("body", "")},
        header,
        right,
    )
    found = responses(ask("/_msearch", body, headers=NDJSON))
    cause = {"type": "parsing_exception", "reason": "[neural] query does not support [wrong]"}
    assert found[0] == {"error": {"root_cause": [cause], **cause}, "status": 400}
    assert found[2]["error"]["type"] == "illegal_argument_exception"
    native = lines(header, {"query": knn("body_vector", "body 7", k=3), **SHORT})
    expected = responses(ask_node("/_msearch", native, headers=NDJSON))
    assert [found[1], found[3]] == expected * 2


def test_a_hybrid_line_is_answered_in_its_place(ask: Ask, filled: Corpus) -> None:
    header = {"index": filled.declared}
    hybrid = {"query": {"hybrid": {"queries": [neural("body", "body 7", k=3), {"match": {"body": "7"}}]}}, **SHORT}
    plain = {"query": neural("body", "body 3", k=1), **SHORT}
    body = lines(header, plain, header, hybrid, header, {"query": neural("body", "x", wrong=1)}, header, plain)
    found = responses(ask("/_msearch", body, headers=NDJSON))
    alone = ask(f"/{filled.declared}/_search", hybrid).json()
    assert found[1]["hits"] == alone["hits"]
    assert found[1]["hits"]["hits"][0]["_id"] == "7"
    assert [hit["_id"] for hit in found[0]["hits"]["hits"]] == ["3"]
    assert found[3] == found[0]
    assert [one["status"] for one in found] == [200, 200, 400, 200]


def test_lines_that_are_all_wrong_are_not_sent(ask: Ask, filled: Corpus) -> None:
    body = lines({"index": filled.declared}, {"query": neural("body", "x", wrong=1)})
    answer = ask("/_msearch", body, headers=NDJSON)
    assert answer.status_code == 200
    assert answer.json()["took"] == 0
    assert [one["status"] for one in answer.json()["responses"]] == [400]


def test_content_that_one_line_can_not_have_embedded_is_that_lines_error(ask: Ask, filled: Corpus) -> None:
    header = {"index": filled.declared}
    broken = {"neural": {"body": {"query_image": "bm8gaW1hZ2U="}}}
    body = lines(header, {"query": broken}, header, {"query": neural("body", "body 7", k=1), **SHORT})
    found = responses(ask("/_msearch", body, headers=NDJSON))
    assert found[0]["status"] == 400
    assert [hit["_id"] for hit in found[1]["hits"]["hits"]] == ["7"]


def test_merged_answers_are_json_with_the_parts_that_are_wanted(ask: Ask, filled: Corpus) -> None:
    header = {"index": filled.declared}
    body = lines(
        header, {"query": neural("body", "x", wrong=1)}, header, {"query": neural("body", "body 7", k=1), **SHORT}
    )
    target = "/_msearch?filter_path=responses.status,responses.hits.hits._id&pretty&format=yaml"
    answer = ask(target, body, headers={**NDJSON, "accept": "application/yaml", "accept-encoding": "gzip"})
    assert answer.json() == {"responses": [{"status": 400}, {"hits": {"hits": [{"_id": "7"}]}, "status": 200}]}
    assert answer.text.startswith('{\n  "responses"')


@pytest.mark.parametrize(
    "body",
    [
        b'{"index":"%b"}\n{"query":{"neural":{"body":{"query_text":"x"}}}}',
        b'{"index":"%b"}\n{"query":{"neural":{\n',
        b'{"index":\n{"query":{"neural":{"body":{"query_text":"x"}}}}\n',
        b'{"index":"%b","neural":1}\n{"query":{"match_all":{}}}\n',
        b"\n",
        b"",
        b'{"index":"%b"}\n',
    ],
)
def test_a_broken_body_is_the_clusters_to_answer(ask: Ask, ask_node: Ask, filled: Corpus, body: bytes) -> None:
    sent = body.replace(b"%b", filled.declared.encode())
    answer, expected = ask("/_msearch", sent, headers=NDJSON), ask_node("/_msearch", sent, headers=NDJSON)
    assert (answer.status_code, answer.content) == (expected.status_code, expected.content)


def test_line_breaks_of_windows_and_an_empty_first_line_work(ask: Ask, filled: Corpus) -> None:
    body = b"\n" + lines({"index": filled.declared}, {"query": neural("body", "body 7", k=1)}).replace(b"\n", b"\r\n")
    found = responses(ask("/_msearch", body, headers=NDJSON))
    assert [hit["_id"] for hit in found[0]["hits"]["hits"]] == ["7"]


def test_untouched_lines_keep_their_bytes(ask: Ask, ask_node: Ask, filled: Corpus) -> None:
    body = lines({"index": filled.declared}, b'{"query":{"term":{"lang":"neural"}},"size":1e0}')
    answer, expected = ask("/_msearch", body, headers=NDJSON), ask_node("/_msearch", body, headers=NDJSON)
    assert responses(answer) == responses(expected)
