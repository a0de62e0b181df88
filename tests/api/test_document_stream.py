"""Adding documents by lines of JSON."""

from __future__ import annotations

import http.client
import io
import json
import socket
import threading
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import quote, urlsplit

import psutil
import pytest

from sidecar.api import document_stream
from sidecar.api.document_stream import BATCH_DOCUMENTS, DocumentStream
from sidecar.api.lines import LineReader
from sidecar.api.outlet import LIVE_BYTES
from sidecar.errors import ModelLoadError
from tests.api.test_partial_updates import check_embedded, stored
from tests.fix_opensearch import request
from tests.fix_server import Sidecar

NDJSON = "application/x-ndjson"
PATIENCE_SECONDS = 120.0


def lines(documents: Iterable[Any]) -> bytes:
    return b"".join(json.dumps(document).encode() + b"\n" for document in documents)


def send(
    sidecar: Sidecar, index: str, body: bytes | Iterator[bytes], query: str = "tensorFields=title"
) -> tuple[int, list[dict[str, Any]]]:
    """Send a body, one that comes in pieces as chunks, all before the answer is read; status and the answer's lines."""
    connection = http.client.HTTPConnection(urlsplit(sidecar.url).netloc, timeout=PATIENCE_SECONDS)
    try:
        path = f"/indexes/{index}/documents?{query}"
        connection.request("POST", path, body, {"Content-Type": NDJSON})
        answered = connection.getresponse()
        text = answered.read()
        if answered.status == 200:
            assert answered.headers["Content-Type"] == NDJSON
        return answered.status, [json.loads(line) for line in text.splitlines()]
    finally:
        connection.close()


def counts(line: dict[str, Any]) -> tuple[int, int, int]:
    return line["received"], line["succeeded"], line["failed"]


@pytest.mark.parametrize("content_type", [NDJSON, "application/ndjson", "application/jsonl; charset=utf-8"])
def test_lines_are_stored_and_embedded(sidecar: Sidecar, index: str, content_type: str) -> None:
    body = lines([{"_id": "1", "title": "A title.", "n": 1}, {"_id": "2", "title": "Another."}, {"title": "No id."}])
    answered = sidecar.post(
        f"/indexes/{index}/documents?tensorFields=title&refresh=true", data=body, headers={"Content-Type": content_type}
    )
    assert answered.status_code == 200
    *progress, done = [json.loads(line) for line in answered.text.splitlines()]
    assert progress == [{"progress": {"received": 3, "succeeded": 3, "failed": 0}}]
    assert done.pop("processingTimeMs") > 0
    assert done == {"done": True, "received": 3, "succeeded": 3, "failed": 0}
    assert sidecar.get(f"/indexes/{index}/stats").json() == {"numberOfDocuments": 3, "numberOfVectors": 3}
    check_embedded(stored(sidecar, index), title="A title.")


def test_chunked_body_of_many_batches_is_stored_whole(sidecar: Sidecar, index: str) -> None:
    count = 2 * BATCH_DOCUMENTS + 10
    text = lines({"_id": f"{number}", "title": f"Text {number}."} for number in range(count)).removesuffix(b"\n")
    pieces = (text[start : start + 5000] for start in range(0, len(text), 5000))
    status, answered = send(sidecar, index, pieces, "tensorFields=title&refresh=true")
    assert (status, counts(answered[-1])) == (200, (count, count, 0))
    assert answered[0] == {"progress": {"received": BATCH_DOCUMENTS, "succeeded": BATCH_DOCUMENTS, "failed": 0}}
    assert sidecar.get(f"/indexes/{index}/stats").json() == {"numberOfDocuments": count, "numberOfVectors": count}


def test_failed_documents_are_told_by_their_lines(sidecar: Sidecar, index: str) -> None:
    limit = 100_000
    texts = [
        b'{"_id": "1", "title": "Good."}',
        b"",
        b"{broken",
        b"  \r",
        b'{"_id": 5, "title": "Bad id."}',
        b'["no object"]',
        b'{"_id": "6", "title": "' + b"x" * limit + b'"}',
        b'{"_id": "7", "title": "' + b"x" * 3 * limit + b'"}',
        b'{"_id": "8", "n": 1}',
        b'{"_id": "9", "n": "no number"}',
        b'{"_id": "10", "title": "Good too."}',
    ]
    _, answered = send(sidecar, index, b"\r\n".join(texts))
    items = [line["item"] for line in answered if "item" in line]
    assert [(item["line"], item["_id"], item["status"], item.get("code")) for item in items] == [
        (3, "", 400, "invalid_argument"),
        (5, "", 400, "invalid_document_id"),
        (6, "", 400, "invalid_argument"),
        (7, "", 400, "doc_too_large"),
        (8, "", 400, "doc_too_large"),
        (10, "9", 400, None),
    ]
    assert items[0]["error"].startswith("line 3 is not JSON")
    assert items[5]["error"]["type"] == "mapper_parsing_exception"
    assert counts(answered[-1]) == (9, 3, 6)
    assert sidecar.get(f"/indexes/{index}/documents/10").status_code == 200


def test_parameters_say_what_the_body_can_not(sidecar: Sidecar, index: str) -> None:
    mappings = quote(json.dumps({"combo": {"type": "multimodal_combination", "weights": {"a": 1}}}))
    document = {"_id": "1", "title": "T.", "a,b": "C.", "combo": {"a": "red"}, "plain": "P."}
    query = f"tensorFields=title&tensorFields=a,b&tensorFields=combo&mappings={mappings}&textChunkPrefix=%20"
    _, answered = send(sidecar, index, lines([document]), query)
    assert counts(answered[-1]) == (1, 1, 0)
    facets = stored(sidecar, index)["_tensor_facets"]
    assert [next(iter(facet)) for facet in facets] == ["title", "a,b", "combo"]
    _, answered = send(sidecar, index, lines([{"_id": "1", "title": "T.", "plain": "P."}]), "tensorFields=title,plain")
    check_embedded(stored(sidecar, index), title="T.", plain="P.")
    send(sidecar, index, lines([{"_id": "1", "title": "T.", "plain": "P."}]), "nonTensorFields=plain")
    check_embedded(stored(sidecar, index), title="T.")
    send(sidecar, index, lines([{"_id": "1", "title": "T."}]), "tensorFields=")
    assert stored(sidecar, index)["_tensor_facets"] == []


@pytest.mark.parametrize(
    ("place", "query", "status", "code"),
    [
        ("{index}", "", 400, "bad_request"),
        ("{index}", "tensorFields=a&nonTensorFields=b", 400, "bad_request"),
        ("{index}", "tensorFields=a&mappings={", 400, "invalid_argument"),
        ("{index}", "tensorFields=a&device=tpu", 400, "invalid_argument"),
        ("nope", "tensorFields=a", 404, "index_not_found"),
    ],
)
def test_error_before_the_first_line_is_an_ordinary_answer_to_a_client_that_sends_all_first(
    sidecar: Sidecar, index: str, place: str, query: str, status: int, code: str
) -> None:
    body = lines({"title": "x" * 1000} for _ in range(20_000))
    connection = http.client.HTTPConnection(urlsplit(sidecar.url).netloc, timeout=PATIENCE_SECONDS)
    path = f"/indexes/{place.format(index=index)}/documents?{quote(query, safe='=&')}"
    for _ in range(2):
        connection.request("POST", path, body, {"Content-Type": NDJSON})
        answered = connection.getresponse()
        assert (answered.status, json.loads(answered.read())["code"]) == (status, code)
        assert not answered.will_close, "the connection serves on"
    connection.close()


def test_empty_body_is_done_at_once(sidecar: Sidecar, index: str) -> None:
    for body in (b"", b"\n\n"):
        _, answered = send(sidecar, index, body)
        assert [counts(line) for line in answered] == [(0, 0, 0)]


def test_more_failures_than_the_network_holds_reach_a_client_that_sends_all_first(sidecar: Sidecar, index: str) -> None:
    count = 60_000
    pieces = (b"broken line of some length, so that it is told at length\n" * 100 for _ in range(count // 100))
    _, answered = send(sidecar, index, pieces)
    assert [line["item"]["line"] for line in answered if "item" in line] == list(range(1, count + 1))
    assert counts(answered[-1]) == (count, 0, count)
    assert sum(len(json.dumps(line)) for line in answered) > 50 * LIVE_BYTES


def test_answer_begins_while_the_body_is_still_sent(sidecar: Sidecar, index: str) -> None:
    address = urlsplit(sidecar.url)
    head = f"POST /indexes/{index}/documents?tensorFields= HTTP/1.1\r\nHost: x\r\nContent-Type: {NDJSON}\r\n"
    piece = lines({"n": number} for number in range(2 * BATCH_DOCUMENTS))
    with socket.create_connection((address.hostname, address.port), timeout=PATIENCE_SECONDS) as connection:
        connection.sendall(head.encode() + b"Transfer-Encoding: chunked\r\n\r\n")
        connection.sendall(b"%x\r\n%b\r\n" % (len(piece), piece))
        answer = http.client.HTTPResponse(connection, method="POST")
        # One read may hold the rest of the piece back until more has come.
        sender = threading.Thread(target=lambda: connection.sendall(b"40000\r\n" + b"\n" * 0x40000 + b"\r\n"))
        sender.start()
        answer.begin()
        assert counts(json.loads(answer.readline())["progress"]) == (BATCH_DOCUMENTS, BATCH_DOCUMENTS, 0)
        sender.join()
        connection.sendall(b"0\r\n\r\n")
        *_, done = answer.read().splitlines()
        assert counts(json.loads(done)) == (2 * BATCH_DOCUMENTS, 2 * BATCH_DOCUMENTS, 0)


def test_index_that_goes_away_midway_is_the_last_line(sidecar: Sidecar, node: str, index: str) -> None:
    def pieces() -> Iterator[bytes]:
        yield lines({"n": number} for number in range(BATCH_DOCUMENTS))
        # White space, until the first batch is stored.
        while count_of(node, index) < BATCH_DOCUMENTS:
            yield b"\n" * 100_000
        request(node, "DELETE", f"/{index}")
        for _ in range(20):
            yield lines({"n": number} for number in range(BATCH_DOCUMENTS))

    status, answered = send(sidecar, index, pieces(), "tensorFields=")
    assert status == 200
    assert answered[-1]["error"]["code"] == "index_not_found"
    assert answered[-1]["received"] >= BATCH_DOCUMENTS
    assert answered[-1]["line"] > answered[-1]["received"]
    assert request(node, "GET", f"/{index}")[0] == 404, "it is not made again"


def count_of(node: str, index: str) -> int:
    request(node, "POST", f"/{index}/_refresh")
    found: int = json.loads(request(node, "GET", f"/{index}/_count")[1])["count"]
    return found


def test_body_that_breaks_off_is_told_in_the_log_and_whole_batches_stay(
    sidecar: Sidecar, node: str, index: str
) -> None:
    address = urlsplit(sidecar.url)
    body = lines({"n": number} for number in range(BATCH_DOCUMENTS + 5))
    head = f"POST /indexes/{index}/documents?tensorFields= HTTP/1.1\r\nHost: x\r\nContent-Type: {NDJSON}\r\n"
    with socket.create_connection((address.hostname, address.port), timeout=PATIENCE_SECONDS) as connection:
        connection.sendall(head.encode() + b"Content-Length: %d\r\n\r\n%b" % (len(body) + 1000, body))
        connection.shutdown(socket.SHUT_WR)
        answer = http.client.HTTPResponse(connection, method="POST")
        answer.begin()
        *_, last = [json.loads(line) for line in answer.read().splitlines()]
    assert last["error"]["message"] == "The body broke off: 1000 bytes of it did not come."
    assert (last["line"], counts(last)) == (BATCH_DOCUMENTS + 1, (BATCH_DOCUMENTS, BATCH_DOCUMENTS, 0))
    assert count_of(node, index) == BATCH_DOCUMENTS


def test_request_is_logged_and_timed_when_its_answer_ends(sidecar: Sidecar, index: str) -> None:
    answered = sidecar.post(
        f"/indexes/{index}/documents?tensorFields=title",
        data=lines({"title": f"Text {number}."} for number in range(3 * BATCH_DOCUMENTS)),
        headers={"Content-Type": NDJSON, "X-Request-Id": f"stream-{index}"},
    )
    took = json.loads(answered.text.splitlines()[-1])["processingTimeMs"]
    logged = sidecar.wait_for_log(f"answered request_id=stream-{index} .*status=200 ms=([0-9.]+)")
    assert float(logged[1]) >= took
    assert answered.headers["X-Request-Id"] == f"stream-{index}"


def test_memory_does_not_grow_with_the_number_of_documents(sidecar: Sidecar, index: str) -> None:
    (worker,) = [child for child in psutil.Process(sidecar.process.pid).children() if "java" not in child.name()]

    def send_documents(count: int) -> None:
        pieces = (lines({"n": number, "t": "x" * 200} for number in range(100)) for _ in range(count // 100))
        _, answered = send(sidecar, index, pieces, "tensorFields=")
        assert counts(answered[-1]) == (count, count, 0)

    send_documents(4000)
    before = worker.memory_info().rss
    send_documents(60_000)
    assert worker.memory_info().rss - before < 60_000_000


class Batches:
    """Takes batches as the write path does; the last one that it may take fails."""

    def __init__(self, failing: int) -> None:
        self.taken = 0
        self.failing = failing

    def __call__(self, documents: Any) -> list[dict[str, Any]]:
        self.taken += 1
        if self.taken == self.failing:
            raise ModelLoadError("The model went away.")
        return [{"_id": "x", "status": 400, "error": "no", "code": "invalid_argument"} for _ in documents]


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(document_stream, "BATCH_DOCUMENTS", 10)


def answer_of(write: Batches, count: int) -> Iterator[bytes]:
    body = b'{"a":1}\n' * count
    reader = LineReader(io.BytesIO(body), length=len(body), max_line_bytes=1000)
    return DocumentStream(reader, write, finish_nothing, max_document_bytes=1000).answer()


def finish_nothing() -> None:
    """What is done after the last batch where searches need not see the documents."""


@pytest.mark.usefixtures("small_batches")
@pytest.mark.parametrize("failing", [3, 200])
def test_failure_of_the_whole_is_the_last_line_after_all_that_was_held_back(failing: int) -> None:
    told = [json.loads(line) for line in b"".join(answer_of(Batches(failing), 5000)).splitlines()]
    written = 10 * (failing - 1)
    assert [line["item"]["line"] for line in told if "item" in line] == list(range(1, written + 1))
    assert (told[-1]["error"]["message"], told[-1]["line"]) == ("The model went away.", written + 1)
    assert counts(told[-1]) == (written, 0, written)


@pytest.mark.usefixtures("small_batches")
def test_failure_of_the_first_batch_is_raised() -> None:
    with pytest.raises(ModelLoadError):
        next(answer_of(Batches(1), 50))


@pytest.mark.usefixtures("small_batches")
def test_little_is_sent_while_the_body_is_read() -> None:
    write = Batches(0)
    sent = 0
    for piece in answer_of(write, 20_000):
        if write.taken == 2000:
            break
        sent += len(piece)
    assert LIVE_BYTES // 2 < sent < 2 * LIVE_BYTES
