"""A cluster that answers garbage: the client gets an error that says so, and the next good answer is used again."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.faults.garbling_proxy import Garbage, GarblingProxy
from tests.fix_server import SMALL, Sidecar

pytestmark = pytest.mark.faults

HTML = b"<html><head><title>502</title></head><body>Bad gateway</body></html>"
DEEP = b'{"a":' * 5000 + b"1" + b"}" * 5000
GARBAGE = (
    Garbage("empty", b""),
    Garbage("html", HTML, content_type="text/html"),
    Garbage("html of a gateway", HTML, 502, "text/html"),
    Garbage("cut off", b'{"hits": {"hits": [{"_id": "1", "_sou'),
    Garbage("empty object", b"{}"),
    Garbage("list", b"[]"),
    Garbage("null", b"null"),
    Garbage("text", b'"ok"'),
    Garbage("number", b"17"),
    Garbage("nulls", b'{"hits": null, "items": null, "responses": null, "docs": null, "_source": null, "count": null}'),
    Garbage("other types", b'{"hits": [], "items": {}, "responses": 5, "docs": "x", "took": {}, "errors": "no"}'),
    Garbage("too few", b'{"hits": {"hits": []}, "items": [], "responses": [], "docs": [], "errors": false}'),
    Garbage(
        "nothing that is a hit", b'{"hits": {"hits": [null, 5, {}]}, "items": [null], "responses": [null], "docs": [7]}'
    ),
    Garbage("no text at all", b"\xff\xfe\x00\x80"),
    Garbage("deep", DEEP),
    Garbage("error without words", b"{}", 500),
    Garbage("error of another shape", b'{"error": {"reason": {"deep": []}, "root_cause": 3}, "status": "x"}', 400),
    Garbage("error that is a text", b'{"error": "IndexNotFound"}', 404),
    Garbage("a status that is none", b"{}", 299),
)
REQUESTS: tuple[tuple[str, str, Any], ...] = (
    ("POST", "/indexes/{index}/search", {"q": "a text"}),
    ("POST", "/indexes/{index}/search", {"q": "a text", "searchMethod": "LEXICAL"}),
    ("POST", "/indexes/{index}/search", {"q": "a text", "searchMethod": "HYBRID"}),
    ("POST", "/indexes/bulk/search", {"queries": [{"index": "{index}", "q": "a text"}]}),
    ("POST", "/indexes/{index}/recommend", {"documents": ["1"]}),
    ("POST", "/indexes/{index}/documents", {"documents": [{"_id": "2", "title": "two"}], "tensorFields": ["title"]}),
    ("PATCH", "/indexes/{index}/documents", {"documents": [{"_id": "1", "title": "new"}], "tensorFields": ["title"]}),
    ("POST", "/indexes/{index}/documents/delete-batch", ["7"]),
    ("POST", "/indexes/{index}/documents/delete-by-query", {"filter": "title:(nothing)"}),
    ("GET", "/indexes/{index}/documents/1", None),
    ("GET", "/indexes/{index}/documents", ["1"]),
    ("GET", "/indexes/{index}/stats", None),
    ("GET", "/indexes/{index}/settings", None),
    ("GET", "/indexes/{index}/health", None),
    ("GET", "/indexes", None),
    ("POST", "/indexes/{index}/refresh", None),
    ("GET", "/ready", None),
)


@pytest.fixture(scope="module")
def proxy(node: str) -> Iterator[GarblingProxy]:
    with GarblingProxy(node) as running:
        yield running


@pytest.fixture(scope="module")
def served(proxy: GarblingProxy) -> Iterator[Sidecar]:
    environment = {"OPENSEARCH_URL": proxy.url, "SIDECAR_OPENSEARCH_RETRY_DEADLINE": "0.2"}
    with Sidecar(environment) as sidecar:
        yield sidecar


@pytest.fixture
def filled(served: Sidecar, index_name: str) -> str:
    assert served.post(f"/indexes/{index_name}", SMALL).status_code == 200
    served.add(index_name, [{"_id": "1", "title": "one"}])
    return index_name


@pytest.mark.parametrize("path", ["", "/_"], ids=["every answer", "all but those on indexes"])
@pytest.mark.parametrize("garbage", GARBAGE, ids=lambda one: one.name)
def test_garbage_is_told_as_the_clusters_and_nothing_breaks(
    proxy: GarblingProxy, served: Sidecar, filled: str, garbage: Garbage, path: str
) -> None:
    said_before = len(served.log)
    proxy.path = re.compile(path)
    wrong = []
    for method, route, body in REQUESTS:
        sent = json.loads(json.dumps(body).replace("{index}", filled))
        proxy.garbage = garbage
        try:
            answer = served.request(method, route.replace("{index}", filled), sent)
        finally:
            proxy.garbage = None
        if problem := misbehaviour(answer):
            wrong.append(f"{method} {route} {json.dumps(body)}: {problem}")
    assert not wrong, "\n".join(wrong)
    assert not [line for line in served.log[said_before:] if "Traceback" in line]
    assert served.post(f"/indexes/{filled}/search", {"q": "one"}).json()["hits"][0]["_id"] == "1"
    assert served.get("/ready").status_code == 200


def misbehaviour(answer: requests.Response) -> str | None:
    """What a client could not make sense of; None where there is nothing."""
    try:
        told = answer.json()
    except ValueError:
        return f"no JSON: {answer.text[:100]!r}"
    if answer.status_code < 400:
        # An answer with too little in it may be taken for one that found nothing.
        return None
    if not isinstance(told, dict) or not (told.get("message") or told.get("reasons") or told.get("status")):
        return f"an error without words: {answer.text[:100]!r}"
    if "nobody foresaw" in str(told.get("message", "")):
        return f"taken for an error of ours: {answer.text[:200]!r}"
    return None
