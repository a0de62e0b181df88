"""What comes to the native port passes to the cluster as it is, and the cluster's answer comes back as it is."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from urllib.parse import quote

import pytest

from tests.fix_opensearch import request
from tests.fix_server import Sidecar
from tests.native.exchanges import JSON, NDJSON, Header, exchange

IDS = ("1", "a/b", "a+b", "a b", "a%b", "é", "%2F")
SOURCE = '{"z":9007199254740993,"a":1.50,"e":1e3,"u":"\\u00e9\\ud83d","z2":[{}, null ]}'
"""What a JSON library would not give back as it was."""
SEARCH = b'{"query":{"match_all":{}},"size":2,"sort":["n"]}'
YAML = b"query:\n  match_all: {}\nsize: 0\n"
CBOR = b"\xbf\x64size\x00\xff"
"""``{"size": 0}``."""


@pytest.fixture(scope="module")
def library(node: str) -> Iterator[str]:
    """The name of an index with some documents, for all that only read."""
    name = f"test-{uuid.uuid4().hex[:12]}"
    settings = {"settings": {"number_of_shards": 1, "number_of_replicas": 0}, "aliases": {f"{name}-alias": {}}}
    assert request(node, "PUT", f"/{name}", json.dumps(settings))[0] == 200
    for number, id in enumerate(IDS):
        target = f"/{name}/_doc/{quote(id, safe='')}?refresh=true"
        assert request(node, "PUT", target, json.dumps({"n": number, "t": f"text {id}"}))[0] == 201
    yield name
    request(node, "DELETE", f"/{name}")


def assert_same(
    sidecar: Sidecar,
    node: str,
    method: str,
    target: str,
    body: bytes | None = None,
    *headers: Header,
) -> None:
    """Both answer alike; the sidecar twice, since its second answer may come from what it keeps."""
    expected = exchange(node, method, target, body, headers)
    assert exchange(sidecar.native_url, method, target, body, headers) == expected
    assert exchange(sidecar.native_url, method, target, body, headers) == expected


READS = [
    *(("GET", "/"), ("HEAD", "/"), ("GET", "/?pretty"), ("GET", "/?format=yaml"), ("HEAD", "/{i}"), ("HEAD", "/nope")),
    *(("GET", "/_cat/indices/nothing-*?format=json"), ("GET", "/no-such-index/_search"), ("GET", "/a/b/c/d/e/f")),
    *(("DELETE", "/_search"), ("PUT", "/{i}/_search"), ("POST", "/{i}/_mapping/x"), ("GET", "/{i}/_search?nope=1")),
    *(("OPTIONS", "/"), ("OPTIONS", "/{i}/_search"), ("OPTIONS", "/a/b/c/d"), ("OPTIONS", "*")),
    *(("TRACE", "/"), ("PATCH", "/"), ("PATCH", "/{i}/_doc/1"), ("CONNECT", "/")),
    *(("GET", "/{i}/../_cluster/health"), ("GET", "/./"), ("GET", "/{i}/%2e%2e/_count"), ("GET", "/{i}/./_count")),
    *(("GET", "/%zz"), ("GET", "/{i}/_doc/%zz"), ("GET", "/{i}/_doc/%4"), ("GET", "/{i}/_count?q=%zz")),
    *(("GET", "/{i}/_count?q=%%"), ("GET", "/{i}/_doc/%ff"), ("GET", "/%ff/_search"), ("GET", "/\xff/_search")),
    *(("POST", "/%5Fbulk"), ("GET", "/{i}/%5Fcount"), ("GET", "/%5Fcount"), ("GET", "/{i}%2C/_count")),
    *(("GET", "//_count"), ("GET", "/_count/"), ("GET", "/_count//"), ("GET", "/{i}//_count"), ("GET", "//")),
    *(("GET", "//{i}/_count"), ("GET", "/{i}/_count/"), ("GET", "///_count"), ("GET", "//{i}"), ("HEAD", "/{i}/")),
    *(("GET", "/{i}/_count#x?q=1"), ("GET", "/{i}/_count?q=n:1#x")),
    *(("GET", "/{i}/_search?size=1;from=1&sort=n"), ("GET", "/{i}/_search?size=1&size=2&sort=n")),
    *(("GET", "/{i}/_search?sort=n&q=t:text+a"), ("GET", "/{i}/_count?=1"), ("GET", "/{i}/_search?&&size=0&")),
    *(("GET", "/{i}-alias/_count"), ("GET", "/{i}*/_count"), ("GET", "/%3C{i}%3E/_count"), ("GET", "/_all/_nope")),
    *(("GET", "/{i}/_doc/a%2Fb"), ("GET", "/{i}/_doc/a/b"), ("GET", "/{i}/_doc/a+b"), ("GET", "/{i}/_doc/a%2Bb")),
    *(("GET", "/{i}/_doc/a%20b"), ("GET", "/{i}/_doc/a%25b"), ("GET", "/{i}/_doc/%C3%A9"), ("GET", "/{i}/_doc/Ã©")),
    *(("GET", "/{i}/_doc/%252F"), ("HEAD", "/{i}/_doc/1"), ("HEAD", "/{i}/_doc/none"), ("GET", "/{i}/_source/1")),
    *(("GET", "/{i}/_mapping?pretty&format=yaml"), ("GET", "/{i}/_settings?flat_settings"), ("GET", "/.kibana")),
]


@pytest.mark.parametrize(("method", "target"), READS)
def test_paths_and_methods_are_the_clusters(
    sidecar: Sidecar, node: str, library: str, method: str, target: str
) -> None:
    assert_same(sidecar, node, method, target.replace("{i}", library), None)


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (SEARCH, [JSON]),
        (SEARCH, [("Content-Type", "Application/JSON; Charset=UTF-8")]),
        (SEARCH, [NDJSON]),
        (SEARCH, []),
        (SEARCH, [("Content-Type", "text/plain")]),
        (SEARCH, [("Content-Type", "application/x-www-form-urlencoded")]),
        (SEARCH, [("Content-Type", "application/vnd.elasticsearch+json;compatible-with=8")]),
        (SEARCH, [("Content-Type", "nonsense")]),
        (YAML, [("Content-Type", "application/yaml")]),
        (YAML, [("Content-Type", "application/yaml"), ("Accept", "application/json")]),
        (CBOR, [("Content-Type", "application/cbor")]),
        (SEARCH, [JSON, ("Accept", "application/yaml")]),
        (SEARCH, [JSON, ("Accept", "application/cbor")]),
        (SEARCH, [JSON, ("Accept", "application/smile")]),
        (SEARCH, [JSON, ("X-Opaque-Id", "my/own id")]),
        (SEARCH, [JSON, ("X-Opaque-Id", "1"), ("X-Opaque-Id", "2")]),
        (SEARCH, [JSON, ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")]),
        (SEARCH, [JSON, ("Content-Encoding", "nonsense")]),
        (b"", [JSON]),
        (b"{", [JSON]),
        (b"\xff\xfe", [JSON]),
        (None, [JSON]),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_bodies_and_their_types_are_the_clusters(
    sidecar: Sidecar, node: str, library: str, method: str, body: bytes | None, headers: list[Header]
) -> None:
    assert_same(sidecar, node, method, f"/{library}/_search?filter_path=hits,error,status", body, *headers)


@pytest.mark.parametrize(
    "parameters",
    [
        {"source": SEARCH.decode(), "source_content_type": "application/json"},
        {"source": SEARCH.decode()},
        {"source_content_type": "application/json"},
        {"source": YAML.decode(), "source_content_type": "application/yaml"},
    ],
)
def test_a_body_in_the_target_is_the_clusters(
    sidecar: Sidecar, node: str, library: str, parameters: dict[str, str]
) -> None:
    query = "&".join(f"{name}={quote(value, safe='')}" for name, value in parameters.items())
    target = f"/{library}/_search?{query}&filter_path=hits,error"
    assert_same(sidecar, node, "GET", target, None)
    assert_same(sidecar, node, "GET", target, b'{"size":0}', JSON)


def test_warnings_come_through(sidecar: Sidecar, node: str, index_name: str) -> None:
    body = json.dumps({"index_patterns": [f"{index_name}*"]}).encode()
    answers = []
    for url in (node, sidecar.native_url):
        exchange(url, "PUT", f"/_index_template/{index_name}-new", body)
        # The cluster warns once for each id.
        headers = [JSON, ("X-Opaque-Id", uuid.uuid4().hex)]
        answers.append(exchange(url, "PUT", f"/_template/{index_name}", body, headers).without("x-opaque-id"))
        exchange(url, "DELETE", f"/_template/{index_name}")
        exchange(url, "DELETE", f"/_index_template/{index_name}-new")
    direct, passed = answers
    assert passed == direct
    assert len(direct.values("warning")) == 1


def test_answers_have_no_header_of_the_sidecars_own(sidecar: Sidecar) -> None:
    answered = exchange(sidecar.native_url, "GET", "/")
    assert {name for name, _ in answered.headers} == {"content-type", "content-length", "x-opensearch-version"}


def test_source_of_documents_keeps_its_bytes(sidecar: Sidecar, node: str, index_name: str) -> None:
    settings = b'{"settings":{"index.knn":false,"number_of_replicas":0},"mappings":{"dynamic":false}}'
    exchange(sidecar.native_url, "PUT", f"/{index_name}", settings)
    stored = SOURCE.encode()
    assert exchange(sidecar.native_url, "PUT", f"/{index_name}/_doc/1", stored).status == 201
    lines = b'{"index":{"_id":"2"}}\n' + stored + b"\n"
    assert exchange(sidecar.native_url, "POST", f"/{index_name}/_bulk?refresh", lines, [NDJSON]).status == 200
    for number in (1, 2):
        assert exchange(sidecar.native_url, "GET", f"/{index_name}/_source/{number}").body == stored
        assert_same(sidecar, node, "GET", f"/{index_name}/_doc/{number}")
    assert_same(sidecar, node, "GET", f"/{index_name}/_search?sort=_id")
