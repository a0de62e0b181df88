"""Names that would lead elsewhere if they were taken for a path, a pattern or a command."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.client import HTTPConnection
from urllib.parse import quote

import pytest

from tests.fix_opensearch import request
from tests.fix_server import Sidecar

IDS = [
    "..",
    ".",
    "../x",
    "../../_cluster/health",
    "/etc/passwd",
    "a/b",
    "a\\b",
    "%2e%2e",
    "%2F",
    "%00",
    "a?refresh=true",
    "a#b",
    "a&routing=x",
    "a;b",
    "a b",
    "a+b",
    "\x1b[2J",
    "line\nbreak",
    "\u2028",
    "null\x00",
    '"},{"delete":{"_id":"kept"}}',
    "*",
    "_all",
    "_search",
    "<x-{now/d}>",
    "${7*7}",
    "'; DROP TABLE x",
    "ünï",
    "🎉",
    "x" * 512,
]
INDEXES = [
    *("*", "_all", "mine,foreign", "-foreign", "<foreign>", "<foreign-{now/d}>", "far:foreign", "..", "."),
    *("../foreign", "%2e%2e", "foreign/_doc", "foreign?x=1", "foreign#x", "foreign%00", "foreign\n", "FOREIGN"),
    *(" foreign", "foreign ", "_search", "_plugins", "_cluster", ".opendistro_security", "x" * 300, "\u202eforeign"),
]
READS = (
    *(("GET", "/documents/1"), ("GET", "/stats"), ("GET", "/settings"), ("GET", "/details"), ("GET", "/fields")),
    *(("GET", "/aliases"), ("POST", "/search"), ("POST", "/refresh"), ("POST", "/documents/delete-batch")),
    *(("POST", "/documents/delete-by-query"), ("POST", "/point-in-time"), ("POST", "/recommend")),
)
BODIES = {
    "/search": {"q": "secret"},
    "/documents/delete-batch": ["1"],
    "/documents/delete-by-query": {"filter": "title:secret"},
    "/recommend": {"documents": ["1"]},
}


@pytest.fixture(scope="module")
def foreign(node: str) -> Iterator[str]:
    """An index that the API has not made, with a document."""
    assert request(node, "PUT", "/foreign/_doc/1?refresh=true", json.dumps({"title": "secret"}))[0] == 201
    yield "foreign"
    request(node, "DELETE", "/foreign")


def asked(sidecar: Sidecar, method: str, path: str, body: object = None) -> tuple[int, str]:
    """An exchange by a client that sends the path as it is: others take `..` for a step."""
    connection = HTTPConnection(sidecar.url.partition("//")[2], timeout=60)
    sent = None if body is None else json.dumps(body)
    connection.request(method, path, sent, {"Content-Type": "application/json"})
    answered = connection.getresponse()
    text = answered.read().decode()
    connection.close()
    return answered.status, text


def test_id_is_an_id_whatever_stands_in_it(sidecar: Sidecar, index: str) -> None:
    documents = [{"_id": "kept", "title": "kept"}, *({"_id": one, "title": "t"} for one in IDS)]
    assert not sidecar.add(index, documents)["errors"]
    ids = ["kept", *IDS]
    found = sidecar.get(f"/indexes/{index}/documents", ids).json()["results"]
    assert [one["_id"] for one in found] == ids
    for one in IDS:
        status, text = asked(sidecar, "GET", f"/indexes/{index}/documents/{quote(one, safe='')}")
        # What has a slash is the path's; the lists above and below take it.
        assert (status == 404 and "/" in one) or json.loads(text)["_id"] == one
    assert sidecar.post(f"/indexes/{index}/documents/delete-batch", IDS).json()["details"]["deletedDocuments"] == len(
        IDS
    )
    sidecar.post(f"/indexes/{index}/refresh")
    assert sidecar.get(f"/indexes/{index}/stats").json()["numberOfDocuments"] == 1


@pytest.mark.parametrize("name", INDEXES)
def test_name_of_an_index_reaches_no_other(sidecar: Sidecar, node: str, foreign: str, name: str) -> None:
    base = f"/indexes/{quote(name, safe='')}"
    for method, path in READS:
        status, text = asked(sidecar, method, base + path, BODIES.get(path))
        assert status in (400, 404, 405, 422), (path, text)
        assert "secret" not in text.replace("title:secret", "")
    assert asked(sidecar, "DELETE", base)[0] in (400, 404, 405)
    # Some are odd, but names: they become indexes of their own.
    if asked(sidecar, "POST", base)[0] == 200:
        assert asked(sidecar, "GET", base + "/documents/1")[0] == 404
        assert asked(sidecar, "DELETE", base)[0] == 200
    assert request(node, "GET", f"/{foreign}/_doc/1")[0] == 200


@pytest.mark.parametrize(("method", "path"), READS)
def test_index_that_the_api_has_not_made_is_not_its_to_change(
    sidecar: Sidecar, node: str, foreign: str, method: str, path: str
) -> None:
    sidecar.request(method, f"/indexes/{foreign}{path}", BODIES.get(path))
    assert sidecar.delete(f"/indexes/{foreign}").status_code == 400
    assert request(node, "GET", f"/{foreign}/_doc/1")[0] == 200


@pytest.mark.parametrize(
    "place",
    [
        {"localpath": "/dev/zero"},
        {"localpath": "/proc/self/environ"},
        {"localpath": "/etc/passwd"},
        {"localpath": "~nobody-of-that-name/model"},
        {"localpath": "/" + "x" * 5000},
        {"localpath": "a\0b"},
        {"name": "/etc"},
        {"name": "../../etc"},
        {"name": "~nobody-of-that-name/model"},
        {"name": "/" + "x" * 5000},
        {"name": "x" * 5000},
        {"name": "a\0b"},
        {"name": "org/../../etc"},
        {"model_location": {"hf": {"repo_id": "../../etc", "filename": "passwd"}}},
        {"model_location": {"hf": {"repo_id": "org/name", "filename": "../../../../etc/passwd"}}},
        {"model_location": {"s3": {"Bucket": "../x", "Key": "../../etc/passwd"}}},
        {"url": "http://127.0.0.1:9/model.zip"},
        {"url": "file:///etc/passwd"},
        {"url": "http://user:hunter2@models.example/model.zip"},
    ],
    ids=lambda place: json.dumps(place)[:60],
)
def test_place_of_a_model_that_leads_elsewhere_is_refused_in_words(
    sidecar: Sidecar, index_name: str, place: dict[str, object]
) -> None:
    properties = {"name": "x", "type": "hf", "dimensions": 32, **place}
    defaults = {"model": "mine", "model_properties": properties}
    answered = sidecar.post(f"/indexes/{index_name}", {"index_defaults": defaults, "number_of_shards": 1})
    if answered.status_code == 200:
        answered = sidecar.post(f"/indexes/{index_name}/search", {"q": "x"})
    assert answered.status_code == 400, answered.text
    assert "root:" not in answered.text
    assert "hunter2" not in answered.text
    sidecar.delete(f"/indexes/{index_name}")
