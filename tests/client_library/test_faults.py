"""Busy servers, broken connections and answers that are none, by a server that fails on demand."""

from __future__ import annotations

import json
import socket
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from typing import Any

import httpx
import pytest

from sidecar.client import (
    AddOptions,
    ApiError,
    InvalidRequest,
    NoAnswer,
    Progress,
    Retries,
    StreamBroken,
    TooManyRequests,
    UpdateOptions,
)
from sidecar.client.exchange import ONCE, Answer, Call, Wait, exchange, target, trusts_environment
from tests.client_library.driven import Clients
from tests.fault_server import HANG_UP, FaultServer, answer

QUICK = Retries(again=2, first_wait_seconds=0.001)
HITS = {"hits": [], "query": "x", "limit": 10, "offset": 0, "processingTimeMs": 1}
BUSY = {"message": "The queue is full.", "code": "too_many_requests", "type": "invalid_request", "link": None}
DONE = {"done": True, "received": 2, "succeeded": 2, "failed": 0, "processingTimeMs": 1.0}
GOOD = answer(json.dumps(HITS).encode())
DELETED = {"deleted": 1, "total": 1, "versionConflicts": 0, "failures": [], "processingTimeMs": 1}
NOTES = [{"_id": f"{number}", "title": "T."} for number in range(6)]
PAIRS = AddOptions(["title"], batch_documents=2)


def test_no_proxy_is_asked_the_way_to_this_machine(connect: Clients, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with FaultServer([GOOD, GOOD]) as server:
        for host in ("127.0.0.1", "localhost"):
            client = connect(server.url.replace("127.0.0.1", host), retries=ONCE)
            assert len(client.index("books").search("x")) == 0


@pytest.mark.parametrize("url", ["localhost:8882", "localhost", "ftp://localhost", "http://", ""])
def test_what_is_no_url_is_refused_before_anything_is_sent(connect: Clients, url: str) -> None:
    with pytest.raises(ValueError, match="it must look like http://localhost:8882"):
        connect(url)


@pytest.mark.parametrize(
    ("url", "is_trusted"),
    [("http://localhost:8882", False), ("http://[::1]:8882", False), ("http://search.example", True)],
)
def test_the_environment_s_proxies_are_for_other_machines(url: str, is_trusted: bool) -> None:
    assert trusts_environment(url) is is_trusted


def busy(*headers: str) -> bytes:
    return with_headers(answer(json.dumps(BUSY).encode(), "429 Too Many Requests"), *headers)


def with_headers(reply: bytes, *headers: str) -> bytes:
    first, rest = reply.split(b"\r\n", 1)
    return b"\r\n".join([first, *(header.encode() for header in headers), rest])


def lines(*values: Any) -> bytes:
    return answer(b"".join(json.dumps(value).encode() + b"\n" for value in values))


def done(count: int, *failures: Any) -> bytes:
    counts = {"received": count, "succeeded": count - len(failures), "failed": len(failures)}
    return lines({"progress": counts}, *({"item": item} for item in failures), DONE | counts)


def failed(line: int, document_id: str = "bad") -> dict[str, Any]:
    return {"_id": document_id, "error": "wrong", "status": 400, "code": "invalid_argument", "line": line}


def waits_of(answers: list[Answer], retries: Retries) -> list[float]:
    """The pauses of a call that is answered so, one after the other."""
    steps = exchange(Call("GET", "/x", lambda answer: None), retries)
    step = next(steps)
    waits = []
    try:
        while True:
            if isinstance(step, Wait):
                waits.append(step.seconds)
                step = steps.send(Answer())
            else:
                step = steps.send(answers.pop(0))
    except (StopIteration, ApiError, NoAnswer):
        return waits


@pytest.mark.parametrize("headers", [(), ("Retry-After: 0",)])
def test_a_busy_server_is_asked_again(connect: Clients, headers: tuple[str, ...]) -> None:
    with FaultServer([busy(*headers), busy(*headers), GOOD]) as server:
        assert len(connect(server.url, retries=QUICK).index("i").search("x")) == 0
    numbers = {request.head.lower().split("x-request-id: ")[1][:32] for request in server.requests}
    assert (len(server.requests), len(numbers)) == (3, 1)


def test_a_server_that_stays_busy_is_given_up(connect: Clients) -> None:
    with FaultServer([busy("Retry-After: 0")] * 4) as server, pytest.raises(TooManyRequests, match="full") as refused:
        connect(server.url, retries=QUICK).index("i").search("x")
    assert (len(server.requests), refused.value.status, refused.value.retry_after_seconds) == (3, 429, 0.0)


def test_waits_are_the_server_s_or_grow() -> None:
    busy_for = [Answer(429, {"retry-after": seconds}) for seconds in ("7", "0", "nonsense")]
    assert waits_of([*busy_for, Answer(200)], Retries(again=3)) == [7.0, 0.0, 2.0]
    cut = [Answer(fault=httpx.ReadError("cut")) for _ in range(4)]
    assert waits_of(cut, Retries(again=3)) == [0.5, 1.0, 2.0]
    assert waits_of([Answer(429, {"retry-after": "31"})], Retries()) == []
    assert waits_of([Answer(503, {"retry-after": "1"})], Retries()) == []
    date = format_datetime(datetime.now(timezone.utc) + timedelta(seconds=20), usegmt=True)
    (wait,) = waits_of([Answer(429, {"retry-after": date}), Answer(200)], Retries())
    assert 15 < wait <= 20


def test_a_broken_connection_is_tried_again(connect: Clients) -> None:
    with FaultServer([HANG_UP, GOOD[:-4], GOOD]) as server:
        assert len(connect(server.url, retries=QUICK).index("i").search("x")) == 0
    assert len(server.requests) == 3


def test_what_does_harm_twice_is_sent_once(connect: Clients) -> None:
    with FaultServer([HANG_UP, GOOD]) as server:
        index = connect(server.url, retries=QUICK).index("i")
        with pytest.raises(NoAnswer, match="POST /indexes/i/documents/delete-by-query") as broken:
            index.delete_by_query("*:*")
    assert (len(server.requests), broken.value.is_timeout) == (1, False)
    assert isinstance(broken.value.__cause__, httpx.RemoteProtocolError)


def test_what_was_refused_may_be_sent_again(connect: Clients) -> None:
    with FaultServer([busy("Retry-After: 0"), answer(json.dumps(DELETED).encode())]) as server:
        assert connect(server.url, retries=QUICK).index("i").delete_by_query("*:*").deleted == 1


def test_a_server_that_is_not_there_is_told(connect: Clients) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
    client = connect(url, retries=QUICK)
    for call in (client.index("i").search, client.index("i").delete_by_query):
        with pytest.raises(NoAnswer) as broken:
            call("x")
        assert isinstance(broken.value.__cause__, httpx.ConnectError)


def test_a_slow_answer_is_not_asked_for_again(connect: Clients) -> None:
    with FaultServer([GOOD[:-4]]) as server, socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(NoAnswer) as broken:
            connect(url, retries=QUICK, timeout_seconds=0.05).index("i").search("x")
        assert broken.value.is_timeout
        with pytest.raises(NoAnswer) as broken:
            connect(url, retries=QUICK, long_timeout_seconds=0.05).index("i").update(NOTES, UpdateOptions())
        assert broken.value.is_timeout
    assert server.requests == []


@pytest.mark.parametrize(
    ("reply", "told", "status"),
    [
        (answer(b"<html>Bad gateway</html>", "502 Bad Gateway"), "502: <html>Bad gateway", 502),
        (answer(b"", "503 Service Unavailable"), "503: no reason was told", 503),
        (answer(b'{"detail": "Not Found"}', "404 Not Found"), "404: Not Found", 404),
        (answer(b"<html>Welcome</html>"), "is the URL that of a sidecar", 200),
        (answer(b'{"welcome": 1}'), "is the URL that of a sidecar", 200),
        (answer(b"[]", "500 Internal Server Error"), r"500: \[\]", 500),
    ],
)
def test_answers_of_others_are_told(connect: Clients, reply: bytes, told: str, status: int) -> None:
    with FaultServer([reply]) as server, pytest.raises(ApiError, match=told) as refused:
        connect(server.url, retries=QUICK).index("i").search("x")
    assert (refused.value.status, refused.value.code) == (status, "")
    assert isinstance(refused.value, InvalidRequest) == (400 <= status < 500)


def test_key_and_content_type_are_sent(connect: Clients) -> None:
    with FaultServer([GOOD, answer(b'{"aliases": []}')]) as server:
        index = connect(server.url + "/", api_key="secret").index("ä/b")
        index.search("x")
        index.aliases()
    first, second = (request.head.lower() for request in server.requests)
    assert "post /indexes/%c3%a4%2fb/search http" in first
    assert "x-api-key: secret" in first
    assert "content-type: application/json" in first
    assert "content-type" not in second


def test_a_key_is_not_shown(connect: Clients) -> None:
    client = connect("http://127.0.0.1:9", api_key="secret")
    assert "secret" not in f"{client!r} {client.sidecar!r} {client.index('i')!r}"


# Streams


def test_a_stream_goes_on_after_a_pause_and_a_cut(connect: Clients) -> None:
    replies = [done(2), busy("Retry-After: 0"), HANG_UP, done(2, failed(2, "3")), done(2)]
    with FaultServer(replies) as server:
        told = list(connect(server.url, retries=QUICK).index("i").stream(NOTES, PAIRS))
    assert [(progress.received, progress.succeeded, progress.failed) for progress in told] == [
        (2, 2, 0),
        (4, 3, 1),
        (6, 5, 1),
    ]
    assert [(item.position, item.id) for progress in told for item in progress.failures] == [(3, "3")]
    assert [len(request.body.splitlines()) for request in server.requests] == [2] * 5


def test_what_was_acknowledged_is_told_where_a_connection_breaks(connect: Clients) -> None:
    replies = [done(2), done(2, failed(1, "2")), HANG_UP, HANG_UP, HANG_UP]
    with FaultServer(replies) as server, pytest.raises(StreamBroken, match="behind document 4") as broken:
        connect(server.url, retries=QUICK).index("i").add(NOTES, PAIRS)
    assert broken.value.progress == Progress(4, 3, 1)
    assert isinstance(broken.value.__cause__, NoAnswer)


def test_an_answer_that_breaks_off_tells_what_it_told(connect: Clients) -> None:
    told = lines({"item": failed(2, "1")}, {"progress": {"received": 3, "succeeded": 2, "failed": 1}}, DONE)
    with FaultServer([told[:-30]]) as server, pytest.raises(StreamBroken) as broken:
        connect(server.url, retries=Retries(again=0)).index("i").add(NOTES, ["title"])
    assert (broken.value.progress.received, broken.value.progress.failed) == (3, 1)
    assert [item.position for item in broken.value.progress.failures] == [1]


def test_a_count_of_failures_that_are_not_told_yet_acknowledges_nothing(connect: Clients) -> None:
    told = lines({"progress": {"received": 3, "succeeded": 2, "failed": 1}}, {"item": failed(2, "1")}, DONE)
    cut = told[: told.index(b'{"item"') + 10]
    with FaultServer([cut]) as server, pytest.raises(StreamBroken) as broken:
        connect(server.url, retries=Retries(again=0)).index("i").add(NOTES, ["title"])
    assert broken.value.progress == Progress()


def test_an_error_within_an_answer_tells_what_is_written(connect: Clients) -> None:
    error = {"message": "The index is gone.", "code": "index_not_found", "type": "invalid_request", "link": None}
    last = {"error": error, "line": 2, "received": 1, "succeeded": 1, "failed": 0}
    with FaultServer([done(2), lines(last)]) as server, pytest.raises(StreamBroken, match="is gone") as broken:
        connect(server.url, retries=QUICK).index("i").add(NOTES, PAIRS)
    assert broken.value.progress == Progress(3, 3, 0)
    reason = broken.value.__cause__
    assert isinstance(reason, ApiError)
    assert (reason.code, reason.status) == ("index_not_found", 0)


def test_a_refused_stream_is_broken_at_its_beginning(connect: Clients) -> None:
    refusal = {"message": "no index", "code": "index_not_found", "type": "invalid_request", "link": None}
    reply = answer(json.dumps(refusal).encode(), "404 Not Found")
    with FaultServer([reply]) as server, pytest.raises(StreamBroken) as broken:
        connect(server.url, retries=QUICK).index("i").add(NOTES, PAIRS)
    assert broken.value.progress == Progress()
    assert isinstance(broken.value.__cause__, ApiError)


def test_a_refresh_that_fails_is_told_behind_all_documents(connect: Clients) -> None:
    gone = answer(b'{"message": "x", "code": "internal", "type": "internal"}', "500 Internal Server Error")
    with FaultServer([done(2), gone]) as server, pytest.raises(StreamBroken) as broken:
        connect(server.url).index("i").add(NOTES[:2], AddOptions(["title"], refresh=True))
    assert broken.value.progress == Progress(2, 2, 0)
    assert server.requests[1].first_line.startswith("POST /indexes/i/refresh ")


def test_a_source_s_own_error_passes_through(connect: Clients) -> None:
    def source() -> Any:
        yield from NOTES[:3]
        raise OSError("the disk is gone")

    told = []
    with FaultServer([done(2)]) as server, pytest.raises(OSError, match="disk"):
        for progress in connect(server.url).index("i").stream(source(), PAIRS):
            told.append(progress)
    assert told == [Progress(2, 2, 0)]
    assert len(server.requests) == 1


def test_documents_get_ids_that_stay_theirs_when_they_are_sent_again(connect: Clients) -> None:
    with FaultServer([HANG_UP, done(2)]) as server:
        connect(server.url, retries=QUICK).index("i").add([{"title": "A."}, {"title": "B."}], ["title"])
    first, second = (request.body for request in server.requests)
    assert first == second
    assert len({json.loads(line)["_id"] for line in first.splitlines()}) == 2


def test_targets_quote_their_parts() -> None:
    assert (
        target("indexes", "a b", "aliases", "c/d?", parameters=[("x", "ö&")])
        == "/indexes/a%20b/aliases/c%2Fd%3F?x=%C3%B6%26"
    )
