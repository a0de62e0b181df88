"""The log of slow requests, as a real server writes it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.fix_opensearch import request
from tests.fix_server import SMALL, Sidecar

INDEX = "test-slow"
HIDDEN = "hidden-word"


@pytest.fixture(scope="module")
def slow(node: str) -> Iterator[Sidecar]:
    """A server to which all is slow."""
    request(node, "DELETE", f"/{INDEX}?ignore_unavailable=true")
    environment = {
        "OPENSEARCH_URL": node,
        "SIDECAR_SLOW_QUERY_MS": "0",
        "SIDECAR_SLOW_WRITE_MS": "0",
        "SIDECAR_LOG_FORMAT": "json",
    }
    with Sidecar(environment) as running:
        running.post(f"/indexes/{INDEX}", SMALL)
        running.add(INDEX, [{"_id": "1", "title": "red"}])
        yield running
    request(node, "DELETE", f"/{INDEX}?ignore_unavailable=true")


def told(slow: Sidecar, number: str) -> dict[str, Any]:
    """What the log says of a slow request, by its id."""
    line: dict[str, Any] = json.loads(slow.wait_for_log(f'"logger":"sidecar.slow".*"request_id":"{number}"').string)
    assert HIDDEN not in json.dumps(line)
    return line


def test_a_search_is_told_with_its_stages_and_without_contents(slow: Sidecar) -> None:
    body = {"q": HIDDEN, "filter": f"title:{HIDDEN}", "limit": 7, "searchMethod": "HYBRID"}
    slow.post(f"/indexes/{INDEX}/search", body, headers={"X-Request-Id": "one"})
    line = told(slow, "one")
    assert (line["level"], line["message"], line["route"]) == ("warning", "a slow search", "/indexes/<index>/search")
    known = (line["index"], line["queries"], line["search_method"], line["limit"], line["has_filter"], line["status"])
    assert known == (INDEX, 1, "HYBRID", 7, True, 200)
    assert line["ms"] >= line["cluster_ms"] > 0
    assert {"parse_ms", "queue_ms", "embed_ms"} <= set(line)


def test_several_searches_are_told_together(slow: Sidecar) -> None:
    queries = [{"index": INDEX, "q": HIDDEN}, {"index": INDEX, "q": "x", "limit": 3, "searchMethod": "LEXICAL"}]
    slow.post("/indexes/bulk/search", {"queries": queries}, headers={"X-Request-Id": "many"})
    line = told(slow, "many")
    known = (line["index"], line["queries"], line["search_method"], line["limit"], line["has_filter"])
    assert known == (INDEX, 2, "TENSOR,LEXICAL", 10, False)


def test_recommendations_are_searches(slow: Sidecar) -> None:
    slow.post(f"/indexes/{INDEX}/recommend", {"documents": ["1"]}, headers={"X-Request-Id": "like"})
    assert told(slow, "like")["route"] == "/indexes/<index>/recommend"


@pytest.mark.parametrize(
    ("query", "method"),
    [({"neural": {"title": {"query_text": HIDDEN, "k": 3}}}, "neural"), ({"match": {"title": HIDDEN}}, "forwarded")],
)
def test_searches_of_the_native_face_are_told(slow: Sidecar, query: Any, method: str) -> None:
    number = f"{len(method):032x}"
    body = {"query": {"bool": {"must": [query], "filter": [{"exists": {"field": "title"}}]}}, "size": 4}
    headers = {"X-Request-Id": number}
    found = requests.post(f"{slow.native_url}/{INDEX}/_search", json=body, headers=headers, timeout=60)
    assert found.status_code == 200, found.text
    line = told(slow, number)
    known = (line["route"], line["index"], line["search_method"], line["has_filter"])
    assert known == ("native /{index}/_search", INDEX, method, True)
    assert line.get("limit") == (4 if method == "neural" else None)


def test_a_multi_search_tells_how_many(slow: Sidecar) -> None:
    number = "e" * 32
    lines = json.dumps({}) + "\n" + json.dumps({"query": {"match": {"title": HIDDEN}}}) + "\n"
    headers = {"X-Request-Id": number, "Content-Type": "application/x-ndjson"}
    requests.post(f"{slow.native_url}/{INDEX}/_msearch", data=lines * 3, headers=headers, timeout=60)
    assert told(slow, number)["queries"] == 3


def test_writes_are_told_and_streams_are_not(slow: Sidecar) -> None:
    body = {"documents": [{"_id": "2", "title": HIDDEN}], "tensorFields": ["title"]}
    path = f"/indexes/{INDEX}/documents"
    slow.post(path, body, headers={"X-Request-Id": "write"})
    line = told(slow, "write")
    assert (line["message"], line["index"], line["documents"]) == ("a slow write", INDEX, 1)
    ndjson = {"X-Request-Id": "stream", "Content-Type": "application/x-ndjson"}
    streamed = slow.request("POST", f"{path}?tensorFields=title", data=b'{"title":"x"}\n', headers=ndjson)
    assert b'"done":true' in streamed.content
    slow.wait_for_log('"logger":"sidecar.requests".*"request_id":"stream"')
    lines = b'{"index":{}}\n{"title":"x"}\n'
    native = {"X-Request-Id": "f" * 32, "Content-Type": "application/x-ndjson"}
    requests.post(f"{slow.native_url}/{INDEX}/_bulk", data=lines, headers=native, timeout=60)
    assert told(slow, "f" * 32)["documents"] == 1
    assert not [one for one in slow.log if "sidecar.slow" in one and '"stream"' in one]
