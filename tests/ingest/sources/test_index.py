"""Another index as a source, on the run's own node."""

from __future__ import annotations

import http.client
import json
import pickle
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import pytest

from sidecar.errors import InvalidArgument
from sidecar.ingest.sources import index_shards
from sidecar.ingest.sources.source import Place, Record
from tests.fault_server import FaultServer, answer
from tests.fix_opensearch import request
from tests.ingest.sources.reading import check_every_place, parts

COUNT = 60


@pytest.fixture
def host(node: str) -> str:
    return urlsplit(node).netloc


@pytest.fixture
def filled(node: str, index_name: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """An index of two shards, whose documents have vectors; it is read in small pages."""
    monkeypatch.setattr(index_shards, "_FIRST_PAGE_DOCUMENTS", 7)
    monkeypatch.setattr(index_shards, "_MOST_PAGE_DOCUMENTS", 9)
    settings = {"settings": {"number_of_shards": 2, "number_of_replicas": 0}}
    assert request(node, "PUT", f"/{index_name}", json.dumps(settings))[0] == 200
    write(node, index_name, range(COUNT))
    return index_name


def write(node: str, index: str, numbers: Any, **fields: Any) -> None:
    lines = [
        line
        for number in numbers
        for line in (
            {"index": {"_id": f"doc/{number}"}},
            {"n": number, "tags": ["a"], "__embeddings": {"n": {"vector": [0.5, 1.5]}}, **fields},
        )
    ]
    body = "".join(json.dumps(line) + "\n" for line in lines)
    status, answer = request(node, "POST", f"/{index}/_bulk", body)
    assert (status, json.loads(answer)["errors"]) == (200, False)


def document(number: int, **fields: Any) -> dict[str, Any]:
    return {"n": number, "tags": ["a"], **fields}


class Front:
    """A server before the node that says it is of another version; it loses readings now and then, or hides something
    of its answers."""

    def __init__(self, node: str, version: dict[str, Any]) -> None:
        self.asked: list[str] = []
        self.loses = ""
        self.hides = b""
        front = self

        class Handler(BaseHTTPRequestHandler):
            def _forward(self) -> None:
                front.asked.append(f"{self.command} {self.path}")
                connection = http.client.HTTPConnection(urlsplit(node).netloc, timeout=30)
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                connection.request(self.command, self.path, body, {"Content-Type": "application/json"})
                answer = connection.getresponse()
                status, content = answer.status, answer.read()
                connection.close()
                if self.path == "/":
                    content = json.dumps({"version": version}).encode()
                elif front.loses and front.loses in self.path and len(front.asked) % 5 == 0:
                    status = 404
                    content = b'{"error":{"root_cause":[{"type":"search_context_missing_exception"}]},"status":404}'
                if front.hides:
                    content = content.replace(front.hides, b'"hidden"')
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_DELETE = _forward

            def log_message(self, format: str, *args: object) -> None:
                """Nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.host = f"127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture(params=[{"number": "8.15.0"}, {"number": "1.3.2", "distribution": "opensearch"}], ids=["es", "old"])
def front(node: str, request: pytest.FixtureRequest) -> Iterator[Front]:
    """The node as a cluster that has to be scrolled over."""
    front = Front(node, request.param)
    yield front
    front.close()


def all_records(location: str) -> list[Record]:
    """Those of all parts."""
    return [record for part in parts(location) for record in part.records()]


def test_each_shard_is_a_part_that_is_read_from_any_place(host: str, filled: str) -> None:
    found = parts(f"opensearch://{host}/{filled}")
    assert [part.name for part in found] == [f"{filled}/0", f"{filled}/1"]
    whole = [record for part in found for record in check_every_place(part, step=11)]
    assert {record.document_id: record.document for record in whole} == {
        f"doc/{number}": document(number) for number in range(COUNT)
    }
    assert len(whole) == COUNT == sum(part.count() or 0 for part in found)
    assert all(part.count() for part in found)


def test_clusters_without_our_points_in_time_are_scrolled_over(front: Front, filled: str) -> None:
    found = parts(f"elasticsearch://{front.host}/{filled}")
    whole = [record for part in found for record in check_every_place(part, step=11)]
    assert sorted(record.document["n"] for record in whole if record.document) == list(range(COUNT))
    assert any("/_search/scroll" in asked for asked in front.asked)
    assert not any("point_in_time" in asked for asked in front.asked)


@pytest.mark.parametrize("version", [{"number": "3.5.0", "distribution": "opensearch"}, {"number": "8.15.0"}])
def test_a_reading_that_the_cluster_lost_goes_on_where_it_was(node: str, filled: str, version: dict[str, Any]) -> None:
    front = Front(node, version)
    try:
        found = parts(f"opensearch://{front.host}/{filled}")
        front.loses = "/_search/scroll" if "distribution" not in version else "/_search?allow"
        numbers = [record.document["n"] for part in found for record in part.records() if record.document]
    finally:
        front.close()
    assert sorted(numbers) == list(range(COUNT))


def test_what_changes_meanwhile_comes_later(node: str, host: str, filled: str) -> None:
    location = f"opensearch://{host}/{filled}"
    [first, _] = parts(location)
    seen = list(first.records())
    write(node, filled, range(0, COUNT, 3), changed=True)
    [again, _] = parts(location)
    later = list(again.records(Place.behind(seen[-1])))
    ids = {record.document_id for record in seen}
    expected = {f"doc/{number}" for number in range(0, COUNT, 3)} & ids
    assert {record.document_id for record in later} == expected
    assert all(record.document and record.document["changed"] for record in later)
    assert later[0].row == seen[-1].row + 1


def test_a_shard_that_is_written_to_has_another_fingerprint(node: str, host: str, filled: str) -> None:
    location = f"opensearch://{host}/{filled}"
    before = {part.name: part.fingerprint for part in parts(location)}
    assert {part.name: part.fingerprint for part in parts(location)} == before
    write(node, filled, [0])
    after = {part.name: part.fingerprint for part in parts(location)}
    assert sum(before[name] != after[name] for name in before) == 1


def test_documents_that_were_just_written_are_read(node: str, host: str, index_name: str) -> None:
    settings = {"settings": {"number_of_shards": 1, "refresh_interval": "-1"}}
    request(node, "PUT", f"/{index_name}", json.dumps(settings))
    write(node, index_name, range(3))
    assert [record.document for record in all_records(f"opensearch://{host}/{index_name}")] == [
        document(number) for number in range(3)
    ]


def test_an_alias_is_its_indexes(node: str, host: str, filled: str) -> None:
    request(node, "PUT", f"/{filled}/_alias/{filled}-alias")
    found = parts(f"opensearch://{host}/{filled}-alias")
    assert [part.name for part in found] == [f"{filled}/0", f"{filled}/1"]


def test_an_alias_of_some_documents_is_refused(node: str, host: str, filled: str) -> None:
    request(node, "PUT", f"/{filled}/_alias/{filled}-some", json.dumps({"filter": {"term": {"n": 1}}}))
    with pytest.raises(InvalidArgument, match=rf"alias with a filter or a routing of index {filled}"):
        parts(f"opensearch://{host}/{filled}-some")


def test_an_index_that_keeps_no_documents_is_told(node: str, host: str, index_name: str) -> None:
    body = {"settings": {"number_of_shards": 1}, "mappings": {"_source": {"enabled": False}}}
    request(node, "PUT", f"/{index_name}", json.dumps(body))
    write(node, index_name, [7])
    with pytest.raises(InvalidArgument, match=rf"{index_name} can't be read: .*_source is disabled"):
        all_records(f"opensearch://{host}/{index_name}")


def test_documents_that_come_without_their_fields_are_rows_that_cannot_be_read(front: Front, filled: str) -> None:
    front.hides = b'"_source"'
    found = all_records(f"opensearch://{front.host}/{filled}")
    assert {record.document_id for record in found} == {f"doc/{number}" for number in range(COUNT)}
    assert {record.error for record in found} == {"the index does not store its documents (_source)"}


def test_a_shard_can_be_sent_to_another_process(host: str, filled: str) -> None:
    [part, _] = parts(f"opensearch://{host}/{filled}")
    assert list(pickle.loads(pickle.dumps(part)).records()) == list(part.records())


@pytest.mark.parametrize(
    ("location", "storage", "told"),
    [
        ("opensearch://HOST/missing", {}, r"There is no index at opensearch://.*/missing\."),
        ("opensearch://user:secret@HOST/", {}, r"must name a host and one index: opensearch://HOST:9200/INDEX"),
        ("opensearch://HOST/a,b", {}, r"must name a host and one index"),
        ("opensearch://HOST:port/a", {}, r"bad port"),
        ("opensearch://127.0.0.1:9/a", {}, r"a can't be read: Nothing listens at http://127\.0\.0\.1:9"),
        ("opensearch+https://HOST/a", {}, r"can't be read: No TLS connection"),
        ("opensearch://HOST/a", {"verify": "no"}, r"'verify' is no storage option of a cluster; known: verify_tls"),
        ("opensearch://HOST/a", {"verify_tls": "7"}, r"verify_tls must be true or false"),
        ("opensearch://HOST/a", {"ca_file": "/missing.pem"}, r"a storage option is wrong"),
    ],
)
def test_an_index_that_cannot_be_read_is_told(host: str, location: str, storage: dict[str, str], told: str) -> None:
    with pytest.raises(InvalidArgument, match=told) as refused:
        parts(location.replace("HOST", host, 1) if ":port" not in location else location, storage=storage)
    assert "secret" not in str(refused.value)


def test_a_cluster_that_refuses_the_user_is_told() -> None:
    refusal = answer(b'{"error":{"type":"security_exception","reason":"no permissions"},"status":403}', "403 Forbidden")
    with FaultServer([refusal]) as server:
        location = server.url.replace("http://", "opensearch://user:secret@") + "/index"
        with pytest.raises(
            InvalidArgument, match="its cluster answers 403; look at the user and the password"
        ) as refused:
            parts(location)
    assert "Basic " in server.requests[0].head
    assert "secret" not in str(refused.value)
